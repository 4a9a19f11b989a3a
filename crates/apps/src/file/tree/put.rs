//! Trees that a client sends.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::timeout;

use super::item::Item;
use super::load::Loader;
use super::local::LocalTree;
use super::request::Request;
use super::send::{self, Watcher};
use super::session::{Hearing, both, joined};
use super::survey::{Failure, Report};
use crate::AppError;
use crate::file::header::{Answer, Status};
use crate::file::host::Host;
use crate::file::limits::Lane;
use crate::file::listing::Kind;
use crate::file::transfer::{Allowed, LAST_WORD, Progress};
use crate::file::wire::{Trouble, Wire, say};
use crate::file::{IDLE, MAX_LISTING, STALL};

/// Sends a tree, to be stored below the directory `into`.
pub(in crate::file) async fn put(
    host: &Host,
    kept: &mut Option<Wire>,
    (mut tree, into): (LocalTree, &str),
    allowed: Allowed,
    progress: Progress<'_>,
) -> Result<Report, AppError> {
    let request = Request::Store {
        path: into.to_owned(),
        storing: allowed.storing,
        preserve: tree.preserve,
    };
    let mut wire = host.reuse(kept).await?;
    say(&mut wire, &request.written()).await?;
    begin(&mut wire).await?;
    let refusals = Refusals::default();
    let mut outgoing = Outgoing {
        report: Report {
            failures: tree.refused(),
            ..Report::default()
        },
        refusals: &refusals,
        progress,
        total: tree.survey().bytes,
        done: 0,
        sent: Vec::new(),
    };
    let (mut hearing, mut speaking) = wire.split();
    let all_sent = AtomicBool::new(false);
    let loader = Loader::new(tree.branches);
    let sending = async {
        send::send(&mut speaking, loader, &Lane::default(), &mut outgoing).await?;
        say(&mut speaking, &Item::end()).await?;
        all_sent.store(true, Ordering::Relaxed);
        Ok(())
    };
    let refused = both(sending, hear(&mut hearing, &refusals, &all_sent)).await;
    let refused = refused.map_err(|error| outgoing.broken(&error))?;
    *kept = joined(hearing, speaking);
    Ok(outgoing.concluded(refused))
}

/// Waits until the server is ready.
async fn begin(wire: &mut Wire) -> Result<(), AppError> {
    let answer = match timeout(LAST_WORD, wire.recv_json::<Answer>()).await {
        Ok(Ok(Some(answer))) => answer,
        Ok(Ok(None)) | Err(_) => return Err(no_trees("it does not answer")),
        Ok(Err(error)) => return Err(error.into()),
    };
    match (&answer.error, answer.status) {
        (Some(error), _) if is_unknown(error) => Err(no_trees(error)),
        (Some(_), _) => Err(answer.or_error().err().unwrap_or_else(|| no_trees(""))),
        (None, Status::Ready) => Ok(()),
        (None, _) => Err(no_trees("it answers something else")),
    }
}

/// Whether a server that knows nothing of trees says so.
pub(super) fn is_unknown(error: &str) -> bool {
    error.contains("is not known") || error.contains("filesize")
}

pub(super) fn no_trees(why: &str) -> AppError {
    AppError::failed(format_args!(
        "the server transfers single files, and no directories: it is an older version, or a \
         script ({why}); name the files one by one"
    ))
}

/// The names of entries that the server has refused.
#[derive(Default)]
struct Refusals(Mutex<HashSet<String>>);

impl Refusals {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Hears what became of the entries. Returns the errors at the end.
async fn hear(
    wire: &mut Hearing,
    refusals: &Refusals,
    all_sent: &AtomicBool,
) -> Result<Vec<Failure>, AppError> {
    let mut failures = Vec::new();
    let mut held = 0;
    loop {
        // While entries are sent, an answer may take as long as the next of them.
        let heard = match timeout(STALL, wire.recv_json::<Answer>()).await {
            Err(_) if !all_sent.load(Ordering::Relaxed) => continue,
            // A server with a limit may take long for what is on its way.
            Err(_) => match timeout(IDLE, wire.recv_json::<Answer>()).await {
                Ok(heard) => heard?,
                Err(_) => return Err(Trouble::Stalled.into()),
            },
            Ok(heard) => heard?,
        };
        let answer = heard.ok_or_else(|| {
            AppError::failed(format_args!("{} closed the connection", wire.peer()))
        })?;
        let (name, done) = (answer.filename.clone(), answer.status == Status::Done);
        match (answer.or_error(), name) {
            (Ok(_), _) if done => return Ok(failures),
            (Ok(_), _) => {}
            (Err(error), Some(name)) => {
                // Twice the name, and the words, are kept until the end.
                held += (size_of::<Failure>() + 2 * name.len() + error.to_string().len()) as u64;
                if held > MAX_LISTING {
                    return Err(AppError::failed("the server refuses more than was sent"));
                }
                refusals.lock().insert(name.clone());
                failures.push(Failure { name, error });
            }
            (Err(error), None) => return Err(error),
        }
    }
}

/// What is sent, and what is known of it.
struct Outgoing<'a> {
    report: Report,
    refusals: &'a Refusals,
    progress: Progress<'a>,
    total: u64,
    done: u64,
    /// Names, kinds and lengths.
    sent: Vec<(String, Kind, u64)>,
}

impl Watcher for Outgoing<'_> {
    fn failed(&mut self, item: &Item) -> bool {
        self.sent.pop_if(|(name, ..)| name == item.name());
        let error = item.error.as_deref().unwrap_or_default();
        self.report.failures.push(Failure::new(item.name(), error));
        false
    }

    fn sent(&mut self, item: &Item, bytes: u64) {
        self.done += bytes;
        (self.progress)(self.done, Some(self.total.max(self.done)));
        match self.sent.last_mut() {
            Some((name, ..)) if name == item.name() => {}
            _ => {
                let (kind, len) = (item.kind.unwrap_or(Kind::File), item.size.unwrap_or(bytes));
                self.sent.push((item.name().to_owned(), kind, len));
            }
        }
    }

    fn is_refused(&self, item: &Item) -> bool {
        self.refusals.lock().contains(item.name())
    }
}

impl Outgoing<'_> {
    /// All was sent, and the server has stored all but these.
    fn concluded(mut self, refused: Vec<Failure>) -> Report {
        let refusals = self.refusals.lock();
        for (name, kind, bytes) in &self.sent {
            if !refusals.contains(name) {
                self.report.stored(*kind, *bytes);
            }
        }
        drop(refusals);
        // What was given up here is refused there, too.
        let own: HashSet<_> = self
            .report
            .failures
            .iter()
            .map(|one| one.name.clone())
            .collect();
        let others = refused.into_iter().filter(|one| !own.contains(&one.name));
        self.report.failures.extend(others);
        self.report
    }

    fn broken(&self, error: &AppError) -> AppError {
        AppError::failed(format_args!(
            "{error}; of the tree {} entries had been sent, and those that the server has are whole",
            self.sent.len()
        ))
    }
}
