//! Trees that a client fetches: it asks for files by their names, some requests ahead of the
//! answers, and stores what it asked for and nothing else.

use std::collections::VecDeque;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::item::Item;
use super::receive::Receiver;
use super::remote::{RemoteTree, parent_of};
use super::request::Request;
use super::session::{Hearing, Speaking, both, joined};
use super::store::Store;
use super::survey::{Failure, Report};
use super::walk::Planned;
use super::{ASKED_AHEAD, BATCH_FILES, REQUEST_BYTES};
use crate::file::PAUSE;
use crate::file::attributes::RIGHTS;
use crate::file::escape::name_to_text;
use crate::file::host::Host;
use crate::file::listing::Kind;
use crate::file::pieces::paused;
use crate::file::place::problem;
use crate::file::transfer::{Allowed, Progress};
use crate::file::wire::{Wire, say, within_stall};
use crate::{AppError, Shown};

/// Fetches a tree, which arrives as `dest`.
pub(in crate::file) async fn get(
    host: &Host,
    kept: &mut Option<Wire>,
    (mut tree, dest): (RemoteTree, &Path),
    allowed: Allowed,
    progress: Progress<'_>,
) -> Result<Report, AppError> {
    let base = place(&tree, dest).await?;
    rename_single(&mut tree, dest);
    let report = Report {
        failures: tree.refused(),
        ..Report::default()
    };
    let total = tree.survey().bytes;
    let (files, others): (Vec<_>, Vec<_>) =
        (tree.planned.into_iter()).partition(|planned| planned.item.is(Kind::File));
    let (dirs, links): (Vec<_>, Vec<_>) =
        (others.into_iter()).partition(|planned| planned.item.is(Kind::Dir));
    let mut incoming = Incoming {
        receiver: Receiver::new(Store::new(base, allowed.storing, tree.preserve), None),
        report,
        progress,
        total,
    };
    incoming.add(dirs).await?;
    if !files.is_empty() {
        let wire = host.reuse(kept).await?;
        let asked = Asked::new(&tree.base, tree.links, tree.single.as_deref(), files);
        let (mut hearing, mut speaking) = wire.split();
        let ahead = Semaphore::new(ASKED_AHEAD);
        let sending = ask(&mut speaking, &asked.requests, &ahead);
        let hearing_all = incoming.hear(&mut hearing, asked.files, &ahead);
        both(sending, hearing_all).await?;
        *kept = joined(hearing, speaking);
    }
    // The links come last, so that nothing could be stored through them even if they were followed.
    incoming.add(links).await?;
    incoming.finish().await
}

/// A file is stored under the name that the user chose.
fn rename_single(tree: &mut RemoteTree, dest: &Path) {
    if let (Some(_), [planned], Some(name)) =
        (&tree.single, tree.planned.as_mut_slice(), dest.file_name())
    {
        planned.local = name.into();
    }
}

/// The directory that the names are below, on this side.
async fn place(tree: &RemoteTree, dest: &Path) -> Result<Arc<Dir>, AppError> {
    let (dest, single) = (dest.to_owned(), tree.single.is_some());
    let shown = name_to_text(dest.as_os_str());
    let top = tree.planned.first().and_then(|top| top.item.mode);
    let opened = tokio::task::spawn_blocking(move || {
        let place = if single { parent_of(&dest) } else { &dest };
        if !single {
            // With no more rights than it has at the server.
            let mode = top.unwrap_or(RIGHTS) & RIGHTS | 0o700;
            match DirBuilder::new().mode(mode).create(place) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Dir::open_ambient_dir(place, ambient_authority())
    });
    let opened = opened.await.map_err(AppError::failed)?;
    Ok(Arc::new(opened.map_err(|error| problem(&shown, error))?))
}

/// The files that are asked for, in their order, and the requests for them.
struct Asked {
    requests: Vec<Request>,
    files: VecDeque<Vec<Planned>>,
}

impl Asked {
    fn new(base: &str, links: super::Links, single: Option<&str>, files: Vec<Planned>) -> Self {
        let mut asked = Asked {
            requests: Vec::new(),
            files: VecDeque::new(),
        };
        let (mut names, mut some, mut len) = (Vec::new(), Vec::new(), 0);
        for planned in files {
            let name = single.unwrap_or(planned.item.name()).to_owned();
            // In JSON a character needs six bytes at most.
            len += name.len() * 6;
            names.push(name);
            some.push(planned);
            if len >= REQUEST_BYTES || some.len() == BATCH_FILES {
                asked.add(
                    base,
                    links,
                    std::mem::take(&mut names),
                    std::mem::take(&mut some),
                );
                len = 0;
            }
        }
        if !some.is_empty() {
            asked.add(base, links, names, some);
        }
        asked
    }

    fn add(&mut self, base: &str, links: super::Links, names: Vec<String>, files: Vec<Planned>) {
        self.requests.push(Request::Fetch {
            path: base.to_owned(),
            names,
            links,
        });
        self.files.push_back(files);
    }
}

async fn ask(wire: &mut Speaking, requests: &[Request], ahead: &Semaphore) -> Result<(), AppError> {
    for request in requests {
        let permit = ahead.acquire().await;
        permit.map_err(AppError::failed)?.forget();
        say(wire, &request.written()).await?;
    }
    Ok(())
}

struct Incoming<'a> {
    receiver: Receiver<'a>,
    report: Report,
    progress: Progress<'a>,
    total: u64,
}

impl Incoming<'_> {
    /// Stores entries that have no bytes.
    async fn add(&mut self, planned: Vec<Planned>) -> Result<(), AppError> {
        for Planned { local, item } in planned {
            self.receiver.add(item, local).await?;
        }
        self.receiver.hand_over().await?;
        self.receiver.settle().await?;
        self.note();
        Ok(())
    }

    /// Receives the files in the order in which they were asked for.
    async fn hear(
        &mut self,
        wire: &mut Hearing,
        asked: VecDeque<Vec<Planned>>,
        ahead: &Semaphore,
    ) -> Result<(), AppError> {
        for files in asked {
            for planned in files {
                self.hear_one(wire, planned).await?;
            }
            ahead.add_permits(1);
        }
        Ok(())
    }

    async fn hear_one(&mut self, wire: &mut Hearing, planned: Planned) -> Result<(), AppError> {
        let begun = Instant::now();
        let item = loop {
            let heard = within_stall(wire.recv_json::<Item>()).await?;
            let item = heard.ok_or_else(|| {
                AppError::failed(format_args!("{} closed the connection", wire.peer()))
            })?;
            // A sender that is alive says so.
            if item.name.is_some() || item.error.is_some() {
                break item;
            }
            if begun.elapsed() >= PAUSE {
                return Err(paused());
            }
        };
        let name = planned.item.name();
        if let Some(error) = &item.error {
            let said = AppError::said(error);
            if item.name.is_none() {
                return Err(said);
            }
            let failure = Failure::new(name, said);
            self.report.failures.push(failure);
            return Ok(());
        }
        if item.name() != name || !item.is(Kind::File) {
            return Err(AppError::failed(format_args!(
                "asked for the file {:.300}, and the server answered with {:.300}",
                Shown(name).to_string(),
                Shown(item.name()).to_string()
            )));
        }
        // Where it is stored was chosen here.
        self.receiver.take_as(wire, item, planned.local).await?;
        self.note();
        self.receiver.rest(wire).await
    }

    fn note(&mut self) {
        for outcome in self.receiver.outcomes() {
            match outcome.stored {
                Ok(bytes) => self.report.stored(outcome.kind, bytes),
                Err(error) => self.report.failures.push(Failure {
                    name: outcome.name,
                    error,
                }),
            }
        }
        let done = self.report.bytes;
        (self.progress)(done, Some(self.total.max(done)));
    }

    async fn finish(mut self) -> Result<Report, AppError> {
        let failed = self.receiver.finish().await?;
        self.note();
        let failures = failed
            .into_iter()
            .map(|(name, error)| Failure { name, error });
        self.report.failures.extend(failures);
        Ok(self.report)
    }
}
