//! Browsing over `raw`: a text comes in, a text or a file goes out.

use std::sync::Arc;

use socketry_transport::{Aborted, Encoding, SendHalf, TextPolicy};
use tokio::time::timeout;
use tracing::Instrument;

use super::escape::name_to_text;
use super::flow::Flow;
use super::grant::Grant;
use super::limits::Limits;
use super::listing::Entry;
use super::root::Listed;
use super::rules::Right;
use super::source::Source;
use super::wire::{KEYS, Wire, leave, send_paced, within_stall};
use super::{name, place};
use crate::opening::{First, Opening};
use crate::own::Own;
use crate::serving::Place;
use crate::{AppError, Shown};

/// The separator between two names.
pub(super) const BETWEEN: &str = "--";
/// The listing of an empty directory. A client would wait for ever for an empty answer.
pub(super) const EMPTY: &str = "\n";

const COMMANDS: &str = "there are cd NAME, .., ls, get NAME, and an absolute path";

struct Browsing<'a> {
    wire: Wire,
    grant: &'a Grant,
    encoding: Encoding,
    /// The client's directory: an absolute path below the root.
    place: String,
}

pub(super) async fn talk(
    wire: Wire,
    grant: &Grant,
    own: Arc<Own>,
    place: &Place,
) -> Result<(), AppError> {
    let mut browsing = Browsing {
        wire,
        grant,
        encoding: own.encoding,
        place: "/".to_owned(),
    };
    let mut next = match browsing.first(own).await? {
        Ok(first) => first,
        Err(error) => {
            browsing.refuse(&error).await?;
            None
        }
    };
    while let Some(text) = next {
        if browsing.answer(text).await? == Flow::Close {
            break;
        }
        next = browsing.hear().await?;
    }
    leave(browsing.wire, place).await
}

/// Decodes a text, without the line end that a person's tool appends.
fn text(encoding: Encoding, bytes: &[u8]) -> Text {
    let text = encoding.decode(bytes, TextPolicy::Strict);
    let text = text.map_err(AppError::failed)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The names of `entries`, as a listing over `raw` has them.
fn names(entries: Vec<Entry>, encoding: Encoding) -> String {
    let names = entries.into_iter().map(|entry| entry.name);
    let names: Vec<_> = names.filter(|name| is_plain(name, encoding)).collect();
    match names.is_empty() {
        true => EMPTY.to_owned(),
        false => names.join(BETWEEN),
    }
}

/// Whether a name is listed. A name that contains the separator, or ends with its beginning, would
/// be read as several names. A control character could end the listing for a client that reads
/// lines. A character that the encoding lacks could not be asked for.
fn is_plain(name: &str, encoding: Encoding) -> bool {
    let misread = name.contains(BETWEEN) || name.ends_with('-') || name.contains(char::is_control);
    !misread && encoding.encode(name, TextPolicy::Strict).is_ok()
}

/// A text of the client, or why it is none.
type Text = Result<String, AppError>;

impl Browsing<'_> {
    /// The first text; `None` at the end. The outer error says that the client speaks another
    /// codec.
    async fn first(&mut self, own: Arc<Own>) -> Result<Result<Option<Text>, AppError>, AppError> {
        let mut opening = Opening::new(own, KEYS);
        let Ok(first) = timeout(self.grant.idle(), opening.next(&mut self.wire)).await else {
            return Ok(Ok(None));
        };
        let words = opening.words(&first);
        match first {
            First::Frame(bytes) => Ok(Ok(bytes.map(|bytes| text(self.encoding, &bytes)))),
            First::Refused(error, _) => Err(error.into()),
            First::Foreign(_) | First::Stranger(_) | First::Unfinished => {
                Ok(Err(AppError::failed(words)))
            }
        }
    }

    /// The next text. `None` at the end.
    async fn hear(&mut self) -> Result<Option<Text>, AppError> {
        let Ok(received) = timeout(self.grant.idle(), self.wire.recv()).await else {
            return Ok(None);
        };
        Ok(received?.map(|bytes| text(self.encoding, bytes)))
    }

    async fn answer(&mut self, text: Text) -> Result<Flow, AppError> {
        let shown = Shown(text.as_deref().unwrap_or_default()).to_string();
        let span = tracing::info_span!("request", text = format_args!("{shown:.300}"));
        let answering = async {
            let answered = match text {
                Ok(text) => self.reply_in_time(&text).await,
                Err(error) => self.refuse(&error).await,
            };
            answered.inspect_err(|error| tracing::info!("broken off: {error}"))
        };
        answering.instrument(span).await
    }

    async fn reply_in_time(&mut self, text: &str) -> Result<Flow, AppError> {
        let Some(limit) = self.grant.max_time() else {
            return self.reply(text).await;
        };
        // Dropped on its way, a file resets the connection.
        let replied = timeout(limit, self.reply(text)).await;
        replied.unwrap_or_else(|_| Err(Limits::late(limit)))
    }

    async fn reply(&mut self, text: &str) -> Result<Flow, AppError> {
        match self.obey(text).await? {
            Ok(Some(listed)) => {
                tracing::info!(bytes = listed.what.len(), "listed");
                self.say(&listed.what).await?;
                Ok(Flow::Next)
            }
            Ok(None) => Ok(Flow::Close),
            Err(error) => self.refuse(&error).await,
        }
    }

    /// Answers with an error, which contains a `/`, as no listing does.
    async fn refuse(&mut self, error: &AppError) -> Result<Flow, AppError> {
        tracing::info!("refused: {error}");
        self.say(&format!("cannot do this: / {error}")).await?;
        Ok(Flow::Next)
    }

    async fn say(&mut self, text: &str) -> Result<(), AppError> {
        let bytes = self.encoding.encode(text, TextPolicy::Replace);
        let bytes = bytes.map_err(AppError::failed)?;
        Ok(within_stall(self.wire.send(&bytes)).await?)
    }

    /// Answers `text`. The error says why there is no answer. `None` if the connection ends with
    /// the bytes that were sent.
    async fn obey(
        &mut self,
        text: &str,
    ) -> Result<Result<Option<Listed<String>>, AppError>, AppError> {
        let listing = match text.split_once(' ').unwrap_or((text, "")) {
            _ if text.starts_with('/') => match self.inside(text) {
                Ok(place) => self.go(place).await,
                Err(error) => Err(error),
            },
            ("..", "") | ("cd", "..") if self.place == "/" => {
                Err(AppError::failed("this is the top"))
            }
            ("..", "") => self.go(name::join(&self.place, "..")).await,
            ("cd", to) if !to.is_empty() => self.go(name::join(&self.place, to)).await,
            ("ls", "") => self.go(self.place.clone()).await,
            ("get", what) if !what.is_empty() => {
                let path = name::join(&self.place, what);
                return Ok(self.send_file(path).await?.map(|()| None));
            }
            _ => Err(AppError::failed(format_args!(
                "{:.80} is no command; {COMMANDS}",
                Shown(text).to_string()
            ))),
        };
        Ok(listing.map(Some))
    }

    /// An absolute path of the client as a path below the root. The client may use the real path of
    /// the root.
    fn inside(&self, path: &str) -> Result<String, AppError> {
        let root = self.grant.root_for(&[Right::List])?.path();
        let root = name_to_text(root.as_os_str());
        let below = path.strip_prefix(&root);
        Ok(match below {
            Some(below) if below.is_empty() || below.starts_with('/') => name::join("/", below),
            _ => name::join("/", path),
        })
    }

    /// Lists the directory at `place`, and stays there.
    async fn go(&mut self, place: String) -> Result<Listed<String>, AppError> {
        let encoding = self.encoding;
        let form = move |all| Ok(names(all, encoding));
        let root = self.grant.root_for(&[Right::List])?;
        let listed = root.list(place.clone(), form).await?;
        self.place = place;
        Ok(listed)
    }

    async fn send_file(&mut self, path: String) -> Result<Result<(), AppError>, AppError> {
        let shown = path.clone();
        let opened = match self.grant.root_for(&[Right::Read]) {
            Ok(root) => root.run(move |root| root.open_file(&path)).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok((file, _)) => match Source::open(file).await {
                Ok(source) => self.send_whole(source).await.map(Ok),
                Err(error) => Ok(Err(place::problem(&shown, error))),
            },
            Err(error) => Ok(Err(error)),
        }
    }

    /// Sends the file. The end of the connection says that it was whole. If it breaks off for any
    /// reason, the connection is reset.
    async fn send_whole(&mut self, mut source: Source) -> Result<(), AppError> {
        let sending = Unfinished::begin(&mut self.wire)?;
        let wire = &mut *sending.wire;
        let mut len = 0;
        loop {
            let bytes = source.next().await?;
            if bytes.is_empty() {
                break;
            }
            wire.body_writer(bytes.len() as u64)?;
            send_paced(wire, bytes, &self.grant.pace().leaving).await?;
            len += bytes.len();
        }
        source.finish().await?;
        within_stall(wire.flush()).await?;
        tracing::info!(bytes = len, "sent");
        sending.finished()
    }
}

/// A file on its way, whose end is the end of the connection. If it ends too early, the connection
/// is aborted, whatever the cause is: an error, a server that stops, a process that dies.
struct Unfinished<'a> {
    wire: &'a mut Wire,
    whole: bool,
}

impl<'a> Unfinished<'a> {
    fn begin(wire: &'a mut Wire) -> Result<Self, AppError> {
        let _ = wire.socket_mut().abort_on_drop(true)?;
        let whole = false;
        Ok(Unfinished { wire, whole })
    }

    fn finished(mut self) -> Result<(), AppError> {
        let _ = self.wire.socket_mut().abort_on_drop(false)?;
        self.whole = true;
        Ok(())
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.whole {
            return;
        }
        match self.wire.socket_mut().abort(0) {
            Ok(Aborted::Reset) => {}
            Ok(_) => tracing::warn!(
                "the file is not whole, and the client cannot tell: \
                 over this transport it sees an end"
            ),
            Err(error) => {
                tracing::warn!(%error, "the file is not whole, and the client may see an end");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_be_misread_are_not_listed() {
        let list = |all: &[&str]| {
            let entries = all.iter().map(|name| Entry::named(name)).collect();
            names(entries, Encoding::default())
        };
        assert_eq!(list(&["-a", "a--b", "a-b", "c\n", "c-", "d"]), "-a--a-b--d");
        assert_eq!(list(&["--", "\u{1b}"]), EMPTY);
    }
}
