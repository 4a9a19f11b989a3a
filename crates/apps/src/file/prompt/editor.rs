//! The line that is typed: a thread edits it, since that blocks, and asks the task for names.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;
use std::{io, thread};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Helper};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::complete::{self, Wanted};
use super::history::{self, History};
use super::session::Session;
use super::words::Before;
use crate::{AppError, Shown, output, terminal};

/// How long Tab waits for the server.
const PATIENCE: Duration = Duration::from_secs(3);
/// What ends the mode in which a terminal marks what is pasted.
const NO_PASTE_MARKS: &[u8] = b"\x1b[?2004l\r\n";

/// What the user typed.
pub(super) enum Typed {
    Line(String),
    End,
}

/// What the thread says.
enum Heard {
    Typed(Typed),
    Failed(AppError),
    /// It wants the names in a directory.
    Names {
        dir: String,
        word: String,
        only_dirs: bool,
        tell: oneshot::Sender<Vec<Pair>>,
    },
}

/// The editor of lines. If it is dropped, the terminal is as it was.
pub(super) struct Editor {
    places: blocking::Sender<String>,
    heard: mpsc::Receiver<Heard>,
    terminal: Option<Termios>,
    is_reading: Arc<AtomicBool>,
}

impl Editor {
    pub(super) fn start(keeps_history: bool) -> Result<Self, AppError> {
        let (places, asked) = blocking::channel();
        let (say, heard) = mpsc::channel(1);
        let is_reading = Arc::new(AtomicBool::new(false));
        let reading = Reading {
            say,
            is_reading: Arc::clone(&is_reading),
        };
        let history = match keeps_history {
            true => History::open(),
            false => History::none(),
        };
        let terminal = tcgetattr(io::stdin()).ok();
        // Not a thread of the runtime, since nothing may wait for a read that is under way.
        thread::Builder::new().spawn(move || {
            if let Err(error) = reading.read_all(&asked, history) {
                let _ = reading
                    .say
                    .blocking_send(Heard::Failed(AppError::failed(error)));
            }
        })?;
        Ok(Editor {
            places,
            heard,
            terminal,
            is_reading,
        })
    }

    /// The next line. Meanwhile `session` has the names that Tab completes.
    pub(super) async fn line(&mut self, session: &mut Session) -> Result<Typed, AppError> {
        // Without its thread nothing is heard.
        let _ = self.places.send(session.place().to_owned());
        loop {
            match self.heard.recv().await {
                Some(Heard::Typed(typed)) => return Ok(typed),
                Some(Heard::Failed(error)) => return Err(error),
                Some(Heard::Names {
                    dir,
                    word,
                    only_dirs,
                    tell,
                }) => {
                    // Where names cannot be had, Tab completes nothing.
                    let entries = timeout(PATIENCE, session.entries(&dir)).await;
                    let entries = entries.ok().and_then(Result::ok).unwrap_or_default();
                    let _ = tell.send(complete::remote(entries, &word, only_dirs));
                }
                None => return Ok(Typed::End),
            }
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if !self.is_reading.load(Ordering::Acquire) {
            return;
        }
        if let Some(before) = &self.terminal {
            // The process ends, and there is nowhere to report it.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
            let _ = io::Write::write_all(&mut output::stdout(), NO_PASTE_MARKS);
        }
    }
}

/// The thread.
struct Reading {
    say: mpsc::Sender<Heard>,
    is_reading: Arc<AtomicBool>,
}

type LineEditor = rustyline::Editor<Names, MemHistory>;

impl Reading {
    fn read_all(
        &self,
        places: &blocking::Receiver<String>,
        mut history: History,
    ) -> rustyline::Result<()> {
        // One for all lines: it keeps what was typed ahead.
        let mut editor = line_editor(&history)?;
        for place in places {
            editor.set_helper(Some(Names {
                place: place.clone(),
                say: self.say.clone(),
            }));
            let typed = self.read(&mut editor, &place)?;
            if let Typed::Line(line) = &typed
                && editor.add_history_entry(line)?
            {
                history.add(line);
            }
            if self.say.blocking_send(Heard::Typed(typed)).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, editor: &mut LineEditor, place: &str) -> rustyline::Result<Typed> {
        let prompt = format!("{}> ", Shown(place));
        loop {
            terminal::wait_for_foreground();
            self.is_reading.store(true, Ordering::Release);
            let read = editor.readline(&prompt);
            self.is_reading.store(false, Ordering::Release);
            match read {
                Ok(line) => return Ok(Typed::Line(line)),
                // The line is given up, as in a shell.
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => {}
                Err(ReadlineError::Eof) => return Ok(Typed::End),
                // The job is in the background now.
                Err(ReadlineError::Io(_) | ReadlineError::Errno(_)) if terminal::is_behind() => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn line_editor(history: &History) -> rustyline::Result<LineEditor> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .max_history_size(history::MOST)?
        .build();
    let memory = MemHistory::with_config(&config);
    let mut editor = LineEditor::with_history(config, memory)?;
    for line in history.lines() {
        editor.add_history_entry(line)?;
    }
    Ok(editor)
}

/// What Tab completes, for the editor.
struct Names {
    place: String,
    say: mpsc::Sender<Heard>,
}

impl Completer for Names {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = Before::of(line.get(..at).unwrap_or(line));
        let pairs = match Wanted::of(&before, &self.place) {
            Wanted::Command => complete::commands(&before.word),
            Wanted::Local => complete::local(&before.word),
            Wanted::Remote { dir, only_dirs } => {
                let (tell, told) = oneshot::channel();
                let word = before.word;
                let names = Heard::Names {
                    dir,
                    word,
                    only_dirs,
                    tell,
                };
                let asked = self.say.blocking_send(names).is_ok();
                asked
                    .then(|| told.blocking_recv().ok())
                    .flatten()
                    .unwrap_or_default()
            }
            Wanted::Nothing => Vec::new(),
        };
        Ok((before.start, pairs))
    }
}

impl Helper for Names {}
impl Highlighter for Names {}
impl Hinter for Names {
    type Hint = String;
}
impl Validator for Names {}
