//! The user's program: lines become messages, and messages lines.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::QUIT;
use super::client::{Client, Heard, Hearing, Speaking, Unsaid};
use super::console::Screen;
use crate::AppError;

/// How long nothing comes, once the user has nothing more to say, until that is taken for the end.
const QUIET: Duration = Duration::from_secs(1);

/// Over raw on a stream nothing but time keeps two texts apart. So after one text the next waits until the peer has
/// said something, as one does who takes turns, but not longer than this.
const TURN: Duration = Duration::from_millis(100);

/// Why the user speaks no more.
enum Spoken {
    /// There is no more input.
    Out,
    /// The user left.
    Left,
    /// The server could not be reached any more.
    Lost(AppError),
}

/// Talks until the server ends it, the user leaves, or the user's lines have ended and nothing comes any more.
pub(super) async fn converse(
    client: Client,
    lines: mpsc::Receiver<String>,
    shown: Screen,
) -> Result<(), AppError> {
    let (mut hearing, mut speaking) = client.split();
    let answered = Notify::new();
    let mut speech = pin!(speak(&mut speaking, lines, &answered));
    let spoken = loop {
        tokio::select! {
            heard = hearing.next() => {
                answered.notify_one();
                if show(heard, &shown).await?.is_break() {
                    say_that_it_ended();
                    return Ok(());
                }
            }
            spoken = &mut speech => break spoken,
        }
    };
    match spoken {
        Spoken::Out => listen_on(&mut hearing, &shown).await.map(drop),
        Spoken::Left => {
            leave(&mut hearing).await;
            Ok(())
        }
        // It may have said something first, and its end is the better word on what happened.
        Spoken::Lost(error) => match listen_on(&mut hearing, &shown).await? {
            ControlFlow::Break(()) => Ok(()),
            ControlFlow::Continue(()) => Err(disconnected(&error)),
        },
    }
}

/// Says what the user says, line by line.
async fn speak(
    speaking: &mut Speaking,
    mut lines: mpsc::Receiver<String>,
    answered: &Notify,
) -> Spoken {
    let mut first = true;
    while let Some(line) = lines.recv().await {
        if line.is_empty() {
            continue;
        }
        if speaking.sticky && !std::mem::take(&mut first) {
            let _ = timeout(TURN, answered.notified()).await;
        }
        match speaking.say(&line).await {
            Ok(()) => {}
            Err(Unsaid::Refused(error)) => tell(&error),
            Err(Unsaid::Lost(error)) => return Spoken::Lost(error),
        }
        if line == QUIT {
            return end(speaking, Spoken::Left).await;
        }
    }
    end(speaking, Spoken::Out).await
}

async fn end(speaking: &mut Speaking, how: Spoken) -> Spoken {
    match speaking.finish().await {
        Ok(()) => how,
        Err(error) => Spoken::Lost(error),
    }
}

/// Shows what comes until the server ends it (`Break`) or it is quiet.
async fn listen_on(hearing: &mut Hearing, shown: &Screen) -> Result<ControlFlow<()>, AppError> {
    while let Ok(heard) = timeout(QUIET, hearing.next()).await {
        if show(heard, shown).await?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Lets the server read that the user leaves: closing a stream with unread bytes would destroy what was sent last.
async fn leave(hearing: &mut Hearing) {
    if !hearing.is_stream() {
        return;
    }
    let _ = timeout(QUIET, async {
        while !matches!(hearing.next().await, Heard::End | Heard::Lost(_)) {}
    })
    .await;
}

async fn show(heard: Heard, shown: &Screen) -> Result<ControlFlow<()>, AppError> {
    match heard {
        Heard::Message(message) => {
            let printed = shown.show(message.to_string()).await;
            printed.map_err(|_| AppError::failed("cannot write to standard output"))?;
        }
        Heard::Fault(error) => tell(&error),
        Heard::End => return Ok(ControlFlow::Break(())),
        Heard::Lost(error) => return Err(disconnected(&error)),
    }
    Ok(ControlFlow::Continue(()))
}

fn disconnected(error: &AppError) -> AppError {
    AppError::failed(format_args!("disconnected: {error}"))
}

#[expect(clippy::print_stderr, reason = "the user's program speaks to its user")]
fn tell(error: &AppError) {
    eprintln!("socketry: {error}");
}

/// Somebody who sits there should see why the program ends; a script sees it by the exit code.
#[expect(clippy::print_stderr, reason = "the user's program speaks to its user")]
fn say_that_it_ended() {
    if std::io::stderr().is_terminal() {
        eprintln!("socketry: disconnected: the server ended the conversation");
    }
}
