//! Symbolic links below a root, and whether they stay below it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::Dir;
use rustix::io::Errno;

/// How many links are followed for one path; the kernel has the same limit.
const MAX_LINKS: usize = 40;

/// Follows all links of `path`, which is relative to the root `dir`. An absolute link is followed
/// if it leads below one of `aliases`, the absolute paths of the root.
///
/// The answer is only text, and the tree may change meanwhile. The caller uses it through `dir`,
/// which leads nowhere else.
///
/// # Errors
/// If a link leads out of the root, or if there are too many.
pub(super) fn resolve(dir: &Dir, aliases: &[PathBuf], path: &Path) -> io::Result<PathBuf> {
    let mut left = parts(path);
    let mut done = PathBuf::new();
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        if part == ".." {
            if !done.pop() {
                return Err(leads_out());
            }
            continue;
        }
        done.push(&part);
        // Whether this exists, and what it is, is for the caller to find out.
        let Ok(to) = dir.read_link_contents(&done) else {
            continue;
        };
        links += 1;
        if links > MAX_LINKS {
            return Err(io::Error::from_raw_os_error(Errno::LOOP.raw_os_error()));
        }
        done.pop();
        let to = match to.is_absolute() {
            true => {
                done.clear();
                below(aliases, &to).ok_or_else(leads_out)?
            }
            false => to,
        };
        let mut more = parts(&to);
        more.append(&mut left);
        left = more;
    }
    Ok(match done.as_os_str().is_empty() {
        true => ".".into(),
        false => done,
    })
}

/// The parts of a path. The last one is empty if the path has to be a directory.
fn parts(path: &Path) -> VecDeque<OsString> {
    let mut parts: VecDeque<_> = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_owned())
        .collect();
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        parts.push_back(OsString::new());
    }
    parts
}

/// An absolute path as a path below the root, through any of the root's aliases.
fn below(aliases: &[PathBuf], to: &Path) -> Option<PathBuf> {
    let within = |path: &Path| {
        let below = aliases.iter().find_map(|root| path.strip_prefix(root).ok());
        below.map(Path::to_owned)
    };
    within(to).or_else(|| within(&to.canonicalize().ok()?))
}

fn leads_out() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "it leads out of the served directory",
    )
}
