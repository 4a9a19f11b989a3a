//! Trees at the server: stored entry by entry, sent file by file, listed as a whole.

use std::sync::Arc;

use tokio::time::{Instant, timeout};

use super::choice::{Choice, Links};
use super::item::{Item, TOP, path};
use super::load::{Branch, Loader};
use super::receive::Receiver;
use super::request::Request;
use super::send::{self, Watcher};
use super::store::Store;
use super::walk::{Planned, described, walk};
use crate::AppError;
use crate::file::download::send_lines;
use crate::file::flow::{Flow, heard, refuse, tell};
use crate::file::grant::Grant;
use crate::file::header::{Answer, Follows, Status};
use crate::file::listing::Kind;
use crate::file::part::Storing;
use crate::file::pieces::paused;
use crate::file::place::problem;
use crate::file::root::Root;
use crate::file::rules::Right;
use crate::file::wire::{Wire, within_stall};
use crate::file::{MAX_ENTRIES, PAUSE, QUIET, links};

pub(in crate::file) async fn answer(
    wire: &mut Wire,
    grant: &Grant,
    request: Request,
) -> Result<Flow, AppError> {
    match request {
        Request::Store {
            path,
            storing,
            preserve,
        } => store(wire, grant, path, storing, preserve).await,
        Request::Fetch { path, names, links } => fetch(wire, grant, path, names, links).await,
        Request::Walk { path, links } => list(wire, grant, path, links).await,
    }
}

async fn list(
    wire: &mut Wire,
    grant: &Grant,
    path: String,
    links: Links,
) -> Result<Flow, AppError> {
    let listed = match grant.root_for(&[Right::List]) {
        Ok(root) => {
            root.gather(move |root| to_lines(&found(root, &path, links)?))
                .await
        }
        Err(error) => Err(error),
    };
    match listed {
        Ok(listed) => send_lines(wire, grant, &listed.what).await,
        Err(error) => refuse(wire, &error, Follows::NEXT_REQUEST).await,
    }
}

fn found(root: &Root, path: &str, links: Links) -> Result<Vec<Planned>, AppError> {
    let below = root.inside(path)?;
    let (dir, aliases) = root.handle();
    let found = dir.symlink_metadata(&below);
    let found = found.map_err(|error| problem(path, error))?;
    if found.is_dir() {
        let top = dir.open_dir(&below).map_err(|error| problem(path, error))?;
        let aliases: Vec<_> = aliases.iter().map(|root| root.join(&below)).collect();
        return walk(&Arc::new(top), &aliases, &Choice::default().links(links));
    }
    let item = described(&found, TOP.to_owned());
    match item.is(Kind::File) {
        true => Ok(vec![Planned {
            local: std::path::PathBuf::new(),
            item,
        }]),
        false => Err(problem(path, "it is neither a file nor a directory")),
    }
}

fn to_lines(found: &[Planned]) -> Result<Vec<u8>, AppError> {
    let mut lines = Vec::new();
    for planned in found {
        serde_json::to_writer(&mut lines, &planned.item).map_err(AppError::failed)?;
        lines.push(b'\n');
        if lines.len() as u64 > crate::file::MAX_LISTING {
            return Err(AppError::failed(crate::file::listing::too_long()));
        }
    }
    Ok(lines)
}

async fn fetch(
    wire: &mut Wire,
    grant: &Grant,
    path: String,
    names: Vec<String>,
    links: Links,
) -> Result<Flow, AppError> {
    let planned = match grant.root_for(&[Right::Read]) {
        Ok(root) => {
            root.run(move |root| branch(root, &path, names, links))
                .await
        }
        Err(error) => Err(error),
    };
    let branch = match planned {
        Ok(branch) => branch,
        Err(error) => return refuse(wire, &error, Follows::NEXT_REQUEST).await,
    };
    let mut told = Told::default();
    let sent = send::send(
        wire,
        Loader::new([branch]),
        &grant.pace().leaving,
        &mut told,
    )
    .await;
    tracing::info!(files = told.files, bytes = told.bytes, "sent");
    sent.map(|()| Flow::Next)
}

fn branch(root: &Root, base: &str, names: Vec<String>, links: Links) -> Result<Branch, AppError> {
    let below = root.inside(base)?;
    let (dir, aliases) = root.handle();
    let top = dir.open_dir(&below).map_err(|error| problem(base, error))?;
    let aliases: Vec<_> = aliases.iter().map(|root| root.join(&below)).collect();
    let planned = names.into_iter().map(|name| {
        let local = path(&name).and_then(|path| match links {
            Links::Follow => links::resolve(&top, &aliases, &path).map_err(AppError::failed),
            Links::Skip | Links::Copy => Ok(path),
        });
        match local {
            Ok(local) => Planned {
                local,
                item: Item::named(name, Kind::File),
            },
            Err(error) => Planned {
                local: std::path::PathBuf::new(),
                item: Item::refused(name, &error),
            },
        }
    });
    Ok(Branch {
        planned: planned.collect(),
        base: Arc::new(top),
    })
}

/// The client is told of each file, also of one that cannot be sent.
#[derive(Default)]
struct Told {
    files: u64,
    bytes: u64,
}

impl Watcher for Told {
    fn failed(&mut self, item: &Item) -> bool {
        let error = item.error.as_deref().unwrap_or_default();
        tracing::info!("refused: {}", problem(item.name(), error));
        true
    }

    fn sent(&mut self, _: &Item, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }

    fn is_refused(&self, _: &Item) -> bool {
        false
    }
}

async fn store(
    wire: &mut Wire,
    grant: &Grant,
    path: String,
    storing: Storing,
    preserve: bool,
) -> Result<Flow, AppError> {
    let opened = match grant.root_for(&[Right::Write]) {
        Ok(root) => {
            root.run(move |root| place(root, &path, storing, preserve))
                .await
        }
        Err(error) => Err(error),
    };
    let store = match opened {
        Ok(store) => store,
        Err(error) => return refuse(wire, &error, Follows::NEXT_REQUEST).await,
    };
    tell(wire, &Answer::ready(true)).await?;
    let mut receiver = Receiver::new(store, Some(grant));
    let mut tally = Tally::default();
    let mut latest = Instant::now();
    loop {
        let item = match timeout(QUIET, wire.recv_json::<Item>()).await {
            Ok(item) => item?,
            Err(_) => {
                // The client sends nothing now, and may wait for these.
                receiver.hand_over().await?;
                receiver.settle().await?;
                tally.tell(wire, &mut receiver).await?;
                within_stall(wire.recv_json()).await?
            }
        };
        let item = item.ok_or_else(|| AppError::failed("the end of the tree is missing"))?;
        match item {
            Item {
                end: Some(true), ..
            } => break,
            Item { name: None, .. } if latest.elapsed() < PAUSE => continue,
            Item { name: None, .. } => return Err(paused()),
            item if tally.entries < MAX_ENTRIES => receiver.take(wire, item).await?,
            _ => {
                return Err(AppError::failed(format_args!(
                    "more than {MAX_ENTRIES} entries"
                )));
            }
        }
        tally.tell(wire, &mut receiver).await?;
        receiver.rest(wire).await?;
        latest = Instant::now();
    }
    let failed = receiver.finish().await?;
    tally.tell(wire, &mut receiver).await?;
    for (name, error) in failed {
        tally.failed(wire, name, &error).await?;
    }
    tracing::info!(entries = tally.entries, failed = tally.failed, "stored");
    tell(wire, &tally.answer(Status::Done)).await?;
    Ok(Flow::Next)
}

fn place(root: &Root, path: &str, storing: Storing, preserve: bool) -> Result<Store, AppError> {
    let below = root.inside(path)?;
    let dir = root.handle().0.open_dir(&below);
    let dir = dir.map_err(|error| problem(path, error))?;
    let storing = Storing {
        sync: storing.sync && root.syncs(),
        ..storing
    };
    Ok(Store::new(Arc::new(dir), storing, preserve))
}

/// How many entries have an outcome.
#[derive(Default)]
struct Tally {
    entries: usize,
    failed: usize,
}

impl Tally {
    /// Tells the client what became of its entries since the last time. The client reads while it
    /// sends.
    async fn tell(&mut self, wire: &mut Wire, receiver: &mut Receiver<'_>) -> Result<(), AppError> {
        let before = self.entries;
        let outcomes: Vec<_> = receiver.outcomes().collect();
        for outcome in outcomes {
            self.entries += 1;
            if let Err(error) = outcome.stored {
                self.failed(wire, outcome.name, &error).await?;
            }
        }
        match self.entries > before {
            true => tell(wire, &self.answer(Status::Ok)).await,
            false => Ok(()),
        }
    }

    async fn failed(
        &mut self,
        wire: &mut Wire,
        name: String,
        error: &AppError,
    ) -> Result<(), AppError> {
        tracing::info!("refused: {error}");
        self.failed += 1;
        let answer = Answer {
            filename: Some(name),
            ..Answer::error(error)
        };
        heard(within_stall(wire.feed_json(&answer)).await)
    }

    fn answer(&self, status: Status) -> Answer {
        Answer {
            status,
            entries: Some(self.entries),
            ..Answer::default()
        }
    }
}
