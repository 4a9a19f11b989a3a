//! `file browse`: commands that a person types at a prompt, or a script writes.

mod complete;
mod editor;
mod history;
mod session;
mod words;

use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::Client;
use super::verbs::say;
use crate::common::{complain, is_dumb};
use crate::{AppError, Shown, serving, terminal};

use editor::{Editor, Typed};
use session::Session;

/// The exit code when a signal ends it, as shells have it for SIGINT.
const INTERRUPTED: u8 = 130;

/// What a user gets of a prompt.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Comfort {
    /// Neither read nor keep what is typed: else it is in
    /// ~/.local/state/socketry/browse_history
    #[arg(long)]
    no_history: bool,
}

/// Runs the commands on standard input until it ends or a command ends it. After an error the next
/// command runs as usual.
pub(super) async fn run(
    connecting: impl Future<Output = Result<Client, AppError>>,
    comfort: Comfort,
) -> Result<ExitCode, AppError> {
    // Installed before the first connection, so that no signal is missed.
    if prompts() && !is_dumb() {
        let ended = serving::end_signal();
        return ended_by(ended, async {
            talk(Session::new(connecting.await?), comfort).await
        })
        .await;
    }
    ended_by(serving::shutdown_signal(), async {
        read(Session::new(connecting.await?)).await
    })
    .await
}

/// Drops all that goes on when a signal comes, and with it a part file.
async fn ended_by(
    signal: impl Future<Output = ()>,
    doing: impl Future<Output = Result<(), AppError>>,
) -> Result<ExitCode, AppError> {
    tokio::select! {
        () = signal => Ok(ExitCode::from(INTERRUPTED)),
        done = doing => done.map(|()| ExitCode::SUCCESS),
    }
}

/// The commands of a script, or of a terminal that can only show lines.
async fn read(mut session: Session) -> Result<(), AppError> {
    let mut lines = terminal::lines();
    show(session.obey(&["ls"]).await);
    loop {
        ask(session.place())?;
        let Some(line) = lines.recv().await else {
            // The shell's prompt then starts on a new line.
            return if prompts() { say("") } else { Ok(()) };
        };
        match words::split(&line) {
            Ok(words) if is_end(&words) => return Ok(()),
            Ok(words) => show(obey(&mut session, &words).await),
            Err(error) => complain(&error),
        }
    }
}

/// The commands of a person at a terminal. SIGINT ends the command that runs, and not the program.
async fn talk(mut session: Session, comfort: Comfort) -> Result<(), AppError> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut editor = Editor::start(!comfort.no_history)?;
    let mut line = "ls".to_owned();
    loop {
        match words::split(&line) {
            Ok(words) if is_end(&words) => return Ok(()),
            Ok(words) => show(tokio::select! {
                done = obey(&mut session, &words) => done,
                _ = interrupts.recv() => Err(AppError::failed("interrupted")),
            }),
            Err(error) => complain(&error),
        }
        line = match editor.line(&mut session).await? {
            Typed::Line(line) => line,
            Typed::End => return say(""),
        };
    }
}

async fn obey(session: &mut Session, words: &[String]) -> Result<(), AppError> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let done = session.obey(&words).await;
    if session.has_connected_again() {
        // Not an error, and not a result.
        let _ = writeln!(
            io::stderr(),
            "socketry: the server had ended the connection; connected again, in {}",
            Shown(session.place())
        );
    }
    done
}

fn is_end(words: &[String]) -> bool {
    matches!(words, [word] if word == "quit" || word == "exit")
}

fn show(done: Result<(), AppError>) {
    if let Err(error) = done {
        complain(&error);
    }
}

/// Whether a person types and reads here.
fn prompts() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Prints a prompt if a person types and reads here.
fn ask(place: &str) -> io::Result<()> {
    if !prompts() {
        return Ok(());
    }
    let mut out = io::stdout();
    write!(out, "{}> ", Shown(place))?;
    out.flush()
}
