//! Browsing over `raw`: a server of this app, or a simple script.

use std::time::Duration;

use socketry_codec::FrameFault;
use socketry_transport::{Encoding, TextPolicy};
use tokio::time::timeout;

use super::attributes::Attributes;
use super::fetch::Wanted;
use super::host::Host;
use super::incoming::Incoming;
use super::listing::Entry;
use super::raw_server::{BETWEEN, EMPTY};
use super::transfer::{Progress, Transfer, broken_off};
use super::wire::{Trouble, Wire, is_quiet, within_stall};
use super::{MAX_LISTING, STALL, dest, name};
use crate::{AppError, Shown, wrong_codec};

/// A listing has no end mark. It is complete when nothing more comes for this long.
const QUIET: Duration = Duration::from_millis(200);
/// A file below this many bytes that the end of the connection does not follow may be words
/// instead.
const WORDS: u64 = 4096;
/// How long to wait for the end after bytes that may be words.
const WORDS_TIME: Duration = Duration::from_secs(3);

pub(super) struct Browser {
    wire: Option<Wire>,
    encoding: Encoding,
    /// The directory of the connection; `None` before its first text.
    place: Option<String>,
    /// Whether the connection ended that was kept for the next text.
    lost: bool,
}

impl Browser {
    pub(super) fn new(wire: Wire, encoding: Encoding) -> Self {
        Browser {
            wire: Some(wire),
            encoding,
            place: None,
            lost: false,
        }
    }

    pub(super) async fn list(&mut self, host: &Host, dir: &str) -> Result<Vec<Entry>, AppError> {
        let listing = self.go(host, name::join("/", dir)).await?;
        Ok(entries(&listing))
    }

    /// As [`list`](Browser::list), if no request follows. The half-close tells the server so, and
    /// it ends the connection.
    pub(super) async fn list_last(
        mut self,
        host: &Host,
        dir: &str,
    ) -> Result<Vec<Entry>, AppError> {
        let listing = self.look(host, &name::join("/", dir)).await?;
        Ok(entries(&self.read(&listing)?))
    }

    /// Fetches a file, after a check that it is in the listing: for a missing file a server sends
    /// words.
    pub(super) async fn get(
        &mut self,
        host: &Host,
        wanted: Wanted<'_>,
        progress: Progress<'_>,
    ) -> Result<Transfer, AppError> {
        let mut dest = dest::create(wanted.dest, wanted.allowed.storing).await?;
        let path = name::join("/", wanted.name);
        let (dir, wanted) = name::parent(&path);
        let listing = self.look(host, dir).await?;
        if !holds(&self.read(&listing)?, wanted) {
            return Err(AppError::failed(format_args!(
                "{}: not found",
                Shown(&path)
            )));
        }
        // The connection ends with the file.
        let mut wire = self.enter(host, dir, &listing).await?;
        self.say(&mut wire, &format!("get {wanted}")).await?;
        let len = receive(&mut wire, self.encoding, &mut dest, progress).await?;
        let arrived = dest.finish().await?;
        let blake3 = arrived.blake3();
        arrived.keep(Attributes::default()).await?;
        Ok(Transfer::whole(len, blake3, false))
    }

    /// Goes to the directory `to`, and returns its listing.
    async fn go(&mut self, host: &Host, to: String) -> Result<String, AppError> {
        let (wire, answer) = match self.step(&to).await? {
            Some(stepped) => stepped,
            None => {
                let mut wire = match std::mem::take(&mut self.lost) {
                    true => host.connect_again().await?,
                    false => host.connect().await?,
                };
                self.say(&mut wire, &to).await?;
                let answer = self.hear(&mut wire, None).await?;
                (wire, answer.ok_or_else(closed)?)
            }
        };
        let listing = self.read(&answer)?;
        self.wire = Some(wire);
        self.place = Some(to);
        Ok(listing)
    }

    /// Goes to `to` over the kept connection, if one text does that. `None` if not, or if the
    /// connection has ended.
    async fn step(&mut self, to: &str) -> Result<Option<(Wire, Vec<u8>)>, AppError> {
        let (wire, from) = (self.wire.take(), self.place.take());
        let text = match &from {
            None => Some(to.to_owned()),
            Some(from) => step(from, to),
        };
        let (Some(mut wire), Some(text)) = (wire, text) else {
            return Ok(None);
        };
        if !is_quiet(&mut wire).await || self.say(&mut wire, &text).await.is_err() {
            self.lost = true;
            return Ok(None);
        }
        let answer = self.hear(&mut wire, None).await?;
        self.lost = answer.is_none();
        Ok(answer.map(|answer| (wire, answer)))
    }

    async fn say(&self, wire: &mut Wire, text: &str) -> Result<(), AppError> {
        let bytes = self.encoding.encode(text, TextPolicy::Strict);
        let bytes = bytes.map_err(AppError::failed)?;
        Ok(within_stall(wire.send(&bytes)).await?)
    }

    /// The listing of `dir`, to its end. After the half-close, a server ends the connection behind
    /// the listing. A server that does not is quiet at least.
    async fn look(&mut self, host: &Host, dir: &str) -> Result<Vec<u8>, AppError> {
        let unused = self.wire.take().filter(|_| self.place.take().is_none());
        let mut wire = match unused {
            Some(wire) => wire,
            None => host.connect().await?,
        };
        self.say(&mut wire, dir).await?;
        within_stall(wire.finish()).await?;
        self.hear(&mut wire, None).await?.ok_or_else(closed)
    }

    /// A connection that is in `dir`, whose `listing` is known. Once that has arrived again,
    /// nothing more comes.
    async fn enter(&self, host: &Host, dir: &str, listing: &[u8]) -> Result<Wire, AppError> {
        let mut wire = host.connect().await?;
        self.say(&mut wire, dir).await?;
        let answer = self.hear(&mut wire, Some(listing)).await?;
        self.read(&answer.ok_or_else(closed)?)?;
        Ok(wire)
    }

    /// The answer: all bytes until they are the `expected` ones, or the server ends the connection,
    /// or is quiet. `None` if the connection ended before that.
    async fn hear(
        &self,
        wire: &mut Wire,
        expected: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, AppError> {
        let mut heard = Vec::new();
        match within_stall(wire.recv()).await {
            Ok(Some(first)) => match wrong_codec::of_bytes(first) {
                Some(told) => return Err(told),
                None => heard.extend_from_slice(first),
            },
            Ok(None) => return Ok(None),
            Err(Trouble::Failed(error)) if matches!(error.fault(), FrameFault::Io(_)) => {
                return Ok(None);
            }
            Err(trouble) => return Err(trouble.into()),
        }
        loop {
            if expected == Some(&heard[..]) {
                break;
            }
            let Ok(Ok(Some(more))) = timeout(QUIET, wire.recv()).await else {
                break;
            };
            heard.extend_from_slice(more);
            if heard.len() as u64 > MAX_LISTING {
                return Err(AppError::failed("the listing does not end"));
            }
        }
        Ok(Some(heard))
    }

    /// The names in an answer.
    fn read(&self, answer: &[u8]) -> Result<String, AppError> {
        let said = text(self.encoding, answer)?;
        is_listing(&said)?;
        Ok(said)
    }
}

fn entries(listing: &str) -> Vec<Entry> {
    match listing {
        "" | EMPTY => Vec::new(),
        names => names.split(BETWEEN).map(Entry::named).collect(),
    }
}

/// Words instead of names contain a `/`.
fn is_listing(answer: &str) -> Result<(), AppError> {
    match answer.contains('/') {
        false => Ok(()),
        true => Err(AppError::said(answer.trim_end())),
    }
}

fn closed() -> AppError {
    AppError::failed("the server closed the connection")
}

/// The text that goes from one directory to another, if one text does.
fn step(from: &str, to: &str) -> Option<String> {
    match (name::parent(from), name::parent(to)) {
        _ if from == to => None,
        (_, (above, last)) if above == from => Some(format!("cd {last}")),
        ((above, _), _) if above == to => Some("..".to_owned()),
        _ => None,
    }
}

/// Whether a name is in a listing. The name itself may contain the separator.
fn holds(listing: &str, wanted: &str) -> bool {
    let within = format!("{BETWEEN}{listing}{BETWEEN}");
    !wanted.is_empty() && within.contains(&format!("{BETWEEN}{wanted}{BETWEEN}"))
}

/// Receives until the end of the connection, which is the end of the file. If that does not come,
/// the bytes were words.
async fn receive(
    wire: &mut Wire,
    encoding: Encoding,
    dest: &mut Incoming,
    progress: Progress<'_>,
) -> Result<u64, AppError> {
    let mut len = 0;
    let mut words = Vec::new();
    loop {
        let may_be_words = len > 0 && len <= WORDS;
        let limit = if may_be_words { WORDS_TIME } else { STALL };
        let Ok(received) = timeout(limit, wire.recv()).await else {
            return Err(no_end(encoding, may_be_words, &words));
        };
        let received = received.map_err(|error| broken_off(error.into()));
        let Some(bytes) = received? else {
            return Ok(len);
        };
        len += bytes.len() as u64;
        if len <= WORDS {
            words.extend_from_slice(bytes);
        }
        dest.write(bytes).await?;
        progress(len, None);
    }
}

fn no_end(encoding: Encoding, may_be_words: bool, words: &[u8]) -> AppError {
    match text(encoding, words) {
        Ok(words) if may_be_words => AppError::failed(format_args!(
            "the server did not end the connection, and says: {}",
            words.trim_end()
        )),
        _ => AppError::failed("the server stalled, and what came may not be all"),
    }
}

fn text(encoding: Encoding, bytes: &[u8]) -> Result<String, AppError> {
    let text = encoding.decode(bytes, TextPolicy::Replace);
    text.map_err(AppError::failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_goes_to_a_neighbour_and_no_further() {
        for (from, to, text) in [
            ("/", "/a", Some("cd a")),
            ("/a", "/a/b c", Some("cd b c")),
            ("/a/b", "/a", Some("..")),
            ("/a", "/", Some("..")),
            ("/a", "/b", None),
            ("/", "/", None),
            ("/", "/a/b", None),
        ] {
            assert_eq!(step(from, to).as_deref(), text, "{from} to {to}");
        }
    }

    #[test]
    fn names_are_found_whole() {
        assert!(holds("a--b--c", "b") && holds("a--b", "a") && holds("a--b", "a--b"));
        assert!(!holds("ab--c", "b") && !holds("\n", "") && !holds("a", "b"));
    }
}
