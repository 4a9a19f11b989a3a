//! Names from the other side, as text, and which of them are allowed.

use std::path::Path;

use super::escape::text_to_name;
use crate::{AppError, Shown};

/// The longest name of a file in bytes, as the usual file systems have it.
const MAX_NAME: usize = 255;
/// The longest path, in bytes.
const MAX_PATH: usize = 4096;

const TEMPORARY: (&str, &str) = (".socketry-", ".part");

/// Whether a name has the form of our temporary names. Such a file is never listed or sent.
pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1)
}

/// Whether a name is exactly of the form that [`temporary`] gives.
pub(super) fn is_own_temporary(name: &str) -> bool {
    let random = name.strip_prefix(TEMPORARY.0);
    let random = random.and_then(|rest| rest.strip_suffix(TEMPORARY.1));
    random.is_some_and(|random| {
        random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// A temporary name that cannot be guessed.
pub(super) fn temporary() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(std::process::id());
    format!("{}{random:016x}{}", TEMPORARY.0, TEMPORARY.1)
}

/// The last component of `name`, which may be a path of this or another system. An error if a file
/// cannot have that name.
pub(super) fn last(name: &str) -> Result<&str, AppError> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    match problem_of(last) {
        Some(problem) => Err(no_file(name, problem)),
        None => Ok(last),
    }
}

/// Why no path can be so long.
pub(super) fn longer_than_paths(path: &Path) -> Option<&'static str> {
    (path.as_os_str().len() > MAX_PATH).then_some("it is longer than 4096 bytes")
}

/// Why no file can be called `last`, a single path component.
pub(super) fn problem_of(last: &str) -> Option<&'static str> {
    match last {
        "" => Some("it is empty"),
        "." | ".." => Some("it names a directory"),
        _ if last.contains('\0') => Some("it contains a NUL"),
        _ if text_to_name(last).len() > MAX_NAME => Some("it is longer than 255 bytes"),
        _ if is_temporary(last) => Some("it is reserved for temporary files"),
        _ => None,
    }
}

fn no_file(name: &str, problem: &str) -> AppError {
    AppError::failed(format_args!(
        "no file can have the name {:.300}: {problem}",
        Shown(name).to_string()
    ))
}

/// The directory and the file of `name`, an exact path below the root. A `\\` is a character as any
/// other.
pub(super) fn exact(name: &str) -> Result<(&str, &str), AppError> {
    let below = below_root(name)?;
    let (dir, file) = below.rsplit_once('/').unwrap_or((".", below));
    match problem_of(if below == "." { "" } else { file }) {
        Some(problem) => Err(no_file(name, problem)),
        None => Ok((dir, file)),
    }
}

/// `path` as a path relative to the root. `/` and the empty path are the root itself. The root
/// decides where a `..` leads.
pub(super) fn below_root(path: &str) -> Result<&str, AppError> {
    let problem = match path {
        _ if path.contains('\0') => "it contains a NUL",
        _ if text_to_name(path).len() > MAX_PATH => "it is longer than 4096 bytes",
        _ if path.split('/').any(is_temporary) => "it is reserved for temporary files",
        _ => {
            return Ok(match path.trim_start_matches('/') {
                "" => ".",
                below => below,
            });
        }
    };
    Err(AppError::failed(format_args!(
        "nothing can be found under the name {:.300}: {problem}",
        Shown(path).to_string()
    )))
}

/// The path `to`, seen from the absolute path `place`. It is resolved as text only, and `..` at the
/// top stays there.
pub(super) fn join(place: &str, to: &str) -> String {
    let from = if to.starts_with('/') { "" } else { place };
    let mut parts = Vec::new();
    for part in from.split('/').chain(to.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The directory of an absolute path, and its last component.
pub(super) fn parent(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", last)) => ("/", last),
        Some(halves) => halves,
        None => ("/", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_component_of_an_upload_counts() {
        for (name, kept) in [
            ("a.txt", "a.txt"),
            ("../x", "x"),
            ("/abs", "abs"),
            ("a/../../b", "b"),
            (r"C:\dir\c.txt", "c.txt"),
            ("...", "..."),
            ("名前", "名前"),
        ] {
            assert_eq!(last(name).unwrap(), kept);
        }
    }

    #[test]
    fn an_exact_name_is_a_path_as_it_is() {
        for (name, place) in [
            ("a.txt", (".", "a.txt")),
            (r"a\b.txt", (".", r"a\b.txt")),
            ("/a/b c", ("a", "b c")),
            ("a/../b", ("a/..", "b")),
        ] {
            assert_eq!(exact(name).unwrap(), place);
        }
        for name in ["", "/", ".", "..", "a/", "a/..", "a\0b", &temporary()] {
            assert!(exact(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn names_that_no_file_can_have_are_refused() {
        let long = "x".repeat(256);
        for name in [
            "",
            ".",
            "..",
            "a/",
            "a/..",
            r"C:\",
            "a\0b",
            &long,
            &temporary(),
        ] {
            assert!(last(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn temporary_names_are_recognised() {
        let own = temporary();
        assert!(is_own_temporary(&own) && is_temporary(&own));
        for other in [".socketry-.part", ".socketry-mine.part", "a.part"] {
            assert!(!is_own_temporary(other), "{other}");
        }
    }

    #[test]
    fn paths_are_joined_as_text() {
        for (place, to, there) in [
            ("/", "a", "/a"),
            ("/a", "..", "/"),
            ("/", "..", "/"),
            ("/a", "b/./../c/", "/a/c"),
            ("/a", "/b", "/b"),
        ] {
            assert_eq!(join(place, to), there);
        }
    }
}
