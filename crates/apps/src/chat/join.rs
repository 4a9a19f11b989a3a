//! The program `join`: prints messages, and sends the lines of its input.

use std::cell::Cell;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::QUIT;
use super::client::{Client, Heard, Hearing, Speaking, Unsaid};
use super::console::Screen;
use super::limits::{DOUBT, FAREWELL, PAUSE, QUIET, TURN};
use crate::AppError;
use crate::common::{complain, hint};

/// The error where a line was sent to a server that had ended without a `q`.
const LATE: &str = "the last line was sent after the server had ended";

/// Why the user sends nothing more.
enum Spoken {
    /// The input has ended.
    Out,
    /// The user left.
    Left,
    /// The server cannot be reached any more.
    Lost(AppError),
}

/// How the server ended the conversation.
enum Ending {
    /// With the text `q`.
    Quit,
    /// Between two messages, without a `q`.
    Silent,
}

/// The user's input.
pub(super) struct Input {
    pub(super) lines: mpsc::Receiver<String>,
    /// Whether the end of the input ends the conversation, as at a terminal.
    pub(super) leaves: bool,
}

/// Talks until the server ends the conversation, the user leaves, or the input has ended and
/// nothing more comes for a while.
///
/// # Errors
/// If a message may be lost. On a stream, an error of either half, an end inside a message and a
/// failing half-close say so: the server has closed without reading everything. If the server ended
/// with a `q`, nothing is lost. A line that is sent after the server ended without a `q` is lost.
/// So is a datagram that the server's host refused.
pub(super) async fn converse(client: Client, input: Input, shown: Screen) -> Result<(), AppError> {
    let (hearing, mut speaking) = client.split();
    let mut listener = Listener {
        hearing,
        shown,
        trouble: None,
    };
    let (answered, said) = (Notify::new(), Cell::new(0));
    let spoken = {
        let mut speech = pin!(speak(&mut speaking, input, &answered, &said));
        loop {
            tokio::select! {
                heard = listener.hearing.next() => {
                    answered.notify_one();
                    match listener.take(heard).await? {
                        None => {}
                        Some(Ending::Quit) => {
                            say_that_it_ended();
                            return Ok(());
                        }
                        Some(Ending::Silent) => {
                            let before = said.get();
                            let spoken = timeout(DOUBT, &mut speech).await;
                            if said.get() > before {
                                return Err(disconnected(LATE));
                            }
                            break spoken.ok();
                        }
                    }
                }
                spoken = &mut speech => break Some(spoken),
            }
        }
    };
    match spoken {
        Some(Spoken::Out) => {
            let patience = if listener.hearing.is_reliable() {
                FAREWELL
            } else {
                QUIET
            };
            match proving(&mut speaking, listener.listen_on(patience)).await? {
                Some(Ending::Quit) => Ok(()),
                _ => listener.verdict(),
            }
        }
        Some(Spoken::Left) => listener.leave().await,
        // The server may have sent messages first, and a `q`.
        Some(Spoken::Lost(error)) => match listener.listen_on(QUIET).await? {
            Some(Ending::Quit) => Ok(()),
            _ => Err(disconnected(error)),
        },
        None => {
            speaking.finish().await.map_err(disconnected)?;
            say_that_it_ended();
            listener.verdict()
        }
    }
}

/// Sends the input line by line, and waits for its turn before each.
async fn speak(
    speaking: &mut Speaking,
    mut input: Input,
    answered: &Notify,
    said: &Cell<usize>,
) -> Spoken {
    let mut turn = None;
    loop {
        let line = tokio::select! {
            line = input.lines.recv() => line,
            unsaid = speaking.prove() => match lost(unsaid) {
                Some(error) => return Spoken::Lost(error),
                None => continue,
            },
        };
        let line = match line {
            Some(line) if line.is_empty() => continue,
            Some(line) => line,
            None if input.leaves => QUIT.to_owned(),
            None => return end(speaking, Spoken::Out).await,
        };
        if speaking.sticky {
            turn = Some(next_turn(turn, answered).await);
        }
        if let Err(unsaid) = speaking.say(&line).await
            && let Some(error) = lost(unsaid)
        {
            return Spoken::Lost(error);
        }
        if line == QUIT {
            return end(speaking, Spoken::Left).await;
        }
        said.set(said.get() + 1);
    }
}

/// The error, if the server is gone. Any other error is shown to the user, and the conversation
/// goes on.
fn lost(unsaid: Unsaid) -> Option<AppError> {
    match unsaid {
        Unsaid::Lost(error) => Some(error),
        Unsaid::Refused(error) => {
            complain(&error);
            None
        }
    }
}

/// The result of `listening`. Meanwhile the user still [proves](Speaking::prove) its address.
async fn proving<T>(speaking: &mut Speaking, listening: impl Future<Output = T>) -> T {
    let mut listening = pin!(listening);
    loop {
        tokio::select! {
            done = &mut listening => return done,
            // The receiving half notices the error by itself.
            unsaid = speaking.prove() => drop(unsaid),
        }
    }
}

/// Waits for the answer to the line before, if there was one. Returns how long to wait after the
/// next line.
async fn next_turn(turn: Option<Duration>, answered: &Notify) -> Duration {
    let Some(turn) = turn else { return TURN };
    match timeout(turn, answered.notified()).await {
        Ok(()) => TURN,
        Err(_) => PAUSE,
    }
}

async fn end(speaking: &mut Speaking, how: Spoken) -> Spoken {
    match speaking.finish().await {
        Ok(()) => how,
        Err(error) => Spoken::Lost(error),
    }
}

/// The receiving half, and where it shows what it receives.
struct Listener {
    hearing: Hearing,
    shown: Screen,
    /// The last error since the last message.
    trouble: Option<String>,
}

impl Listener {
    /// Shows what was received, or returns how the server ended.
    async fn take(&mut self, heard: Heard) -> Result<Option<Ending>, AppError> {
        match heard {
            Heard::Message(message) => {
                self.trouble = None;
                let printed = self.shown.show(message.to_string()).await;
                printed.map_err(|_| AppError::failed("cannot write to standard output"))?;
                Ok(None)
            }
            Heard::Fault(error) => {
                complain(&error);
                self.trouble = Some(error.to_string());
                Ok(None)
            }
            Heard::Quit => Ok(Some(Ending::Quit)),
            Heard::End => Ok(Some(Ending::Silent)),
            Heard::Lost(error) => Err(disconnected(error)),
        }
    }

    /// Shows what arrives until the server ends, or nothing came for long enough.
    async fn listen_on(&mut self, patience: Duration) -> Result<Option<Ending>, AppError> {
        let until = Instant::now() + patience;
        loop {
            let due = until.max(Instant::now() + QUIET);
            let Ok(heard) = timeout_at(due, self.hearing.next()).await else {
                return Ok(None);
            };
            if let Some(ending) = self.take(heard).await? {
                return Ok(Some(ending));
            }
        }
    }

    /// Gives the server time to read the end: closing a stream with unread bytes would destroy what
    /// was sent last.
    async fn leave(&mut self) -> Result<(), AppError> {
        let until = Instant::now() + QUIET;
        while self.hearing.is_reliable()
            && let Ok(heard) = timeout_at(until, self.hearing.next()).await
        {
            match heard {
                Heard::Message(_) | Heard::Fault(_) => {}
                Heard::Quit | Heard::End => break,
                Heard::Lost(error) => return Err(disconnected(error)),
            }
        }
        Ok(())
    }

    /// The result of the conversation. Its end is no error by itself.
    fn verdict(&mut self) -> Result<(), AppError> {
        match self.trouble.take() {
            Some(words) => Err(disconnected(words)),
            None => Ok(()),
        }
    }
}

fn disconnected(why: impl fmt::Display) -> AppError {
    AppError::failed(format_args!("disconnected: {why}"))
}

/// A person at the terminal should see why the program ends; a script sees the exit code.
fn say_that_it_ended() {
    hint("disconnected: the server ended the conversation");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_are_long_while_they_are_answered() {
        let answered = Notify::new();
        assert_eq!(next_turn(None, &answered).await, TURN);
        answered.notify_one();
        assert_eq!(next_turn(Some(TURN), &answered).await, TURN);
        let began = Instant::now();
        assert_eq!(next_turn(Some(TURN), &answered).await, PAUSE);
        assert_eq!(next_turn(Some(PAUSE), &answered).await, PAUSE);
        assert!(began.elapsed() < TURN + PAUSE * 2);
        answered.notify_one();
        assert_eq!(next_turn(Some(PAUSE), &answered).await, TURN);
    }
}
