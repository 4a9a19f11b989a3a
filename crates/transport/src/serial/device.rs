//! An open device: it is locked, has the settings that were asked for, and gets its old ones back.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use tokio::sync::oneshot;

use super::calls::{self, Wire};
use super::holder::Holder;
use super::lock::{Lock, Refusal};
use super::settings::SerialSettings;
use super::{hint, termios};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};

/// How long a device that is closed may send nothing, with bytes left to send, before those are
/// thrown away: as long as the kernel waits by default (`closing_wait`).
const LINGER: Duration = Duration::from_secs(30);

/// How long to wait before asking again how many bytes are left: at least, and at most.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));

/// A device, until it is dropped. Then it is closed: at once, or, where bytes are left to send, by
/// a thread that sends them first.
#[derive(Debug)]
pub(super) struct Device(Arc<Open>);

/// Closed when it is dropped, in the order of `drop` and then of the fields.
#[derive(Debug)]
struct Open {
    before: Termios,
    settings: SerialSettings,
    lock: Option<Lock>,
    fd: OwnedFd,
    /// Tells a listener that the device is closed.
    _closed: Option<oneshot::Sender<Infallible>>,
}

/// Where a device is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Without a query.
    pub(super) endpoint: Endpoint,
    pub(super) path: PathBuf,
}

const ACTION: &str = "open";

impl Place {
    pub(super) fn of(endpoint: &Endpoint) -> Result<Self> {
        let place = endpoint.clone().without_query();
        let path = place.socket_path().map(std::borrow::Cow::into_owned);
        match path.filter(|path| path.is_absolute()) {
            Some(path) => Ok(Place {
                endpoint: place,
                path,
            }),
            None => Err(Error::new(ErrorKind::InvalidEndpoint, ACTION, &place)
                .because("it names no device by its whole path")
                .hint("write serial:///dev/ttyUSB0, with three slashes")),
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        hint::failed(ACTION, self, error)
    }

    fn in_use(&self, holder: &Holder) -> Error {
        Error::new(ErrorKind::InUse, ACTION, &self.endpoint)
            .because(holder)
            .hint("close it there first; exclusive=false shares the device, and its bytes")
    }

    /// Refuses anything but a character device before it is opened, which may have effects.
    fn check(&self) -> Result<()> {
        let found = fs::metadata(&self.path).map_err(|error| self.failed(error))?;
        match found.file_type().is_char_device() {
            true => Ok(()),
            false => Err(self.no_line()),
        }
    }

    fn no_line(&self) -> Error {
        Error::new(ErrorKind::Unsupported, ACTION, &self.endpoint)
            .because("it is no serial line")
            .hint("name a device such as /dev/ttyUSB0, or a pseudo terminal")
    }
}

impl Device {
    /// Opens the device at `place`. `closed` is dropped once it is closed.
    pub(super) fn open(
        place: &Place,
        settings: &SerialSettings,
        closed: Option<oneshot::Sender<Infallible>>,
    ) -> Result<Self> {
        place.check()?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd =
            rustix::fs::open(&place.path, flags, Mode::empty()).map_err(|error| match error {
                rustix::io::Errno::BUSY => place.in_use(&Holder::of_open(&place.path)),
                error => place.failed(error.into()),
            })?;
        let before = tcgetattr(&fd).map_err(|error| match error {
            rustix::io::Errno::NOTTY => place.no_line(),
            error => place.failed(error.into()),
        })?;
        let lock = settings.exclusive.then(|| lock(&fd, place)).transpose()?;
        let mut open = Open {
            before,
            settings: settings.clone(),
            lock,
            fd,
            _closed: closed,
        };
        open.configure(place)?;
        Ok(Device(Arc::new(open)))
    }

    /// The settings, as the device has them.
    pub(super) fn settings(&self) -> &SerialSettings {
        &self.0.settings
    }

    /// How long the bytes take that the kernel still has to send; `None` if there are none.
    pub(super) fn sends_for(&self) -> io::Result<Option<Duration>> {
        self.0.sends_for()
    }

    /// Throws away all bytes that are not sent, or not received.
    pub(super) fn forget_bytes(&self) {
        let _ = tcflush(&self.0.fd, QueueSelector::IOFlush);
    }
}

fn lock(fd: &OwnedFd, place: &Place) -> Result<Lock> {
    // Links have many names, and programs agree on that of the device.
    let path = fs::canonicalize(&place.path);
    let path = path.as_deref().unwrap_or(Path::new(&place.path));
    Lock::take(fd.as_fd(), path).map_err(|refusal| match refusal {
        Refusal::Held(holder) => place.in_use(&holder),
        Refusal::Failed(error) => place.failed(error),
    })
}

impl Open {
    /// Gives the device its settings, and compares what it has then.
    fn configure(&mut self, place: &Place) -> Result<()> {
        let failed = |error: rustix::io::Errno| place.failed(error.into());
        let asked = termios::asked(&self.before, &self.settings).map_err(failed)?;
        tcsetattr(&self.fd, OptionalActions::Now, &asked).map_err(failed)?;
        let found = tcgetattr(&self.fd).map_err(failed)?;
        if let Some(difference) = termios::difference((&asked, &self.settings), &found) {
            return Err(Error::new(ErrorKind::Unsupported, ACTION, &place.endpoint)
                .caused_by(difference)
                .hint("ask for what it has, or use another device"));
        }
        self.settings = termios::found(&found, &self.settings);
        let wires = [
            ("dtr", Wire::Dtr, self.settings.dtr),
            ("rts", Wire::Rts, self.settings.rts),
        ];
        for (key, wire, on) in wires {
            let Some(on) = on else { continue };
            calls::set_wire(self.fd.as_fd(), wire, on).map_err(|error| {
                Error::new(ErrorKind::Unsupported, ACTION, &place.endpoint)
                    .because(format_args!("{key}={on} was asked for: {error}"))
                    .caused_by(error)
                    .hint(format_args!("leave {key} out: the device has no such wire"))
            })?;
        }
        Ok(())
    }

    fn sends_for(&self) -> io::Result<Option<Duration>> {
        let bytes = calls::unsent(self.fd.as_fd())?;
        let bits = u64::from(bytes) * u64::from(self.settings.bits_a_byte());
        let time = Duration::from_millis(bits * 1000 / u64::from(self.settings.baud.max(1)));
        Ok((bytes > 0).then(|| time.clamp(ASK_AGAIN.0, ASK_AGAIN.1)))
    }

    /// Waits until all is sent, or nothing is sent for [`LINGER`].
    fn drain(&self) {
        let (mut left, mut waited) = (u32::MAX, Duration::ZERO);
        while let Ok(Some(time)) = self.sends_for()
            && waited < LINGER
        {
            std::thread::sleep(time);
            let now = calls::unsent(self.fd.as_fd()).unwrap_or(0);
            waited = if now < left {
                Duration::ZERO
            } else {
                waited + time
            };
            left = now;
        }
        let _ = tcflush(&self.fd, QueueSelector::OFlush);
    }
}

/// Restores the settings. If the line was hung up there is nothing to restore, and all this fails.
impl Drop for Open {
    fn drop(&mut self) {
        // The device may have bytes of which the kernel does not know. They go out with the
        // settings that they were sent with, even if the peer has stopped this end.
        if let Ok(now) = tcgetattr(&self.fd) {
            let _ = tcsetattr(&self.fd, OptionalActions::Now, &termios::unstopped(now));
        }
        let _ = tcsetattr(&self.fd, OptionalActions::Drain, &self.before);
        if let Some(lock) = &mut self.lock {
            lock.release(self.fd.as_fd());
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.0.sends_for() {
            let open = Arc::clone(&self.0);
            let name = "serial-close".to_owned();
            let thread = std::thread::Builder::new().name(name);
            if thread.spawn(move || open.drain()).is_err() {
                // Here nothing may wait for them.
                self.forget_bytes();
            }
        }
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.fd.as_fd()
    }
}

impl AsRawFd for Device {
    fn as_raw_fd(&self) -> RawFd {
        self.0.fd.as_raw_fd()
    }
}
