//! Why a device cannot be opened, and the way out.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::device::Place;
use crate::contract::error::{Error, ErrorKind};

/// How many devices an error names.
const MOST_NAMED: usize = 5;

/// How the names of real serial lines begin. Most systems have many `ttyS` without a device.
const LINES: [&str; 4] = ["ttyUSB", "ttyACM", "ttyAMA", "rfcomm"];

pub(super) fn failed(action: &'static str, place: &Place, error: io::Error) -> Error {
    let hint = match (ErrorKind::from(&error), error.raw_os_error()) {
        (ErrorKind::NotFound, _) => missing(&names(Path::new("/dev"))),
        (ErrorKind::Denied, _) => denied(&group_of(&place.path)),
        (_, Some(libc::EIO | libc::ENXIO | libc::ENODEV)) => {
            "there is no hardware behind that name, or it was unplugged".to_owned()
        }
        _ => return Error::io(action, &place.endpoint, error),
    };
    Error::io(action, &place.endpoint, error).hint(hint)
}

fn missing(others: &[String]) -> String {
    match others {
        [] => "is it plugged in? no USB serial line is".to_owned(),
        others => format!("is it plugged in? there is {}", others.join(", ")),
    }
}

/// The serial lines in `folder`.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_line = |name: &String| LINES.iter().any(|line| name.starts_with(line));
    let mut names: Vec<_> = names.filter(is_line).collect();
    names.sort();
    names.truncate(MOST_NAMED);
    names
        .iter()
        .map(|name| folder.join(name).display().to_string())
        .collect()
}

fn denied(group: &str) -> String {
    format!(
        "it is for the group {group}: add the user to that, with usermod -aG {group} USER, and log \
         in again"
    )
}

/// The group that a device belongs to: `dialout` on Debian, `uucp` on others.
fn group_of(path: &Path) -> String {
    let id = fs::metadata(path).map(|found| found.gid());
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let found = id.ok().and_then(|id| named(&groups, id));
    found.unwrap_or_else(|| "dialout".to_owned())
}

/// The group of this number in the text of `/etc/group`. Root's is for no other user.
fn named(groups: &str, id: u32) -> Option<String> {
    let found = groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(id)).then_some(name)
    });
    found.filter(|_| id != 0).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_number() {
        let groups = "root:x:0:\ndialout:x:20:ann,bob\nuucp:x:14:\n";
        assert_eq!(named(groups, 20).as_deref(), Some("dialout"));
        assert_eq!(named(groups, 14).as_deref(), Some("uucp"));
        assert_eq!(named(groups, 0), None);
        assert_eq!(named(groups, 7), None);
    }

    #[test]
    fn a_user_without_the_right_is_told_its_group() {
        let place = Place::of(&"serial:///dev/null".parse().unwrap()).unwrap();
        let error = failed("open", &place, io::ErrorKind::PermissionDenied.into());
        assert_eq!(error.kind(), ErrorKind::Denied);
        let words = error.to_string();
        assert!(words.contains("usermod -aG dialout USER"), "{words}");
    }

    #[test]
    fn the_lines_that_there_are_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ttyS0", "ttyUSB1", "ttyUSB0", "null", "ttyACM0"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = names(folder.path());
        let ends: Vec<_> = names.iter().map(|name| name.rsplit('/').next()).collect();
        assert_eq!(ends, [Some("ttyACM0"), Some("ttyUSB0"), Some("ttyUSB1")]);
        assert!(missing(&names).contains("there is /"));
        assert!(missing(&[]).contains("no USB serial line"));
    }
}
