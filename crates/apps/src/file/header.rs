//! Request headers, as the server reads them. Answers are in `answer.rs`.

mod answer;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::attributes::Attributes;
use super::digest::Digests;
use super::mtime;
use super::part::Storing;
use super::tree::request as tree;
use crate::{AppError, Shown};

pub(super) use answer::{Answer, Status, Trailer, parse_trailer};

/// A client's request.
#[derive(Debug)]
pub(super) enum Request {
    Upload(Upload),
    Download {
        name: String,
        /// Whether the client accepts pieces.
        pieces: bool,
    },
    List {
        path: String,
    },
    Stat {
        name: String,
    },
    Tree(tree::Request),
}

impl Request {
    /// The name of the request, and of the file or directory.
    pub(super) fn title(&self) -> (&'static str, &str) {
        match self {
            Request::Upload(upload) => ("upload", &upload.name),
            Request::Download { name, .. } => ("download", name),
            Request::List { path } => ("list", path),
            Request::Stat { name } => ("stat", name),
            Request::Tree(request) => request.title(),
        }
    }
}

/// A file that the client offers.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) name: String,
    /// Whether the name is an exact path below the root.
    pub(super) exact: bool,
    pub(super) source: Content,
    /// Whether the client waits for `ready` before it sends the body.
    pub(super) waits: bool,
    /// Whether the client wants to hear from a server that takes its body slowly.
    pub(super) alive: bool,
    /// The client's next bytes if the upload is refused now.
    pub(super) follows: Follows,
    pub(super) claimed: Digests,
    pub(super) trailer: bool,
    pub(super) attributes: Attributes,
    pub(super) storing: Storing,
}

/// Where the bytes of an upload are.
#[derive(Debug)]
pub(super) enum Content {
    /// In the header.
    Here(String),
    /// In a body of this many bytes.
    Body(u64),
    /// In pieces, of unknown number and length.
    Pieces,
}

impl Content {
    /// How many bytes they are, if that is known.
    pub(super) fn len(&self) -> Option<u64> {
        match self {
            Content::Here(text) => Some(text.len() as u64),
            Content::Body(len) => Some(*len),
            Content::Pieces => None,
        }
    }
}

/// The client's bytes after a header that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// A body of `len` bytes, which may be 0, and a trailer if `trailer` is set.
    Body { len: u64, trailer: bool },
    /// It cannot be known.
    Unknown,
}

impl Follows {
    pub(super) const NEXT_REQUEST: Follows = Follows::Body {
        len: 0,
        trailer: false,
    };
}

/// A request that is refused.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) error: AppError,
    pub(super) follows: Follows,
}

/// The known keys with their values unparsed, so that each error can name its key. `null` counts as
/// absent.
#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(borrow)]
    opt: Option<&'a RawValue>,
    #[serde(borrow)]
    filename: Option<&'a RawValue>,
    #[serde(borrow)]
    file_name: Option<&'a RawValue>,
    #[serde(borrow)]
    filesize: Option<&'a RawValue>,
    #[serde(borrow)]
    file_size: Option<&'a RawValue>,
    #[serde(borrow)]
    path: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    exact: Option<&'a RawValue>,
    #[serde(borrow)]
    replace: Option<&'a RawValue>,
    #[serde(borrow)]
    pieces: Option<&'a RawValue>,
    #[serde(borrow)]
    wait: Option<&'a RawValue>,
    #[serde(borrow)]
    grace: Option<&'a RawValue>,
    #[serde(borrow)]
    alive: Option<&'a RawValue>,
    #[serde(borrow)]
    offset: Option<&'a RawValue>,
    #[serde(borrow)]
    digest: Option<&'a RawValue>,
    #[serde(borrow)]
    md5: Option<&'a RawValue>,
    #[serde(borrow)]
    mtime: Option<&'a RawValue>,
    #[serde(borrow)]
    mode: Option<&'a RawValue>,
    #[serde(borrow)]
    sync: Option<&'a RawValue>,
}

/// Parses a request. A `bare` client always waits for `ready`, whether or not it says so.
pub(super) fn parse(header: &[u8], bare: bool) -> Result<Request, Refused> {
    let keys: Keys<'_> = serde_json::from_slice(header).map_err(|error| Refused {
        error: AppError::failed(format_args!("the header cannot be understood: {error}")),
        follows: Follows::Unknown,
    })?;
    let follows = keys.follows(bare);
    let opt = keys.opt().ok().flatten().unwrap_or_default();
    let request = match tree::parse(&opt, header) {
        Some(request) => request.map(Request::Tree),
        None => keys.request(bare, follows),
    };
    request.map_err(|error| Refused { error, follows })
}

impl Keys<'_> {
    fn request(&self, bare: bool, follows: Follows) -> Result<Request, AppError> {
        let opt = self.opt()?;
        // A client of another app may have sent it.
        let opt = opt.ok_or_else(|| {
            AppError::failed("this is a file server: the header lacks the key opt")
        })?;
        match &*opt {
            "upload" => self.upload(bare, follows).map(Request::Upload),
            "download" => {
                self.no_offset()?;
                let name = self.name()?;
                let pieces = self.pieces()?;
                Ok(Request::Download { name, pieces })
            }
            "list" => {
                let path = read("path", "a text", self.path)?.unwrap_or_default();
                Ok(Request::List { path })
            }
            "stat" => self.name().map(|name| Request::Stat { name }),
            other => Err(AppError::failed(format_args!(
                "opt {:.80} is not known; there are upload, download, list, stat, walk, fetch and \
                 store",
                Shown(other).to_string()
            ))),
        }
    }

    fn upload(&self, bare: bool, follows: Follows) -> Result<Upload, AppError> {
        let name = self.name()?;
        let source = match read("content", "a text", self.content)? {
            Some(text) => Content::Here(text),
            None if self.pieces()? => Content::Pieces,
            None => Content::Body(required("filesize", self.len()?)?),
        };
        self.no_offset()?;
        let (claimed, trailer) = self.digests()?;
        Ok(Upload {
            name,
            exact: yes_or_no("exact", self.exact)?.unwrap_or(false),
            source,
            waits: self.wait()? || bare,
            alive: yes_or_no("alive", self.alive)?.unwrap_or(false),
            follows,
            claimed,
            trailer,
            attributes: self.attributes()?,
            storing: self.storing()?,
        })
    }

    /// The client's bytes after this header if it is refused.
    fn follows(&self, bare: bool) -> Follows {
        let opt = self.opt().ok().flatten();
        let announced = self.filesize.is_some() || self.file_size.is_some();
        let inside = matches!(opt.as_deref(), Some("download" | "list" | "stat"))
            || self.content.is_some()
            || (opt.as_deref() != Some("upload") && !announced);
        if inside {
            return Follows::NEXT_REQUEST;
        }
        match (self.wait(), self.len(), self.digests()) {
            (Ok(true), _, _) if self.grace.is_none() => Follows::NEXT_REQUEST,
            (Ok(false), Ok(Some(len)), Ok((_, trailer)))
                if opt.is_some() && !bare && self.pieces.is_none() =>
            {
                Follows::Body { len, trailer }
            }
            _ => Follows::Unknown,
        }
    }

    fn opt(&self) -> Result<Option<String>, AppError> {
        read("opt", "a text", self.opt)
    }

    fn name(&self) -> Result<String, AppError> {
        let name = read("filename", "a text", self.filename)?;
        let name = match name {
            Some(name) => Some(name),
            None => read("file_name", "a text", self.file_name)?,
        };
        required("filename", name)
    }

    fn len(&self) -> Result<Option<u64>, AppError> {
        let what = "a number of bytes";
        match read("filesize", what, self.filesize)? {
            Some(len) => Ok(Some(len)),
            None => read("file_size", what, self.file_size),
        }
    }

    fn wait(&self) -> Result<bool, AppError> {
        Ok(yes_or_no("wait", self.wait)?.unwrap_or(false))
    }

    fn no_offset(&self) -> Result<(), AppError> {
        match read("offset", "a number of bytes", self.offset)? {
            None | Some(0_u64) => Ok(()),
            Some(offset) => Err(AppError::failed(format_args!(
                "offset {offset}: transfers cannot be resumed yet; begin at 0"
            ))),
        }
    }

    fn pieces(&self) -> Result<bool, AppError> {
        Ok(yes_or_no("pieces", self.pieces)?.unwrap_or(false))
    }

    /// The claimed digests, and whether a trailer follows the body.
    fn digests(&self) -> Result<(Digests, bool), AppError> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Place {
            Here(Digests),
            Later(String),
        }
        let what = r#"an object with blake3, md5 or sha256 in hexadecimal, or "trailer""#;
        let (mut claimed, trailer) = match read("digest", what, self.digest)? {
            None => (Digests::default(), false),
            Some(Place::Here(claimed)) => (claimed, false),
            Some(Place::Later(word)) if word == "trailer" => (Digests::default(), true),
            Some(Place::Later(_)) => return Err(wrong("digest", what)),
        };
        if let Some(md5) = read("md5", "a text", self.md5)? {
            claimed.md5 = Some(md5);
        }
        Ok((claimed, trailer))
    }

    fn storing(&self) -> Result<Storing, AppError> {
        let ordinary = Storing::default();
        Ok(Storing {
            sync: yes_or_no("sync", self.sync)?.unwrap_or(ordinary.sync),
            replace: yes_or_no("replace", self.replace)?.unwrap_or(ordinary.replace),
        })
    }

    fn attributes(&self) -> Result<Attributes, AppError> {
        let what = "a number of seconds from the year 1 to 9999";
        let mtime = self
            .mtime
            .map(|number| mtime::from_number(number.get()).ok_or_else(|| wrong("mtime", what)));
        Ok(Attributes {
            mtime: mtime.transpose()?,
            mode: read("mode", "a number", self.mode)?,
            exact: false,
        })
    }
}

pub(super) fn read<T: DeserializeOwned>(
    key: &str,
    what: &str,
    value: Option<&RawValue>,
) -> Result<Option<T>, AppError> {
    let value = value.map(|value| serde_json::from_str(value.get()));
    value.transpose().map_err(|_| wrong(key, what))
}

pub(super) fn yes_or_no(key: &str, value: Option<&RawValue>) -> Result<Option<bool>, AppError> {
    read(key, "true or false", value)
}

fn wrong(key: &str, what: &str) -> AppError {
    AppError::failed(format_args!("the header's key {key} has to be {what}"))
}

pub(super) fn required<T>(key: &str, value: Option<T>) -> Result<T, AppError> {
    value.ok_or_else(|| AppError::failed(format_args!("the header lacks the key {key}")))
}
