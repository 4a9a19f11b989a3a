//! The client: what a user wants, over whichever codec was chosen.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use socketry_codec::CodecName;
use socketry_transport::Endpoint;

use super::attributes::Attributes;
use super::header::{self, Answer};
use super::host::Host;
use super::incoming::Incoming;
use super::listing::{self, Entry, Stat};
use super::part::Storing;
use super::raw_client::Browser;
use super::transfer::{Progress, Transfer, confirmed, last_word};
use super::wire::{Wire, hear, in_time, say};
use super::{MAX_LISTING, dest, name, no_uploads, put};
use crate::{AppError, Service, Shown};

/// Sends, fetches and lists files of a [`Server`](super::Server), or of a script that speaks [its protocol](super).
///
/// One request at a time. After an error, or a request that was cancelled, the next one makes a new connection where the
/// old one is of no more use.
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
    storing: Storing,
}

enum Link {
    Json(Option<Wire>),
    Raw(Browser),
}

impl Client {
    /// Connects to the server at `url`.
    ///
    /// # Errors
    /// If the app does not run over that transport and codec, or connecting fails.
    pub async fn connect(service: &Service, url: &Endpoint) -> Result<Self, AppError> {
        let host = Host {
            service: service.clone(),
            url: url.clone(),
        };
        let wire = host.connect().await?;
        let link = match service.codec.name {
            CodecName::Raw => Link::Raw(Browser::new(wire, service.encoding)),
            _ => Link::Json(Some(wire)),
        };
        Ok(Client {
            host,
            link,
            storing: Storing::default(),
        })
    }

    /// Whether a file that arrives is on disk, and its name too, before this says so: true at first. It is told to the
    /// server too, for files that are sent.
    #[must_use]
    pub fn syncing(mut self, yes: bool) -> Self {
        self.storing.sync = yes;
        self
    }

    /// Sends the file at `path`; it is called there as it is here. `progress` is told the bytes so far, and all of them.
    ///
    /// A server that says `ready` gets the file then. One that says nothing for [`GRACE`](super::GRACE) gets it anyway; if
    /// it takes all and ends the connection without a word, the transfer is not [`confirmed`](Transfer::confirmed).
    /// Not cancel-safe: the server then keeps nothing.
    ///
    /// # Errors
    /// If there is no such regular file, it changes meanwhile, the server refuses it, or its digest differs there. A
    /// [usage](AppError::is_usage) error over `raw`, which has no uploads.
    pub async fn put(
        &mut self,
        path: &Path,
        mut progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Transfer, AppError> {
        let begun = Instant::now();
        let Link::Json(kept) = &mut self.link else {
            return Err(no_uploads());
        };
        let mut wire = self.host.reuse(kept).await?;
        let (transfer, again) =
            put::send(&mut wire, path, self.storing.sync, &mut progress).await?;
        if again {
            *kept = Some(wire);
        } else {
            // The file is there; how the connection ends says nothing about it.
            let _ = wire.close().await;
        }
        Ok(transfer.took(begun))
    }

    /// Fetches the file `name` and stores it at `dest`, in place of what was there, when it is whole. `progress` is told
    /// the bytes so far, and all of them where the server says. Not cancel-safe: nothing is then at `dest`.
    ///
    /// # Errors
    /// If the server refuses, answers with another name or ends too early, if the digest differs, and if `dest` is a
    /// directory or cannot be written. Over `raw` nobody says how long the file is: a server that ends is believed.
    pub async fn get(
        &mut self,
        name: &str,
        dest: &Path,
        mut progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Transfer, AppError> {
        let begun = Instant::now();
        let (host, storing) = (&self.host, self.storing);
        let got = match &mut self.link {
            Link::Json(kept) => fetch(host, kept, name, dest, storing, &mut progress).await?,
            Link::Raw(browser) => {
                let dest = dest::create(dest, storing).await?;
                browser.get(host, name, dest, &mut progress).await?
            }
        };
        Ok(got.took(begun))
    }

    /// The entries of the directory `dir`, sorted by name. `/` is the root. Over `raw`, names only.
    ///
    /// # Errors
    /// If the server refuses, or its answer is above [`MAX_LISTING`].
    pub async fn list(&mut self, dir: &str) -> Result<Vec<Entry>, AppError> {
        let kept = match &mut self.link {
            Link::Json(kept) => kept,
            Link::Raw(browser) => return browser.list(&self.host, dir).await,
        };
        let request = json!({"opt": "list", "path": dir});
        let (mut wire, answer) = ask(&self.host, kept, &request).await?;
        let lines = read_lines(&mut wire, needed("size", answer.size)?).await?;
        *kept = Some(wire);
        listing::from_lines(&lines)
    }

    /// What stands behind `name`. A symbolic link is followed.
    ///
    /// # Errors
    /// If the server refuses. A [usage](AppError::is_usage) error over `raw`, which tells names only.
    pub async fn stat(&mut self, name: &str) -> Result<Stat, AppError> {
        let Link::Json(kept) = &mut self.link else {
            return Err(AppError::usage(
                "raw tells the names of files and no more; use --codec json",
            ));
        };
        let request = json!({"opt": "stat", "filename": name});
        let (wire, answer) = ask(&self.host, kept, &request).await?;
        *kept = Some(wire);
        Ok(Stat {
            kind: needed("kind", answer.kind)?,
            size: needed("filesize", answer.filesize)?,
            mtime: answer.mtime.unwrap_or_default(),
            mode: answer.mode.unwrap_or_default(),
        })
    }
}

/// Sends a request and receives the answer's header. After an error in it the connection is kept.
async fn ask(
    host: &Host,
    kept: &mut Option<Wire>,
    request: &Value,
) -> Result<(Wire, Answer), AppError> {
    let mut wire = host.reuse(kept).await?;
    say(&mut wire, request).await?;
    let answer: Answer = hear(&mut wire).await?;
    match answer.or_error() {
        Ok(answer) => Ok((wire, answer)),
        Err(error) => {
            *kept = Some(wire);
            Err(error)
        }
    }
}

async fn fetch(
    host: &Host,
    kept: &mut Option<Wire>,
    name: &str,
    dest: &Path,
    storing: Storing,
    progress: Progress<'_>,
) -> Result<Transfer, AppError> {
    let mut incoming = dest::create(dest, storing).await?;
    let request = json!({"opt": "download", "filename": name});
    let (mut wire, answer) = ask(host, kept, &request).await?;
    same_name(name, answer.filename.as_deref())?;
    let len = needed("filesize", answer.filesize)?;
    // One that cannot be set is no reason to do without the file.
    let mtime = answer.mtime.and_then(|mtime| header::time(mtime).ok());
    receive_body(&mut wire, &mut incoming, len, progress).await?;
    let arrived = incoming.finish().await?;
    let blake3 = arrived.blake3();
    let confirmed = match last_word(&mut wire).await? {
        Some(word) => confirmed(word, blake3).map_err(|error| arrived.spoilt(error))?,
        None => false,
    };
    let mode = answer.mode;
    arrived.keep(Attributes { mtime, mode }).await?;
    *kept = confirmed.then_some(wire);
    Ok(Transfer::whole(len, blake3, confirmed))
}

async fn receive_body(
    wire: &mut Wire,
    incoming: &mut Incoming,
    len: u64,
    progress: Progress<'_>,
) -> Result<(), AppError> {
    let mut body = wire.body(len)?;
    progress(0, Some(len));
    while let Some(bytes) = in_time(body.chunk()).await? {
        incoming.write(bytes).await?;
        progress(len - body.left(), Some(len));
    }
    Ok(())
}

fn same_name(asked: &str, answered: Option<&str>) -> Result<(), AppError> {
    match answered {
        Some(other) if other != asked && other != name::parent(asked).1 => {
            Err(AppError::failed(format_args!(
                "asked for {}, and the server answered with {:.300}",
                Shown(asked),
                Shown(other).to_string()
            )))
        }
        _ => Ok(()),
    }
}

async fn read_lines(wire: &mut Wire, len: u64) -> Result<Vec<u8>, AppError> {
    if len > MAX_LISTING {
        return Err(AppError::failed(format_args!(
            "the listing has {len} bytes, and at most {MAX_LISTING} are taken"
        )));
    }
    let mut body = wire.body(len)?;
    let mut lines = Vec::new();
    while let Some(bytes) = in_time(body.chunk()).await? {
        lines.extend_from_slice(bytes);
    }
    Ok(lines)
}

fn needed<T>(key: &str, value: Option<T>) -> Result<T, AppError> {
    value.ok_or_else(|| AppError::failed(format_args!("the server's answer lacks the key {key}")))
}
