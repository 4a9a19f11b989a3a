//! The client: transfers and listings over any of the codecs.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use serde_json::json;
use socketry_transport::Endpoint;

use super::host::Host;
use super::listing::{self, Entry, Stat};
use super::raw_client::Browser;
use super::transfer::{Allowed, Transfer};
use super::tree::get::get as get_tree;
use super::tree::put::put as put_tree;
use super::tree::remote::find;
use super::tree::{Choice, LocalTree, RemoteTree, Report};
use super::wire::{Wire, within_stall};
use super::{MAX_LISTING, fetch, no_trees, no_uploads, put};
use crate::{AppError, Service};

/// Sends, fetches and lists files of a [`Server`](super::Server), or of a script that speaks [its
/// protocol](super).
///
/// The client makes one request at a time. After an error or a cancelled request, the next request
/// makes a new connection if the old one cannot be used any more. It does so, too, if the server
/// has ended the old one meanwhile. By default the client replaces no existing file, and takes a
/// transfer without a confirmation of the server for an error.
///
/// ```no_run
/// # async fn fetch() -> Result<(), socketry_apps::AppError> {
/// use socketry_apps::{Service, file::Client};
///
/// let mut client = Client::connect(&Service::default(), &"tcp://127.0.0.1:9000".parse()?).await?;
/// for entry in client.list("/").await? {
///     println!("{entry}");
/// }
/// let got = client.get("a.txt", "a.txt".as_ref(), |done, _| println!("{done} bytes")).await?;
/// println!("blake3 {}", got.blake3);
/// # Ok(()) }
/// ```
pub struct Client {
    host: Host,
    link: Link,
    allowed: Allowed,
}

enum Link {
    Json(Option<Wire>),
    Raw(Browser),
}

impl Client {
    /// Connects to the server at `url`.
    ///
    /// # Errors
    /// If the app does not run over this transport and codec, or connecting fails.
    pub async fn connect(service: &Service, url: &Endpoint) -> Result<Self, AppError> {
        let host = Host {
            service: service.clone(),
            url: url.clone(),
            again: AtomicBool::new(false),
        };
        let wire = host.connect().await?;
        let link = match service.own()?.is_json() {
            true => Link::Json(Some(wire)),
            false => Link::Raw(Browser::new(wire, service.encoding)),
        };
        let allowed = Allowed::default();
        Ok(Client {
            host,
            link,
            allowed,
        })
    }

    /// Whether an arriving file is on disk, with its name, before this reports that it is stored.
    /// The default is true. Servers are asked to do the same for files that are sent.
    #[must_use]
    pub fn syncing(mut self, yes: bool) -> Self {
        self.allowed.storing.sync = yes;
        self
    }

    /// Whether [`put`](Client::put) and [`get`](Client::get) may replace an existing file. The
    /// default is false.
    #[must_use]
    pub fn replacing(mut self, yes: bool) -> Self {
        self.replace(yes);
        self
    }

    /// Whether a connection had ended that was kept for this client, and so it connected again,
    /// since this was asked last.
    pub(super) fn has_connected_again(&mut self) -> bool {
        std::mem::take(self.host.again.get_mut())
    }

    /// The same, for later requests.
    pub(super) fn replace(&mut self, yes: bool) {
        self.allowed.storing.replace = yes;
    }

    /// Whether to trust a peer that is a simple script, which never confirms that a file is whole.
    /// The default is false.
    #[must_use]
    pub fn unconfirmed(mut self, yes: bool) -> Self {
        self.allowed.unconfirmed = yes;
        self
    }

    /// Sends the file at `path`, to be stored under its own name in the root. Otherwise as
    /// [`put_as`](Client::put_as).
    ///
    /// # Errors
    /// As [`put_as`](Client::put_as).
    pub async fn put(
        &mut self,
        path: &Path,
        progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Transfer, AppError> {
        let name = put::name(path)?;
        self.put_as(path, &name, progress).await
    }

    /// Sends the file at `path`, to be stored as `name`: a path below the root, whose directory
    /// exists. `progress` is called with the number of bytes so far and their total.
    ///
    /// A server that answers `ready` then gets the file. A server that does not answer within
    /// [`GRACE`](super::GRACE) gets the file anyway, if `name` is one component without a `\\`;
    /// such a server replaces an existing file. If the server takes all bytes and confirms nothing,
    /// that is an error, unless it is [trusted](Client::unconfirmed). Not cancel-safe: the server
    /// then stores nothing.
    ///
    /// # Errors
    /// If there is no such file, it changes meanwhile, or the server refuses it, does not confirm
    /// it, or reports another digest. A server refuses to replace a file unless the client is
    /// [`replacing`](Client::replacing). A [usage](AppError::is_usage) error over `raw`, which has
    /// no uploads.
    pub async fn put_as(
        &mut self,
        path: &Path,
        name: &str,
        progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Transfer, AppError> {
        if !self.takes_files() {
            return Err(no_uploads());
        }
        let file = put::open(path).await?;
        self.put_from(file, name, progress).await
    }

    /// Sends the rest of `file` from its current position, as [`put_as`](Client::put_as). It may be
    /// a pipe or standard input, whose length is not known in advance. If that gives more than 256
    /// KiB, it goes in pieces, which a server of this app takes.
    ///
    /// # Errors
    /// As [`put_as`](Client::put_as).
    pub async fn put_from(
        &mut self,
        file: File,
        name: &str,
        mut progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Transfer, AppError> {
        let begun = Instant::now();
        let Link::Json(kept) = &mut self.link else {
            return Err(no_uploads());
        };
        let offer = put::Offer {
            file,
            name,
            allowed: self.allowed,
        };
        let sent = put::send(&self.host, kept, offer, &mut progress).await?;
        Ok(sent.took(begun))
    }

    pub(super) fn takes_files(&self) -> bool {
        matches!(self.link, Link::Json(_))
    }

    /// Fetches the file `name` and stores it at `dest` once it is whole. `progress` is called with
    /// the number of bytes so far, and with their total if the server says it. Not cancel-safe:
    /// nothing is at `dest` then.
    ///
    /// A symbolic link is followed. A FIFO or a character device gets the bytes as they come, and
    /// an error then says that they are not to be trusted.
    ///
    /// # Errors
    /// If the server refuses, answers with another name, ends too early or does not confirm the
    /// file (unless it is [trusted](Client::unconfirmed)). If the digest differs. If `dest` exists
    /// (unless [`replacing`](Client::replacing)), is a directory, a socket or a block device, or
    /// cannot be written. Over `raw` the length of a file is not known, so the end of the
    /// connection counts as the end of the file.
    pub async fn get(
        &mut self,
        name: &str,
        dest: &Path,
        mut progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Transfer, AppError> {
        let begun = Instant::now();
        let wanted = fetch::Wanted {
            name,
            dest,
            allowed: self.allowed,
        };
        let got = match &mut self.link {
            Link::Json(kept) => fetch::fetch(&self.host, kept, wanted, &mut progress).await?,
            Link::Raw(browser) => browser.get(&self.host, wanted, &mut progress).await?,
        };
        Ok(got.took(begun))
    }

    /// Sends a tree, to be stored below `into`, a directory of the server. All entries go over one
    /// connection, and none waits for the answer to another. `progress` is called with the number
    /// of bytes so far and their total. Not cancel-safe: the server then has some of the entries,
    /// each of them whole.
    ///
    /// An entry that cannot be sent or stored stops no other, and is in
    /// [`failures`](Report::failures). Existing directories are filled; an existing file is
    /// replaced only if the client is [`replacing`](Client::replacing). All that is reported as
    /// stored is on disk, with its name, as with [`put`](Client::put).
    ///
    /// # Errors
    /// If the server refuses the directory, takes no trees, or the connection breaks. A
    /// [usage](AppError::is_usage) error over `raw`.
    pub async fn put_tree(
        &mut self,
        tree: LocalTree,
        into: &str,
        mut progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Report, AppError> {
        let begun = Instant::now();
        let Link::Json(kept) = &mut self.link else {
            return Err(no_uploads());
        };
        let tree = (tree, into);
        let put = put_tree(&self.host, kept, tree, self.allowed, &mut progress).await?;
        Ok(put.took(begun))
    }

    /// Finds out what there is at the path `name` of the server: a file, or a directory with all
    /// that `choice` takes of it.
    ///
    /// # Errors
    /// If the server refuses or lists no trees. A [usage](AppError::is_usage) error over `raw`.
    pub async fn tree(&mut self, name: &str, choice: &Choice) -> Result<RemoteTree, AppError> {
        let Link::Json(kept) = &mut self.link else {
            return Err(no_trees());
        };
        find(&self.host, kept, name, choice).await
    }

    /// Fetches a tree that the server has listed, as `dest`: a directory, which is made if it is
    /// missing, or a file. Otherwise as [`put_tree`](Client::put_tree).
    ///
    /// Only what was listed is stored, and only below `dest`, whatever the server sends.
    ///
    /// # Errors
    /// If `dest` cannot be made, the server answers with anything else, or the connection breaks.
    pub async fn get_tree(
        &mut self,
        tree: RemoteTree,
        dest: &Path,
        mut progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Report, AppError> {
        let begun = Instant::now();
        let Link::Json(kept) = &mut self.link else {
            return Err(no_trees());
        };
        let tree = (tree, dest);
        let got = get_tree(&self.host, kept, tree, self.allowed, &mut progress).await?;
        Ok(got.took(begun))
    }

    /// The entries of the directory `dir`, sorted by name. `/` is the root. Over `raw`, names only.
    ///
    /// # Errors
    /// If the server refuses, or its answer is longer than [`MAX_LISTING`].
    pub async fn list(&mut self, dir: &str) -> Result<Vec<Entry>, AppError> {
        let kept = match &mut self.link {
            Link::Json(kept) => kept,
            Link::Raw(browser) => return browser.list(&self.host, dir).await,
        };
        let request = json!({"opt": "list", "path": dir});
        let (mut wire, answer) = self.host.ask(kept, &request).await?;
        let lines = read_lines(&mut wire, needed("size", answer.size)?).await?;
        *kept = Some(wire);
        listing::from_lines(&lines)
    }

    /// As [`list`](Client::list), for the last request of this client. Over `raw` a listing has no
    /// end mark, and [`list`](Client::list) waits for silence. This method half-closes, so the
    /// server knows that no request follows, and ends the connection.
    ///
    /// # Errors
    /// As [`list`](Client::list).
    pub async fn list_last(mut self, dir: &str) -> Result<Vec<Entry>, AppError> {
        match self.link {
            Link::Raw(browser) => browser.list_last(&self.host, dir).await,
            Link::Json(_) => self.list(dir).await,
        }
    }

    /// The kind and attributes of the file `name`. A symbolic link is followed.
    ///
    /// # Errors
    /// If the server refuses. A [usage](AppError::is_usage) error over `raw`, which lists only
    /// names.
    pub async fn stat(&mut self, name: &str) -> Result<Stat, AppError> {
        let Link::Json(kept) = &mut self.link else {
            return Err(AppError::usage(
                "raw tells the names of files and no more; use --codec json",
            ));
        };
        let request = json!({"opt": "stat", "filename": name});
        let (wire, answer) = self.host.ask(kept, &request).await?;
        *kept = Some(wire);
        Ok(Stat {
            kind: needed("kind", answer.kind)?,
            size: needed("filesize", answer.filesize)?,
            mtime: answer.mtime.unwrap_or(SystemTime::UNIX_EPOCH),
            mode: answer.mode.unwrap_or_default(),
        })
    }
}

pub(super) async fn read_lines(wire: &mut Wire, len: u64) -> Result<Vec<u8>, AppError> {
    if len > MAX_LISTING {
        return Err(AppError::failed(format_args!(
            "the listing has {len} bytes, and at most {MAX_LISTING} are taken"
        )));
    }
    let mut body = wire.body(len)?;
    let mut lines = Vec::new();
    while let Some(bytes) = within_stall(body.chunk()).await? {
        lines.extend_from_slice(bytes);
    }
    Ok(lines)
}

pub(super) fn needed<T>(key: &str, value: Option<T>) -> Result<T, AppError> {
    value.ok_or_else(|| AppError::failed(format_args!("the server's answer lacks the key {key}")))
}
