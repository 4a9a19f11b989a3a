//! What a file is, and what a directory holds.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::MAX_LISTING;
use crate::{AppError, Shown};

/// What stands behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link, wherever it leads.
    Link,
    /// A pipe, a socket, a device.
    #[serde(other)]
    Other,
}

/// What is known about one file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed. A server that does not say so, or says a time before the year 1 or
    /// after 9999, gives 1970.
    pub mtime: SystemTime,
    /// Its permissions, as Unix has them.
    pub mode: u32,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// Its name, as the server wrote it: show it through [`Shown`].
    /// [`text_to_name`](super::text_to_name) gives its bytes.
    pub name: String,
    /// What it is; over `raw` nobody says.
    pub kind: Option<Kind>,
    /// Its size in bytes; over `raw` nobody says.
    pub size: Option<u64>,
    /// When it was last changed; over `raw` nobody says.
    #[serde(with = "super::mtime", default)]
    pub mtime: Option<SystemTime>,
    /// Its permissions, as Unix has them; over `raw` nobody says, and nor do older servers.
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

/// Size and name, fit for a terminal.
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

/// The body of a listing, up to [`MAX_LISTING`]: an entry a line.
pub(super) fn to_lines(entries: Vec<Entry>) -> Result<Vec<u8>, AppError> {
    let mut lines = Vec::new();
    // By value: an entry is let go of when its line is there.
    for entry in entries {
        serde_json::to_writer(&mut lines, &entry).map_err(AppError::failed)?;
        lines.push(b'\n');
        if lines.len() as u64 > MAX_LISTING {
            return Err(AppError::failed(too_long()));
        }
    }
    Ok(lines)
}

/// Why a directory is not listed.
pub(super) fn too_long() -> String {
    format!("its listing has more than {MAX_LISTING} bytes")
}

/// The entries of such a body.
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
