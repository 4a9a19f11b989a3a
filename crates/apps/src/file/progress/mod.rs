//! What a person or a program hears of transfers: a bar on a terminal, lines without one, events in
//! JSON for programs, or nothing.

mod events;
mod line;
mod screen;
mod state;
mod summary;

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Report, Transfer};
use crate::common::is_dumb;
use crate::{AppError, output};

use summary::Digits;

use events::Event;
use screen::Screen;
use state::{State, Total};
pub(super) use summary::pace;
use summary::summary;

/// How often the screen is drawn.
const TICK: Duration = Duration::from_millis(250);

/// What is shown of transfers.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Shows {
    /// Show neither progress nor results: errors only
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Print events for programs on standard output: one JSON object a line (docs/events.md)
    #[arg(long)]
    pub(super) json: bool,
    /// Show the whole digest [default: on a terminal, its first 16 digits]
    #[arg(long)]
    digest: bool,
}

impl Shows {
    /// Whether a person is shown errors only.
    pub(super) fn is_silent(self) -> bool {
        self.quiet || self.json
    }
}

/// The output of one command, about all its transfers.
pub(super) struct Output {
    shared: Arc<Shared>,
    digits: Digits,
    drawing: AbortHandle,
}

struct Shared {
    all: Mutex<All>,
}

struct All {
    screen: Screen,
    total: Total,
    /// The transfers that are under way, each with a number.
    files: Vec<(u64, State)>,
    next: u64,
}

/// One transfer. If it is dropped without a result, nothing more is shown of it.
pub(super) struct Meter {
    shared: Arc<Shared>,
    number: u64,
    digits: Digits,
}

impl Output {
    /// For `files` transfers, of `bytes` in all if that is known. It is called in a runtime.
    pub(super) fn new(shows: Shows, files: usize, bytes: Option<u64>) -> Self {
        let screen = match shows {
            Shows { json: true, .. } => Screen::events(output::stdout()),
            Shows { quiet: true, .. } => Screen::Nothing,
            _ if std::io::stderr().is_terminal() && !is_dumb() => Screen::bars(files > 1),
            _ => Screen::lines(output::stderr()),
        };
        Output::on(screen, Digits::shown(shows.digest), files, bytes)
    }

    fn on(screen: Screen, digits: Digits, files: usize, bytes: Option<u64>) -> Self {
        let now = Instant::now();
        let all = Mutex::new(All {
            screen,
            total: Total::new(files, bytes, now),
            files: Vec::new(),
            next: 0,
        });
        let shared = Arc::new(Shared { all });
        let drawn = Arc::clone(&shared);
        let drawing = tokio::spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                drawn.lock().draw(Instant::now());
            }
        });
        Output {
            shared,
            digits,
            drawing: drawing.abort_handle(),
        }
    }

    /// A transfer begins.
    pub(super) fn meter(&self, name: &str) -> Meter {
        let mut all = self.shared.lock();
        let number = all.next;
        all.next += 1;
        all.files.push((number, State::new(name, Instant::now())));
        let _ = all.screen.tell(&Event::Start { name });
        Meter {
            shared: Arc::clone(&self.shared),
            number,
            digits: self.digits,
        }
    }

    /// A transfer failed before it began. The caller tells a person why.
    ///
    /// # Errors
    /// Always this one.
    pub(super) fn refuse(&self, name: &str, error: AppError) -> Result<(), AppError> {
        self.shared.lock().fails(name, &error);
        Err(error)
    }

    /// The command has ended, as far as it went.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(super) fn end(&self) -> Result<(), AppError> {
        let mut all = self.shared.lock();
        let All { screen, total, .. } = &mut *all;
        screen.tell(&total.event(Instant::now()))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.drawing.abort();
        self.shared.lock().screen.clear();
    }
}

impl Meter {
    /// So many bytes are there from an earlier transfer that broke off.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "transfers cannot be resumed yet")
    )]
    pub(super) fn resumed(&self, bytes: u64) {
        self.change(|state, now| state.resumed(bytes, now));
    }

    /// So many bytes are there now, of so many.
    pub(super) fn at(&self, done: u64, all: Option<u64>) {
        self.change(|state, now| state.at(done, all, now));
    }

    /// The transfer is whole. Its line goes to standard error if the file itself `is_printed`.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(super) fn done(
        self,
        verb: &str,
        transfer: &Transfer,
        is_printed: bool,
    ) -> Result<(), AppError> {
        let mut all = self.shared.lock();
        let Some(state) = all.take(self.number) else {
            return Ok(());
        };
        all.total.done(&state, transfer.bytes);
        let line = summary(verb, &state.name, transfer, self.digits);
        all.screen.clear();
        match is_printed {
            true => all.screen.say_beside(&line),
            false => all.screen.say(&line)?,
        }
        all.screen.tell(&Event::done(&state, transfer))
    }

    /// A tree has been transferred. `line` says so to a person, and the caller tells what failed.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(super) fn tree(self, line: &str, report: &Report) -> Result<(), AppError> {
        let mut all = self.shared.lock();
        let Some(state) = all.take(self.number) else {
            return Ok(());
        };
        for failure in &report.failures {
            let error = failure.error.to_string();
            let (name, error) = (&failure.name, &error);
            all.screen.tell(&Event::Error { name, error })?;
        }
        all.total.tree(&state, report);
        all.screen.clear();
        all.screen.say(line)?;
        all.screen.tell(&Event::tree(&state.name, report))
    }

    /// The transfer failed. The caller tells a person why.
    ///
    /// # Errors
    /// Always this one.
    pub(super) fn failed(self, error: AppError) -> Result<(), AppError> {
        let mut all = self.shared.lock();
        if let Some(state) = all.take(self.number) {
            all.fails(&state.name, &error);
        }
        drop(all);
        Err(error)
    }

    fn change(&self, change: impl FnOnce(&mut State, Instant)) {
        let mut all = self.shared.lock();
        let found = all
            .files
            .iter_mut()
            .find(|(number, _)| *number == self.number);
        if let Some((_, state)) = found {
            change(state, Instant::now());
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let mut all = self.shared.lock();
        all.take(self.number);
        all.screen.clear();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, All> {
        // A panic elsewhere leaves the numbers whole.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    fn take(&mut self, number: u64) -> Option<State> {
        let at = self.files.iter().position(|(other, _)| *other == number)?;
        Some(self.files.remove(at).1)
    }

    fn fails(&mut self, name: &str, error: &AppError) {
        self.total.failed();
        self.screen.clear();
        let error = error.to_string();
        // If standard output cannot be written, the exit code tells of the failure.
        let _ = self.screen.tell(&Event::Error {
            name,
            error: &error,
        });
    }

    fn draw(&mut self, now: Instant) {
        let files = self.files.iter().map(|(_, state)| state);
        self.total.moving(files.clone(), now);
        self.screen.draw(files, &self.total, now);
    }
}

#[cfg(test)]
mod tests;
