//! Where progress is shown, and how often.

use std::io::Write;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rustix::termios::tcgetwinsize;
use tokio::time::Instant;

use super::events::Event;
use super::line;
use super::state::{State, Total};
use crate::{AppError, output};

/// How often there is a line of progress without a terminal.
const LINES: Duration = Duration::from_secs(10);
/// How often there is an event of progress.
const EVENTS: Duration = Duration::from_secs(1);
/// The width of a terminal that does not tell it.
const WIDTH: usize = 80;

type Sink = Box<dyn Write + Send>;

pub(super) enum Screen {
    Bars(Bars),
    Lines(Sink, Clock),
    Events(Sink, Clock),
    Nothing,
}

/// When there was something last.
#[derive(Default)]
pub(super) struct Clock(Option<Instant>);

impl Clock {
    /// Whether it is time for the next one. The first comes a whole turn after the first question.
    fn is_due(&mut self, turn: Duration, now: Instant) -> bool {
        let last = *self.0.get_or_insert(now);
        let is_due = now.duration_since(last) >= turn;
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}

/// The last lines of a terminal: of a transfer, and of all.
pub(super) struct Bars {
    both: MultiProgress,
    file: ProgressBar,
    total: Option<ProgressBar>,
}

impl Bars {
    fn new(has_total: bool) -> Self {
        let both = MultiProgress::new();
        let bar = || {
            let style = ProgressStyle::with_template("{msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            both.add(ProgressBar::no_length().with_style(style))
        };
        let (file, total) = (bar(), has_total.then(bar));
        Bars { both, file, total }
    }
}

/// The columns of the terminal now: its user may make it narrower at any time.
fn width() -> usize {
    let size = tcgetwinsize(std::io::stderr());
    let columns = size.map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { WIDTH } else { columns }
}

impl Screen {
    pub(super) fn bars(has_total: bool) -> Self {
        Screen::Bars(Bars::new(has_total))
    }

    pub(super) fn lines(to: impl Write + Send + 'static) -> Self {
        Screen::Lines(Box::new(to), Clock::default())
    }

    pub(super) fn events(to: impl Write + Send + 'static) -> Self {
        Screen::Events(Box::new(to), Clock::default())
    }

    /// Shows how far all is.
    pub(super) fn draw<'a>(
        &mut self,
        files: impl Iterator<Item = &'a State> + Clone,
        total: &Total,
        now: Instant,
    ) {
        // If drawing fails, there is nowhere to report it.
        match self {
            Screen::Bars(bars) => {
                let width = width();
                let Some(first) = files.clone().next() else {
                    return;
                };
                bars.file.set_message(line::of_file(first, width, now));
                if let Some(bar) = &bars.total {
                    bar.set_message(line::of_all(total, files, width, now));
                    bar.tick();
                }
                bars.file.tick();
            }
            Screen::Lines(to, clock) => {
                if clock.is_due(LINES, now) {
                    for file in files {
                        let _ = writeln!(to, "{}", line::plain(file, now));
                    }
                }
            }
            Screen::Events(to, clock) => {
                if clock.is_due(EVENTS, now) {
                    for file in files {
                        let _ = write(to, &Event::of(file, now));
                    }
                }
            }
            Screen::Nothing => {}
        }
    }

    /// Takes away what is drawn, before other lines are printed.
    pub(super) fn clear(&mut self) {
        if let Screen::Bars(bars) = self {
            // If drawing fails, there is nowhere to report it.
            let _ = bars.both.clear();
        }
    }

    /// An event, for those that read events.
    pub(super) fn tell(&mut self, event: &Event<'_>) -> Result<(), AppError> {
        match self {
            Screen::Events(to, _) => write(to, event).map_err(|error| output::failed(&error)),
            _ => Ok(()),
        }
    }

    /// A line of results, for people.
    pub(super) fn say(&mut self, line: &str) -> Result<(), AppError> {
        match self {
            Screen::Bars(_) | Screen::Lines(..) => {
                let said = output::stdout().write_all(format!("{line}\n").as_bytes());
                said.map_err(|error| output::failed(&error))
            }
            Screen::Events(..) | Screen::Nothing => Ok(()),
        }
    }

    /// The same, where standard output carries the file.
    pub(super) fn say_beside(&mut self, line: &str) {
        if matches!(self, Screen::Bars(_) | Screen::Lines(..)) {
            // There is nowhere to report that it failed.
            let _ = writeln!(output::stderr(), "{line}");
        }
    }
}

/// One write for a line, so that none is cut.
fn write(to: &mut Sink, event: &Event<'_>) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    to.write_all(&line)
}
