//! What stands before each entry of a tree on the wire, and in a list of a tree.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::file::attributes::Attributes;
use crate::file::digest::Digests;
use crate::file::escape::text_to_name;
use crate::file::listing::Kind;
use crate::file::{mtime, name};
use crate::{AppError, Shown};

/// An entry of a tree. Without a name it says that the sender is alive, or that all are sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::file) struct Item {
    /// A path below the top of the tree, which is `.` itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) kind: Option<Kind>,
    /// Of a file: how many bytes it has. They follow, unless `pieces` do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) size: Option<u64>,
    #[serde(with = "mtime", skip_serializing_if = "Option::is_none")]
    pub(in crate::file) mtime: Option<SystemTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) mode: Option<u32>,
    /// Where a link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) digest: Option<Digests>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) pieces: Option<bool>,
    /// Why the entry cannot be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) error: Option<String>,
    /// No entry follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) end: Option<bool>,
}

/// The name of the top itself.
pub(super) const TOP: &str = ".";

impl Item {
    pub(super) fn named(name: impl Into<String>, kind: Kind) -> Self {
        Item {
            name: Some(name.into()),
            kind: Some(kind),
            ..Item::default()
        }
    }

    /// An entry that cannot be had.
    pub(super) fn refused(name: impl Into<String>, error: &dyn Display) -> Self {
        Item {
            name: Some(name.into()),
            error: Some(error.to_string()),
            ..Item::default()
        }
    }

    pub(super) fn end() -> Self {
        Item {
            end: Some(true),
            ..Item::default()
        }
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    pub(super) fn is(&self, kind: Kind) -> bool {
        self.kind == Some(kind)
    }

    pub(super) fn attributes(&self, exact: bool) -> Attributes {
        Attributes {
            mtime: self.mtime,
            mode: self.mode,
            exact,
        }
    }
}

/// The path of `name`, an entry's name from the other side. It is relative, and each component is
/// the name of something.
///
/// # Errors
/// If it could lead anywhere else, or no file can have that name.
pub(super) fn path(name: &str) -> Result<PathBuf, AppError> {
    if name == TOP {
        return Ok(PathBuf::new());
    }
    let path = PathBuf::from(text_to_name(name));
    let problem =
        name::longer_than_paths(&path).or_else(|| name.split('/').find_map(name::problem_of));
    match problem {
        None => Ok(path),
        Some(problem) => Err(AppError::failed(format_args!(
            "no entry of a tree can have the name {:.300}: {problem}",
            Shown(name).to_string()
        ))),
    }
}

/// The same, of an entry that a client stores. The top is there already, and is the server's.
///
/// # Errors
/// As [`path`], and for the top.
pub(super) fn path_below(name: &str) -> Result<PathBuf, AppError> {
    match name {
        TOP => Err(AppError::failed(
            ".: an entry is stored below the top of the tree, and never as the top itself",
        )),
        _ => path(name),
    }
}

/// The directory of a path that [`path`] gives, and the last component.
pub(super) fn halves(path: &Path) -> (&Path, OsString) {
    let parent = path.parent().unwrap_or(Path::new(""));
    (parent, path.file_name().unwrap_or_default().to_owned())
}

/// Whether a link at `path`, relative to the top, stays below it whatever lies there. So it must
/// not be absolute, and `..` may stand only in front: behind a name it would depend on where that
/// name leads.
pub(super) fn stays_inside(path: &Path, to: &Path) -> bool {
    use std::path::Component::{CurDir, Normal, ParentDir};
    let depth = path.components().count().saturating_sub(1);
    let mut up = 0;
    let mut down = false;
    for component in to.components() {
        match component {
            CurDir => {}
            ParentDir if !down => up += 1,
            Normal(_) => down = true,
            _ => return false,
        }
    }
    up <= depth && !to.as_os_str().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_an_entry_leads_nowhere_else() {
        for name in ["a", "a/b", r"a\b", "-rf", "a\nb", "...", "‛FF", "."] {
            assert!(path(name).is_ok(), "{name}");
        }
        let (part, long) = (name::temporary(), "x".repeat(256));
        let deep = "a/".repeat(2100) + "a";
        for name in [
            "",
            "/",
            "/a",
            "..",
            "../a",
            "a/..",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a/.",
            "a\0b",
            &part,
            &format!("{part}/a"),
            &long,
            &deep,
        ] {
            assert!(path(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_a_client_stores_is_below_the_top() {
        assert!(path_below("a").is_ok() && path_below("..").is_err());
        assert!(path_below(TOP).is_err());
    }

    #[test]
    fn a_link_stays_inside_or_is_seen_not_to() {
        for (at, to, stays) in [
            ("l", "a", true),
            ("l", "a/b", true),
            ("l", "..", false),
            ("a/l", "..", true),
            ("a/l", "../b", true),
            ("a/l", "../../b", false),
            ("a/b/l", "../../c", true),
            ("l", "/etc", false),
            ("a/l", "b/../../..", false),
            ("a/l", "b/../c", false),
            ("l", "./a", true),
            ("l", "", false),
        ] {
            assert_eq!(
                stays_inside(Path::new(at), Path::new(to)),
                stays,
                "{at} {to}"
            );
        }
    }
}
