//! Which program has a device.

use std::fmt;
use std::fs;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The program that has a device, as far as it can be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holder(Option<(i32, Option<String>)>);

impl Holder {
    /// The process of this number.
    pub(super) fn process(pid: i32) -> Self {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok();
        let name = name.map(|name| name.trim_end().to_owned());
        Holder(Some((pid, name.filter(|name| !name.is_empty()))))
    }

    /// The process that has the flock(2) of the file that is open as `fd`.
    pub(super) fn of_flock(fd: BorrowedFd<'_>) -> Self {
        let found = rustix::fs::fstat(fd).ok().and_then(|stat| {
            let (major, minor) = (
                rustix::fs::major(stat.st_dev),
                rustix::fs::minor(stat.st_dev),
            );
            let file = format!("{major:02x}:{minor:02x}:{}", stat.st_ino);
            locked(&fs::read_to_string("/proc/locks").ok()?, &file)
        });
        found.map_or_else(Holder::default, Holder::process)
    }

    /// A process that has the device at `path` open. Only processes of the same user tell.
    pub(super) fn of_open(path: &Path) -> Self {
        let device = fs::metadata(path).map(|found| found.rdev());
        let found = device.ok().and_then(|device| {
            let processes = fs::read_dir("/proc").ok()?;
            let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
            ids.into_iter().find(|id| has_open(*id, device))
        });
        found.map_or_else(Holder::default, Holder::process)
    }
}

/// The process with the FLOCK of `file` in the text of `/proc/locks` (proc_locks(5)):
/// `1: FLOCK  ADVISORY  WRITE 4711 00:1a:6 0 EOF`.
fn locked(locks: &str, file: &str) -> Option<i32> {
    locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            [_, "FLOCK", _, _, pid, at, ..] if at == file => pid.parse().ok(),
            _ => None,
        }
    })
}

fn has_open(process: i32, device: u64) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    open.flatten()
        .any(|entry| fs::metadata(entry.path()).is_ok_and(|found| found.rdev() == device))
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = i32::try_from(std::process::id()).ok();
        match &self.0 {
            Some((pid, _)) if Some(*pid) == own => f.write_str("this process has it open already"),
            Some((pid, Some(name))) => write!(f, "{} (process {pid}) has it", name.escape_debug()),
            Some((pid, None)) => write!(f, "process {pid} has it"),
            None => f.write_str("another program has it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_of_a_lock_is_found_in_the_kernels_list() {
        let locks = "1: FLOCK  ADVISORY  WRITE 4711 00:1a:6 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 4712 00:1a:6 0 EOF\n\
                     2: POSIX  ADVISORY  READ 5 00:1a:7 0 EOF\n";
        assert_eq!(locked(locks, "00:1a:6"), Some(4711));
        assert_eq!(locked(locks, "00:1a:7"), None);
    }

    #[test]
    fn a_program_that_has_a_device_open_is_found() {
        use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let path = Path::new(name.to_str().unwrap());
        assert_eq!(Holder::of_open(path), Holder::default());
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let _line = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).unwrap();
        assert!(Holder::of_open(path).0.is_some());
    }

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        let holder = Holder(Some((7, Some("\u{1b}[2J".to_owned()))));
        assert_eq!(holder.to_string(), "\\u{1b}[2J (process 7) has it");
        assert_eq!(Holder::default().to_string(), "another program has it");
    }
}
