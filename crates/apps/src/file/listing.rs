//! Kinds and attributes of files, and the entries of directories.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::MAX_LISTING;
use crate::{AppError, Shown};

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link, whether or not its target exists.
    Link,
    /// A pipe, a socket, or a device.
    #[serde(other)]
    Other,
}

/// The attributes of one file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stat {
    /// Its kind.
    pub kind: Kind,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed. It is 1970 if the server does not say it, or says a time outside
    /// of the years 1 to 9999.
    pub mtime: SystemTime,
    /// Its permissions, as Unix has them.
    pub mode: u32,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// Its name, as the server wrote it. Show it through [`Shown`].
    /// [`text_to_name`](super::text_to_name) gives its bytes.
    pub name: String,
    /// Its kind; unknown over `raw`.
    pub kind: Option<Kind>,
    /// Its size in bytes; unknown over `raw`.
    pub size: Option<u64>,
    /// When it was last changed; unknown over `raw`.
    #[serde(with = "super::mtime", default)]
    pub mtime: Option<SystemTime>,
    /// Its permissions, as Unix has them; unknown over `raw` and from older servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

impl Entry {
    pub(super) fn new(name: String, stat: &Stat) -> Self {
        Entry {
            name,
            kind: Some(stat.kind),
            size: Some(stat.size),
            mtime: Some(stat.mtime),
            mode: Some(stat.mode),
        }
    }

    pub(super) fn named(name: &str) -> Self {
        Entry {
            name: name.to_owned(),
            kind: None,
            size: None,
            mtime: None,
            mode: None,
        }
    }
}

/// Size and name, for a terminal.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = match (self.kind, self.size) {
            (Some(Kind::File), Some(size)) => indicatif::BinaryBytes(size).to_string(),
            _ => "-".to_owned(),
        };
        let slash = if self.kind == Some(Kind::Dir) {
            "/"
        } else {
            ""
        };
        write!(f, "{size:>12}  {}{slash}", Shown(&self.name))
    }
}

/// The body of a listing, up to [`MAX_LISTING`] bytes: one entry a line.
pub(super) fn to_lines(entries: Vec<Entry>) -> Result<Vec<u8>, AppError> {
    let mut lines = Vec::new();
    // By value, so that each entry is freed once its line is written.
    for entry in entries {
        serde_json::to_writer(&mut lines, &entry).map_err(AppError::failed)?;
        lines.push(b'\n');
        if lines.len() as u64 > MAX_LISTING {
            return Err(AppError::failed(too_long()));
        }
    }
    Ok(lines)
}

/// The error for a directory whose listing is too long.
pub(super) fn too_long() -> String {
    format!("its listing has more than {MAX_LISTING} bytes")
}

/// The entries in the body of a listing.
pub(super) fn from_lines(lines: &[u8]) -> Result<Vec<Entry>, AppError> {
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).map_err(bad_line))
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn bad_line(error: serde_json::Error) -> AppError {
    AppError::failed(format_args!("the listing cannot be understood: {error}"))
}
