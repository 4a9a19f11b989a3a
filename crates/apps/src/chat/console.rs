//! Lines in and out for the server's operator, who is at a terminal or is a program.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinHandle, spawn_blocking};

use super::limits::{WAITING_BYTES, WAITING_LINES};
use crate::output;

/// How long a program that ends waits until its last lines are printed.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// The server's side of the operator's console: see [`Console::channel`].
#[derive(Debug)]
pub struct Console {
    /// The operator's lines. When the channel closes, the operator has nothing more to say and the
    /// server goes on.
    pub(super) said: mpsc::Receiver<String>,
    /// Lines to show to the operator, escaped.
    pub(super) shown: Screen,
}

/// The operator's side of a [`Console`]. Dropping it means that the operator has left; the server
/// goes on.
#[derive(Debug)]
pub struct Operator {
    said: mpsc::Sender<String>,
    shown: mpsc::Receiver<Line>,
}

/// Takes lines to show, up to a number of lines and a number of bytes.
#[derive(Debug)]
pub(super) struct Screen {
    lines: mpsc::Sender<Line>,
    room: Arc<Semaphore>,
}

/// A line that waits, with the room that it takes until it is shown.
#[derive(Debug)]
struct Line {
    text: String,
    _room: OwnedSemaphorePermit,
}

/// Why a line was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unshown {
    /// Too many lines or bytes wait already.
    Full,
    /// The reading side is gone.
    Closed,
}

/// A screen, and the receiver of its lines.
fn screen() -> (Screen, mpsc::Receiver<Line>) {
    let (lines, shown) = mpsc::channel(WAITING_LINES);
    let room = Arc::new(Semaphore::new(WAITING_BYTES));
    (Screen { lines, room }, shown)
}

impl Screen {
    /// Shows a line as soon as there is room for it.
    pub(super) async fn show(&self, text: String) -> Result<(), Unshown> {
        let room = Arc::clone(&self.room).acquire_many_owned(room_for(&text));
        let _room = room.await.map_err(|_| Unshown::Closed)?;
        let sent = self.lines.send(Line { text, _room }).await;
        sent.map_err(|_| Unshown::Closed)
    }

    /// Shows a line if there is room for it now.
    pub(super) fn try_show(&self, text: String) -> Result<(), Unshown> {
        let room = Arc::clone(&self.room).try_acquire_many_owned(room_for(&text));
        let _room = room.map_err(|_| Unshown::Full)?;
        let sent = self.lines.try_send(Line { text, _room });
        sent.map_err(|error| match error {
            TrySendError::Full(_) => Unshown::Full,
            TrySendError::Closed(_) => Unshown::Closed,
        })
    }

    /// Whether half of the room is free, in lines and in bytes.
    pub(super) fn is_half_free(&self) -> bool {
        self.lines.capacity() >= WAITING_LINES / 2
            && self.room.available_permits() >= WAITING_BYTES / 2
    }
}

/// The room that a line takes: its bytes, or all the room there is if it is longer.
fn room_for(text: &str) -> u32 {
    u32::try_from(text.len().min(WAITING_BYTES)).unwrap_or(u32::MAX)
}

impl Console {
    /// A console, and the operator that drives it.
    ///
    /// Up to 1,024 lines and 1 MiB wait for [`Operator::next`]. Further lines are dropped, and the
    /// log says so.
    pub fn channel() -> (Console, Operator) {
        let (say, said) = mpsc::channel(WAITING_LINES);
        let (show, shown) = screen();
        let operator = Operator { said: say, shown };
        (Console::new(said, show), operator)
    }

    pub(super) fn new(said: mpsc::Receiver<String>, shown: Screen) -> Self {
        Console { said, shown }
    }
}

impl Operator {
    /// Says `text` to all users, as if it was typed at the server. The text `q` ends all
    /// conversations. Returns `false` if the server has ended.
    pub async fn say(&self, text: impl Into<String>) -> bool {
        self.said.send(text.into()).await.is_ok()
    }

    /// The next line that the server shows: a message, escaped. `None` when the server has ended.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<String> {
        self.shown.recv().await.map(|line| line.text)
    }
}

/// A screen whose lines a task prints on standard output.
pub(super) fn stdout_lines() -> (Screen, Printing) {
    let (show, shown) = screen();
    (show, Printing(tokio::spawn(print(shown))))
}

/// Prints lines; one write takes all that wait.
async fn print(mut shown: mpsc::Receiver<Line>) -> io::Result<()> {
    let mut lines = Vec::new();
    while shown.recv_many(&mut lines, WAITING_LINES).await > 0 {
        let mut text = String::new();
        for line in lines.drain(..) {
            text.push_str(&line.text);
            text.push('\n');
        }
        let written = spawn_blocking(move || output::stdout().write_all(text.as_bytes()));
        written.await.map_err(io::Error::other)??;
    }
    Ok(())
}

/// The task that prints. It ends when all senders of lines are dropped, or when standard output is
/// closed.
pub(super) struct Printing(JoinHandle<io::Result<()>>);

impl Printing {
    /// Waits for the end of the task, at most for `limit`.
    pub(super) async fn within(self, limit: Duration) -> io::Result<()> {
        match tokio::time::timeout(limit, self.0).await {
            Ok(Ok(printed)) => printed,
            // A slow reader of standard output does not delay the end of this program.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_that_wait_are_bounded_and_not_only_lines() {
        let (show, mut shown) = screen();
        let quarter = "x".repeat(WAITING_BYTES / 4);
        for _ in 0..4 {
            show.try_show(quarter.clone()).unwrap();
        }
        assert_eq!(show.try_show("x".to_owned()), Err(Unshown::Full));
        assert!(!show.is_half_free());
        for _ in 0..4 {
            assert_eq!(shown.recv().await.unwrap().text, quarter);
        }
        assert!(show.is_half_free());
        // A line that is longer than the room is shown alone.
        show.show("x".repeat(WAITING_BYTES * 2)).await.unwrap();
        assert_eq!(show.try_show("x".to_owned()), Err(Unshown::Full));
        drop(shown);
        assert_eq!(show.try_show(String::new()), Err(Unshown::Closed));
    }
}
