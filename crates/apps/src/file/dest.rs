//! The destination of a download: a file that gets its name once it is whole, or a stream such as a
//! FIFO.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::digest::Digests;
use super::escape::name_to_text;
use super::incoming::{Incoming, Target};
use super::part::{Held, Part, Storing};
use super::place::{Place, a_kind, problem};
use crate::AppError;

/// How many symbolic links are followed; the kernel has the same limit.
const MAX_LINKS: usize = 40;
/// Opening a terminal must not make it this process's controlling terminal.
#[expect(clippy::cast_possible_wrap, reason = "a flag, not a number")]
const NOCTTY: i32 = OFlags::NOCTTY.bits() as i32;

/// Prepares `dest`: a part file beside it, or an open stream.
///
/// A symbolic link is followed, and the file that it leads to is replaced in its own directory. A
/// FIFO or a character device is opened for writing. Opening a FIFO waits for a reader.
///
/// # Errors
/// If `dest` is a directory, a socket or a block device, or cannot be created.
pub(super) async fn create(dest: &Path, storing: Storing) -> Result<Incoming, AppError> {
    let (held, dest) = (Held::new(), dest.to_owned());
    let opened = tokio::task::spawn_blocking(move || open(&dest, storing, held)).await;
    opened.map_err(AppError::failed)?
}

/// Whether bytes written to `dest` come out of this process's standard output.
pub(super) fn is_standard_output(dest: &Path) -> bool {
    let identity = |found: rustix::fs::Stat| (found.st_dev, found.st_ino);
    let there = rustix::fs::stat(dest).map(identity);
    let standard = rustix::fs::fstat(io::stdout()).map(identity);
    there.is_ok() && there == standard
}

fn open(dest: &Path, storing: Storing, held: Held) -> Result<Incoming, AppError> {
    let shown = name_to_text(dest.as_os_str());
    let (target, file) = match meant(dest).map_err(|error| problem(&shown, error))? {
        Meant::Stream => {
            // A stream needs no cleanup, and opening it may take long.
            drop(held);
            let file = open_stream(dest).map_err(|error| problem(&shown, error))?;
            (Target::Stream, file)
        }
        Meant::File(dir, name) => {
            let dir = Arc::new(dir);
            let place = Place::new(dir, name, shown.as_str());
            let (part, file) = Part::create(place, storing, held)?;
            (Target::Part(part), file)
        }
        Meant::Neither(other) => {
            return Err(problem(&shown, format_args!("it is {}", a_kind(other))));
        }
    };
    Ok(Incoming::new(target, file, &Digests::default(), shown))
}

/// The kinds of destinations.
enum Meant {
    /// A file of that name in that directory.
    File(Dir, OsString),
    /// An existing stream, written in place.
    Stream,
    Neither(FileType),
}

fn meant(dest: &Path) -> io::Result<Meant> {
    if standard(dest).is_some() {
        return Ok(Meant::Stream);
    }
    let found = match fs::metadata(dest) {
        Ok(found) => FileType::from_raw_mode(found.mode()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => FileType::RegularFile,
        Err(error) => return Err(error),
    };
    match found {
        FileType::RegularFile => follow(dest),
        FileType::Fifo | FileType::CharacterDevice => Ok(Meant::Stream),
        other => Ok(Meant::Neither(other)),
    }
}

/// Follows the links of `dest` one by one. A link to a file that does not exist yet is followed,
/// too.
fn follow(dest: &Path) -> io::Result<Meant> {
    let mut dest = dest.to_owned();
    for _ in 0..MAX_LINKS {
        let (parent, name) = halves(&dest)?;
        let place = parent
            .canonicalize()
            .map_err(|error| no_directory(parent, error))?;
        match fs::read_link(&dest) {
            // A link in `/proc` stands for a descriptor of this process. Its text only describes
            // that.
            Ok(_) if place.starts_with("/proc") => return Ok(Meant::Stream),
            Ok(to) => dest = parent.join(to),
            Err(_) => {
                let dir = Dir::open_ambient_dir(&place, ambient_authority())?;
                return Ok(Meant::File(dir, name.to_owned()));
            }
        }
    }
    Err(io::Error::from_raw_os_error(Errno::LOOP.raw_os_error()))
}

/// Names the missing directory, which the user needs to know.
fn no_directory(parent: &Path, error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(
            error.kind(),
            format!("there is no directory {}", name_to_text(parent.as_os_str())),
        ),
        _ => error,
    }
}

fn halves(dest: &Path) -> io::Result<(&Path, &OsStr)> {
    let Some(name) = dest.file_name().filter(|_| !ends_in_slash(dest)) else {
        return Err(io::Error::other("no file can be stored under this name"));
    };
    match dest.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => Ok((parent, name)),
        _ => Ok((Path::new("."), name)),
    }
}

fn ends_in_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// A copy of the process's own descriptor, if `dest` names it. So the position is shared, and the
/// file is not truncated.
fn standard(dest: &Path) -> Option<io::Result<OwnedFd>> {
    match dest.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => {
            Some(io::stdout().as_fd().try_clone_to_owned())
        }
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => {
            Some(io::stderr().as_fd().try_clone_to_owned())
        }
        _ => None,
    }
}

fn open_stream(dest: &Path) -> io::Result<File> {
    match standard(dest) {
        Some(own) => own.map(File::from),
        None => OpenOptions::new()
            .write(true)
            .custom_flags(NOCTTY)
            .open(dest),
    }
}
