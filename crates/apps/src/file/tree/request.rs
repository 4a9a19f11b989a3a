//! The requests about trees, as the server reads them and the client writes them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::choice::Links;
use crate::AppError;
use crate::file::header::{read, required, yes_or_no};
use crate::file::part::Storing;

/// A request about a tree.
#[derive(Debug)]
pub(in crate::file) enum Request {
    /// The client sends entries, to be stored below `path`.
    Store {
        path: String,
        storing: Storing,
        preserve: bool,
    },
    /// The client wants these files below `path`.
    Fetch {
        path: String,
        names: Vec<String>,
        links: Links,
    },
    /// The client wants a list of the tree at `path`.
    Walk { path: String, links: Links },
}

/// A request in its form on the wire.
#[derive(Serialize)]
pub(in crate::file) struct Written<'a> {
    opt: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Links>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preserve: Option<bool>,
}

/// The keys with their values unparsed.
#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(borrow)]
    path: Option<&'a RawValue>,
    #[serde(borrow)]
    links: Option<&'a RawValue>,
    #[serde(borrow)]
    names: Option<&'a RawValue>,
    #[serde(borrow)]
    replace: Option<&'a RawValue>,
    #[serde(borrow)]
    sync: Option<&'a RawValue>,
    #[serde(borrow)]
    preserve: Option<&'a RawValue>,
}

impl Request {
    /// Its name on the wire, and the path that it is about.
    pub(in crate::file) fn title(&self) -> (&'static str, &str) {
        match self {
            Request::Store { path, .. } => ("store", path),
            Request::Fetch { path, .. } => ("fetch", path),
            Request::Walk { path, .. } => ("walk", path),
        }
    }

    pub(in crate::file) fn written(&self) -> Written<'_> {
        let (opt, path) = self.title();
        let (mut links, mut names) = (None, None);
        let (mut replace, mut sync, mut preserve) = (None, None, None);
        match self {
            Request::Store {
                storing,
                preserve: exact,
                ..
            } => {
                (replace, sync, preserve) =
                    (Some(storing.replace), Some(storing.sync), Some(*exact));
            }
            Request::Fetch {
                names: wanted,
                links: how,
                ..
            } => (links, names) = (Some(*how), Some(wanted.as_slice())),
            Request::Walk { links: how, .. } => links = Some(*how),
        }
        Written {
            opt,
            path,
            links,
            names,
            replace,
            sync,
            preserve,
        }
    }
}

/// Parses a request of this name. `None` if it is about no tree.
pub(in crate::file) fn parse(opt: &str, header: &[u8]) -> Option<Result<Request, AppError>> {
    matches!(opt, "store" | "fetch" | "walk").then(|| {
        let keys: Keys<'_> = serde_json::from_slice(header).map_err(AppError::failed)?;
        keys.request(opt)
    })
}

impl Keys<'_> {
    fn request(&self, opt: &str) -> Result<Request, AppError> {
        let path = read("path", "a text", self.path)?.unwrap_or_default();
        let links = read("links", r#""skip", "copy" or "follow""#, self.links)?;
        let links = links.unwrap_or_default();
        Ok(match opt {
            "store" => Request::Store {
                path,
                storing: self.storing()?,
                preserve: yes_or_no("preserve", self.preserve)?.unwrap_or(false),
            },
            "fetch" => {
                let names = read("names", "a list of texts", self.names)?;
                let names = required("names", names)?;
                Request::Fetch { path, names, links }
            }
            _ => Request::Walk { path, links },
        })
    }

    fn storing(&self) -> Result<Storing, AppError> {
        let ordinary = Storing::default();
        Ok(Storing {
            sync: yes_or_no("sync", self.sync)?.unwrap_or(ordinary.sync),
            replace: yes_or_no("replace", self.replace)?.unwrap_or(ordinary.replace),
        })
    }
}
