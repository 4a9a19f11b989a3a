//! One program at a time: the locks that programs take on a serial line.
//!
//! There are three, and each finds other programs (measured, on Debian 12):
//!
//! * flock(2) of the device: picocom 3.1, pyserial 3.5 with `exclusive=True`, serialport-rs 4;
//! * a file that names a process, `/var/lock/LCK..ttyUSB0` (UUCP's): minicom 2.8, pppd, and picocom
//!   where it is built so;
//! * TIOCEXCL: the kernel refuses all other programs, but for those of root.
//!
//! This crate takes all of them. The kernel releases the first and the last with the process; a
//! file of a process that is gone counts for nothing, here as for the others.

use std::fs;
use std::io::{self, ErrorKind as Io, Read, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::process::{Pid, test_kill_process};
use rustix::termios::{ioctl_tiocexcl, ioctl_tiocnxcl};

use super::holder::Holder;

/// Where the files are (FHS 3.0, 5.9).
const FILES: &str = "/var/lock";

/// The longest file that is read: one line with a number.
const LONGEST: u64 = 64;

/// The locks of an open device.
#[derive(Debug)]
pub(super) struct Lock {
    file: Option<PathBuf>,
}

/// Why a device cannot be locked.
#[derive(Debug)]
pub(super) enum Refusal {
    Held(Holder),
    Failed(io::Error),
}

impl Lock {
    /// Locks the device that is open as `fd`, whose real path is `path`.
    pub(super) fn take(fd: BorrowedFd<'_>, path: &Path) -> Result<Self, Refusal> {
        match flock(fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Refusal::Held(Holder::of_flock(fd))),
            Err(error) => return Err(Refusal::Failed(error.into())),
        }
        let file = make_file(&Path::new(FILES).join(file_name(path)))?;
        // Here, so that a failure drops the file.
        let lock = Lock { file };
        ioctl_tiocexcl(fd).map_err(|error| Refusal::Failed(error.into()))?;
        Ok(lock)
    }

    /// Lets other programs open the device again. The file goes first: then it is still ours.
    pub(super) fn release(&mut self, fd: BorrowedFd<'_>) {
        self.remove_file();
        // A process that another thread is just starting has the descriptor, too, until it runs its
        // program, and another program of root may have the device open. Both would keep these.
        let _ = ioctl_tiocnxcl(fd);
        let _ = flock(fd, FlockOperation::Unlock);
    }

    fn remove_file(&mut self) {
        if let Some(file) = self.file.take()
            && matches!(owner(&file), Ok(Some(owner)) if owner == Pid::as_raw(Some(own())))
        {
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.remove_file();
    }
}

fn own() -> Pid {
    rustix::process::getpid()
}

/// `LCK..ttyUSB0`, and `LCK..pts_3` for a device in a folder, as minicom has it.
fn file_name(path: &Path) -> String {
    let name = path.strip_prefix("/dev").unwrap_or(path);
    let name = name.to_string_lossy();
    format!("LCK..{}", name.trim_start_matches('/').replace('/', "_"))
}

/// The process that a lock file names: a line with a decimal number, or (old programs) four bytes.
/// `None` if it names none: 0 and numbers below stand for groups and for all. Any user may have made
/// it: a link is not followed, and a FIFO has no bytes.
fn owner(file: &Path) -> io::Result<Option<i32>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = fs::File::from(rustix::fs::open(file, flags, Mode::empty())?);
    let mut bytes = Vec::new();
    opened.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(named(&bytes).filter(|process| *process > 0))
}

fn named(bytes: &[u8]) -> Option<i32> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes)
        && !four
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace())
    {
        return Some(i32::from_ne_bytes(four));
    }
    let text = String::from_utf8_lossy(bytes);
    text.split_whitespace().next()?.parse().ok()
}

/// Another process that a lock file names, and that lives.
fn holder(file: &Path) -> Option<Holder> {
    let owner = Pid::from_raw(owner(file).ok()??)?;
    // The other locks of this process were free, so its own file is one that a process left which
    // had this number before.
    if owner == own() {
        return None;
    }
    match test_kill_process(owner) {
        Err(rustix::io::Errno::SRCH) => None,
        _ => Some(Holder::process(owner.as_raw_pid())),
    }
}

/// Makes the lock file whole, or not at all. `None` where this user cannot make one: the other two
/// locks hold then.
fn make_file(file: &Path) -> Result<Option<PathBuf>, Refusal> {
    let pid = own().as_raw_pid();
    let new = file.with_file_name(format!("LTMP..socketry.{pid}.{}", unique()));
    if write_new(&new, &format!("{pid:>10}\n")).is_err() {
        let _ = fs::remove_file(&new);
        return holder(file).map_or(Ok(None), |holder| Err(Refusal::Held(holder)));
    }
    let made = link(&new, file);
    let _ = fs::remove_file(&new);
    made
}

/// Writes a file that was not there. Any user may put a link in its place.
fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let made = fs::File::create_new(file);
    made?.write_all(text.as_bytes())
}

fn link(new: &Path, file: &Path) -> Result<Option<PathBuf>, Refusal> {
    // The second try is behind a file of a process that is gone.
    for _ in 0..2 {
        match fs::hard_link(new, file) {
            Ok(()) => return Ok(Some(file.to_owned())),
            Err(error) if error.kind() == Io::AlreadyExists => {}
            Err(_) => return Ok(None),
        }
        if let Some(holder) = holder(file) {
            return Err(Refusal::Held(holder));
        }
        if fs::remove_file(file).is_err() {
            return Ok(None);
        }
    }
    // Another program was faster.
    Err(Refusal::Held(holder(file).unwrap_or_default()))
}

/// Differs for each device that this process opens.
fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_other_programs_name_them() {
        for (path, name) in [
            ("/dev/ttyUSB0", "LCK..ttyUSB0"),
            ("/dev/pts/3", "LCK..pts_3"),
            ("/tmp/line", "LCK..tmp_line"),
        ] {
            assert_eq!(file_name(Path::new(path)), name);
        }
    }

    #[test]
    fn a_file_names_its_process_in_any_form() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("LCK..x");
        for (bytes, found) in [
            (&b"      4711\n"[..], Some(4711)),
            (b"4711", Some(4711)),
            (b"4711 minicom root\n", Some(4711)),
            (&4711_i32.to_ne_bytes(), Some(4711)),
            (b"", None),
            (b"nobody\n", None),
            // To ask kill(2) for these would be to ask for a group, or for all processes.
            (b"        -1\n", None),
            (b"0\n", None),
            (&(-4711_i32).to_ne_bytes(), None),
        ] {
            fs::write(&file, bytes).unwrap();
            assert_eq!(owner(&file).unwrap(), found, "{bytes:?}");
        }
    }

    #[test]
    fn a_file_of_a_process_that_is_gone_is_replaced_and_another_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("LCK..x");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        fs::write(&file, format!("{:>10}\n", child.id())).unwrap();
        let mut lock = Lock {
            file: make_file(&file).unwrap(),
        };
        let ours = fs::read_to_string(&file).unwrap();
        assert_eq!(ours, format!("{:>10}\n", std::process::id()));
        lock.remove_file();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);

        // The test's parent lives.
        let parent = rustix::process::getppid().unwrap().as_raw_pid();
        fs::write(&file, format!("{parent:>10}\n")).unwrap();
        let Err(Refusal::Held(holder)) = make_file(&file) else {
            panic!("the file of a process that lives was replaced");
        };
        let words = holder.to_string();
        assert!(words.contains(&format!("process {parent}")), "{words}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_another_user_puts_there_is_neither_written_nor_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let [file, secret, link] = ["LCK..x", "secret", "link"].map(|at| directory.path().join(at));
        fs::write(&secret, "kept").unwrap();
        std::os::unix::fs::symlink(&secret, &link).unwrap();
        assert!(write_new(&link, "new").is_err());
        assert_eq!(fs::read_to_string(&secret).unwrap(), "kept");
        assert!(owner(&link).is_err());

        // Nobody writes to it. To open it for reading would wait for that.
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &file, kind, Mode::RWXU, 0).unwrap();
        assert_eq!(owner(&file).unwrap(), None);
        assert!(matches!(make_file(&file), Ok(Some(_))));
    }

    #[test]
    fn without_a_place_for_files_there_is_none() {
        assert!(matches!(make_file(Path::new("/no/such/LCK..x")), Ok(None)));
    }
}
