//! Lines in and lines out: the operator's at a server, from a terminal or from a program.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How many lines wait to be printed. Beyond them lines are dropped at a server, since its reader must not hold up the
/// others; a client waits.
const WAITING_LINES: usize = 1024;

/// How long a program that ends waits for its last lines to be printed.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// The server's side of the operator's console: see [`Console::channel`].
#[derive(Debug)]
pub struct Console {
    /// What the operator says. When it ends, the operator has nothing more to say, and the server goes on.
    pub(super) said: mpsc::Receiver<String>,
    /// What the operator is shown, a line each, escaped.
    pub(super) shown: mpsc::Sender<String>,
}

/// The operator's side of a [`Console`]. Dropping it is an operator who has left; the server goes on.
#[derive(Debug)]
pub struct Operator {
    said: mpsc::Sender<String>,
    shown: mpsc::Receiver<String>,
}

impl Console {
    /// A console, and the operator to drive it.
    ///
    /// Up to 1,024 lines wait to be read with [`Operator::next`]; those beyond are dropped with a trace.
    pub fn channel() -> (Console, Operator) {
        let (say, said) = mpsc::channel(WAITING_LINES);
        let (show, shown) = mpsc::channel(WAITING_LINES);
        let operator = Operator { said: say, shown };
        (Console::new(said, show), operator)
    }

    pub(super) fn new(said: mpsc::Receiver<String>, shown: mpsc::Sender<String>) -> Self {
        Console { said, shown }
    }
}

impl Operator {
    /// Says `text` to all users, as a line typed at the server would; `q` sends them away. Says `false` if the server has
    /// ended.
    pub async fn say(&self, text: impl Into<String>) -> bool {
        self.said.send(text.into()).await.is_ok()
    }

    /// The next line that the server prints: a message, escaped. `None` when the server has ended. Cancel-safe.
    pub async fn next(&mut self) -> Option<String> {
        self.shown.recv().await
    }
}

/// The lines of standard input, without their endings. It ends with standard input.
pub(super) fn stdin_lines() -> mpsc::Receiver<String> {
    let (say, said) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut input = BufReader::new(tokio::io::stdin());
        let mut line = Vec::new();
        while matches!(input.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
            if say.send(without_ending(&line)).await.is_err() {
                return;
            }
            line.clear();
        }
    });
    said
}

fn without_ending(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

/// Somebody who prints on standard output what is sent there.
pub(super) fn stdout_lines() -> (mpsc::Sender<String>, Printing) {
    let (show, shown) = mpsc::channel(WAITING_LINES);
    (show, Printing(tokio::spawn(print(shown))))
}

/// Prints lines, as many as are there in one write, and flushes.
async fn print(mut shown: mpsc::Receiver<String>) -> io::Result<()> {
    let mut output = tokio::io::stdout();
    let mut lines = Vec::new();
    while shown.recv_many(&mut lines, WAITING_LINES).await > 0 {
        let mut text = String::new();
        for line in lines.drain(..) {
            text.push_str(&line);
            text.push('\n');
        }
        output.write_all(text.as_bytes()).await?;
        output.flush().await?;
    }
    Ok(())
}

/// The printing that is under way. It is over when nobody can send lines any more, or standard output is closed.
pub(super) struct Printing(JoinHandle<io::Result<()>>);

impl Printing {
    /// Waits for its end, but not for longer than `limit`.
    pub(super) async fn within(self, limit: Duration) -> io::Result<()> {
        match tokio::time::timeout(limit, self.0).await {
            Ok(Ok(printed)) => printed,
            // A reader that holds up standard output does not hold up our end.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}
