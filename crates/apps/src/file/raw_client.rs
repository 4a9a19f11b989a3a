//! Browsing over `raw`: a server of this app, or a script of the tutorial.

use std::time::Duration;

use socketry_transport::{Encoding, Undecodable};
use tokio::time::timeout;

use super::attributes::Attributes;
use super::fetch::Wanted;
use super::host::Host;
use super::incoming::Incoming;
use super::listing::Entry;
use super::raw_server::{BETWEEN, EMPTY};
use super::transfer::{Progress, Transfer};
use super::wire::{Wire, in_time};
use super::{MAX_LISTING, STALL, dest, name};
use crate::{AppError, Shown, wrong_codec};

/// A listing says nowhere that it is whole: when nothing more comes for this long, it is.
const QUIET: Duration = Duration::from_millis(200);
/// What is shorter than this, in bytes, and is not followed by the end, may be words instead of a file.
const WORDS: u64 = 4096;
/// How long the end is waited for behind what may be words.
const WORDS_TIME: Duration = Duration::from_secs(3);

pub(super) struct Browser {
    wire: Option<Wire>,
    encoding: Encoding,
    /// Where the connection is; `None` before its first text.
    place: Option<String>,
}

impl Browser {
    pub(super) fn new(wire: Wire, encoding: Encoding) -> Self {
        Browser {
            wire: Some(wire),
            encoding,
            place: None,
        }
    }

    pub(super) async fn list(&mut self, host: &Host, dir: &str) -> Result<Vec<Entry>, AppError> {
        let listing = self.go(host, name::join("/", dir)).await?;
        Ok(match &*listing {
            "" | EMPTY => Vec::new(),
            names => names.split(BETWEEN).map(Entry::named).collect(),
        })
    }

    /// Fetches a file, after a look at whether it is there: what is sent for one that is not are words.
    pub(super) async fn get(
        &mut self,
        host: &Host,
        wanted: Wanted<'_>,
        progress: Progress<'_>,
    ) -> Result<Transfer, AppError> {
        let mut dest = dest::create(wanted.dest, wanted.allowed.storing).await?;
        let path = name::join("/", wanted.name);
        let (dir, wanted) = name::parent(&path);
        let listing = self.go(host, dir.to_owned()).await?;
        if !holds(&listing, wanted) {
            return Err(AppError::failed(format_args!(
                "{}: not found",
                Shown(&path)
            )));
        }
        // The connection ends with the file.
        let mut wire = match self.wire.take() {
            Some(wire) => wire,
            None => host.connect().await?,
        };
        self.say(&mut wire, &format!("get {wanted}")).await?;
        let len = receive(&mut wire, self.encoding, &mut dest, progress).await?;
        let arrived = dest.finish().await?;
        let blake3 = arrived.blake3();
        arrived.keep(Attributes::default()).await?;
        Ok(Transfer::whole(len, blake3, false))
    }

    /// Goes to the directory `to` and returns its listing: by one step where that does, else on a new connection.
    async fn go(&mut self, host: &Host, to: String) -> Result<String, AppError> {
        let step = self.place.as_deref().and_then(|from| step(from, &to));
        let (mut wire, text) = match (self.wire.take(), self.place.take(), step) {
            (Some(wire), None, _) => (wire, to.clone()),
            (Some(wire), Some(_), Some(step)) => (wire, step),
            _ => (host.connect().await?, to.clone()),
        };
        self.say(&mut wire, &text).await?;
        let answer = self.hear(&mut wire).await?;
        if answer.contains('/') {
            return Err(AppError::said(answer.trim_end()));
        }
        self.wire = Some(wire);
        self.place = Some(to);
        Ok(answer)
    }

    async fn say(&self, wire: &mut Wire, text: &str) -> Result<(), AppError> {
        let bytes = self.encoding.encode(text, Undecodable::Strict);
        let bytes = bytes.map_err(AppError::failed)?;
        in_time(wire.send(&bytes)).await
    }

    async fn hear(&self, wire: &mut Wire) -> Result<String, AppError> {
        let mut heard = Vec::new();
        let first = in_time(wire.recv()).await?;
        let first = first.ok_or_else(|| AppError::failed("the server closed the connection"))?;
        if let Some(told) = wrong_codec::of_bytes(first) {
            return Err(told);
        }
        heard.extend_from_slice(first);
        while let Ok(Some(more)) = timeout(QUIET, wire.recv()).await.unwrap_or(Ok(None)) {
            heard.extend_from_slice(more);
            if heard.len() as u64 > MAX_LISTING {
                return Err(AppError::failed("the listing does not end"));
            }
        }
        text(self.encoding, &heard)
    }
}

/// What to say to get from one directory to another, if one text does.
fn step(from: &str, to: &str) -> Option<String> {
    match (name::parent(from), name::parent(to)) {
        _ if from == to => None,
        (_, (above, last)) if above == from => Some(format!("cd {last}")),
        ((above, _), _) if above == to => Some("..".to_owned()),
        _ => None,
    }
}

/// Whether a name stands in a listing; it may itself contain what stands between two.
fn holds(listing: &str, wanted: &str) -> bool {
    let within = format!("{BETWEEN}{listing}{BETWEEN}");
    !wanted.is_empty() && within.contains(&format!("{BETWEEN}{wanted}{BETWEEN}"))
}

/// Receives until the end of the connection, which is the end of the file. If that does not come, it was words.
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
    let text = encoding.decode(bytes, Undecodable::Replace);
    text.map_err(AppError::failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_does_or_does_not() {
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
