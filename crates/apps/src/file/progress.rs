//! The progress of a transfer, for a person: a bar on a terminal, and one line at the end.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::Transfer;
use crate::Shown;
use crate::common::is_dumb;

/// After this long without progress the bar says so.
const STALLED: Duration = Duration::from_secs(2);
/// How often the bar is drawn without progress.
const TICK: Duration = Duration::from_millis(250);
/// How many hexadecimal digits of a digest fit on a line.
const SHOWN: usize = 16;
const TEMPLATE: &str = "{prefix} {bytes}/{total_bytes} [{bar:24}] {pace}";

/// A bar on standard error, if that is a terminal that can move its cursor.
pub(super) struct Bar {
    bar: ProgressBar,
    moved: Arc<Moved>,
}

/// When the last bytes moved, in milliseconds.
struct Moved {
    begun: Instant,
    at: AtomicU64,
}

impl Bar {
    pub(super) fn new(name: &str) -> Self {
        let moved = Arc::new(Moved {
            begun: Instant::now(),
            at: AtomicU64::new(0),
        });
        let bar = ProgressBar::no_length()
            .with_prefix(Shown(name).to_string())
            .with_style(style(Arc::clone(&moved)));
        if is_dumb() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Bar { bar, moved }
    }

    pub(super) fn at(&self, bytes: u64, all: Option<u64>) {
        if let Some(all) = all {
            self.bar.set_length(all);
        }
        self.moved.now();
        self.bar.set_position(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Moved {
    fn millis(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn now(&self) {
        self.at.store(self.millis(), Ordering::Relaxed);
    }

    fn long_ago(&self) -> bool {
        let quiet = self
            .millis()
            .saturating_sub(self.at.load(Ordering::Relaxed));
        Duration::from_millis(quiet) >= STALLED
    }
}

fn style(moved: Arc<Moved>) -> ProgressStyle {
    let pace = move |state: &ProgressState, out: &mut dyn Write| {
        // If drawing fails, there is nowhere to report it.
        let _ = match (moved.long_ago(), state.pos()) {
            (false, _) => write!(out, "{}", pace(state.per_sec())),
            (true, 0) => out.write_str("waiting for the other side"),
            (true, all) if Some(all) == state.len() => {
                out.write_str("waiting for the other side to confirm")
            }
            (true, _) => out.write_str("stalled"),
        };
    };
    ProgressStyle::with_template(TEMPLATE)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("pace", pace)
}

/// Bytes a second.
fn pace(bytes: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates"
    )]
    let bytes = BinaryBytes(bytes as u64);
    format!("{bytes}/s")
}

/// How much of a digest is shown.
#[derive(Clone, Copy)]
pub(super) enum Digits {
    All,
    /// As many digits as fit on a line of a terminal.
    Few,
}

impl Digits {
    /// Few on a terminal, unless the user `wants_all`. A pipe gets all of them.
    pub(super) fn shown(wants_all: bool) -> Self {
        match wants_all || !std::io::stdout().is_terminal() {
            true => Digits::All,
            false => Digits::Few,
        }
    }
}

/// `sent a.bin 12.30 MiB 450.00 MiB/s blake3 …`.
pub(super) fn summary(verb: &str, name: &str, transfer: &Transfer, digits: Digits) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for a person")]
    let speed = transfer.bytes as f64 / transfer.elapsed.as_secs_f64().max(1e-9);
    let doubt = if transfer.confirmed {
        ""
    } else {
        " (the server did not confirm)"
    };
    let speed = match transfer.bytes {
        0 => String::new(),
        _ => format!(" {}", pace(speed.max(1.0))),
    };
    let digest = transfer.blake3.to_hex();
    let digest = match digits {
        Digits::All => digest.to_string(),
        Digits::Few => format!("{}…", &digest[..SHOWN]),
    };
    format!(
        "{verb} {} {}{speed} blake3 {digest}{doubt}",
        Shown(name),
        BinaryBytes(transfer.bytes),
    )
}
