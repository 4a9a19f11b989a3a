//! Events for programs: `docs/events.md` has the schema.

use serde::Serialize;
use tokio::time::Instant;

use super::state::State;
use super::{Report, Transfer};

/// One line of JSON. Keys are never renamed or removed; new ones may come.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Event<'a> {
    /// A transfer begins.
    Start { name: &'a str },
    /// It goes on.
    Progress {
        name: &'a str,
        done: u64,
        size: Option<u64>,
        resumed: u64,
        rate: Option<u64>,
        eta: Option<u64>,
    },
    /// Nothing moves.
    Stalled {
        name: &'a str,
        done: u64,
        size: Option<u64>,
        seconds: u64,
    },
    /// It is whole.
    Done {
        name: &'a str,
        size: u64,
        resumed: u64,
        seconds: f64,
        blake3: String,
        confirmed: bool,
    },
    /// Of a tree all is there that could be transferred.
    Tree {
        name: &'a str,
        files: u64,
        directories: u64,
        links: u64,
        size: u64,
        failed: usize,
        seconds: f64,
    },
    /// It failed.
    Error { name: &'a str, error: &'a str },
    /// The command has ended.
    End {
        files: usize,
        failed: usize,
        size: u64,
        resumed: u64,
        seconds: f64,
    },
}

impl<'a> Event<'a> {
    pub(super) fn of(state: &'a State, now: Instant) -> Self {
        let name = &state.name;
        let (done, size) = (state.done(), state.size);
        match state.stalled(now) {
            Some(quiet) => Event::Stalled {
                name,
                done,
                size,
                seconds: quiet.as_secs(),
            },
            None => Event::Progress {
                name,
                done,
                size,
                resumed: state.resumed,
                rate: state.rate(now),
                eta: state.eta(now).map(|eta| eta.as_secs()),
            },
        }
    }

    pub(super) fn done(state: &'a State, transfer: &Transfer) -> Self {
        Event::Done {
            name: &state.name,
            size: transfer.bytes,
            resumed: state.resumed,
            seconds: transfer.elapsed.as_secs_f64(),
            blake3: transfer.blake3.to_hex().to_string(),
            confirmed: transfer.confirmed,
        }
    }

    pub(super) fn tree(name: &'a str, report: &Report) -> Self {
        Event::Tree {
            name,
            files: report.files,
            directories: report.dirs,
            links: report.links,
            size: report.bytes,
            failed: report.failures.len(),
            seconds: report.elapsed.as_secs_f64(),
        }
    }
}
