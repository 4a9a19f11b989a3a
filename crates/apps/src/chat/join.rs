//! The user's program: lines become messages, and messages lines.

use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::QUIT;
use super::client::{Client, Heard, Hearing, Speaking, Unsaid};
use super::console::Screen;
use super::limits::{FAREWELL, PAUSE, QUIET, TURN};
use crate::AppError;
use crate::common::{complain, hint};

/// Why the user speaks no more.
enum Spoken {
    /// There is no more input.
    Out,
    /// The user left.
    Left,
    /// The server could not be reached any more.
    Lost(AppError),
}

/// Talks until the server ends it, the user leaves, or the user's lines have ended and it was waited for more.
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
        Spoken::Out => {
            let patience = if hearing.is_stream() { FAREWELL } else { QUIET };
            listen_on(&mut hearing, &shown, patience).await.map(drop)
        }
        Spoken::Left => {
            leave(&mut hearing).await;
            Ok(())
        }
        // It may have said something first, and its end is the better word on what happened.
        Spoken::Lost(error) => match listen_on(&mut hearing, &shown, QUIET).await? {
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
    let mut turn = None;
    while let Some(line) = lines.recv().await {
        if line.is_empty() {
            continue;
        }
        if speaking.sticky {
            turn = Some(next_turn(turn, answered).await);
        }
        match speaking.say(&line).await {
            Ok(()) => {}
            Err(Unsaid::Refused(error)) => complain(&error),
            Err(Unsaid::Lost(error)) => return Spoken::Lost(error),
        }
        if line == QUIT {
            return end(speaking, Spoken::Left).await;
        }
    }
    end(speaking, Spoken::Out).await
}

/// Waits for the answer to what was said before, if something was, and says how long to wait for the next one.
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

/// Shows what comes until the server ends it (`Break`), or it is quiet after `patience`.
async fn listen_on(
    hearing: &mut Hearing,
    shown: &Screen,
    patience: Duration,
) -> Result<ControlFlow<()>, AppError> {
    let until = Instant::now() + patience;
    while let Ok(heard) = timeout_at(until.max(Instant::now() + QUIET), hearing.next()).await {
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
        Heard::Fault(error) => complain(&error),
        Heard::End => return Ok(ControlFlow::Break(())),
        Heard::Lost(error) => return Err(disconnected(&error)),
    }
    Ok(ControlFlow::Continue(()))
}

fn disconnected(error: &AppError) -> AppError {
    AppError::failed(format_args!("disconnected: {error}"))
}

/// Somebody who sits there should see why the program ends; a script sees it by the exit code.
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
