//! A listener of a serial line: one socket at a time.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

use super::calls::register;
use super::device::{Device, Place};
use super::settings::{SerialAccept, SerialSettings};
use super::{SerialSocket, hint};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::listener::Listener;

/// How long to wait before a device is opened again that is not there, or in use: at first, and at
/// most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// The listener of a [`SerialTransport`](super::SerialTransport). It has the device open and locked
/// from the beginning, and gives the next socket when the one before is gone.
#[derive(Debug)]
pub struct SerialListener {
    place: Place,
    settings: SerialSettings,
    line: State,
    rest: Option<Pin<Box<Sleep>>>,
    next_rest: Duration,
}

#[derive(Debug)]
enum State {
    /// The device is open, for the next socket.
    Open(AsyncFd<Device>, Closed),
    /// A socket has it, and tells when that is closed.
    Taken(Closed),
    /// It is to be opened again.
    Gone,
}

type Closed = oneshot::Receiver<Infallible>;

fn open(place: &Place, settings: &SerialSettings) -> Result<State> {
    let (tell, closed) = oneshot::channel();
    let device = Device::open(place, settings, Some(tell))?;
    let device = register(device).map_err(|error| hint::failed("open", place, error))?;
    Ok(State::Open(device, closed))
}

impl SerialListener {
    pub(super) fn new(place: Place, settings: SerialSettings) -> Result<Self> {
        let line = open(&place, &settings)?;
        Ok(SerialListener {
            place,
            settings,
            line,
            rest: None,
            next_rest: BACK_OFF.0,
        })
    }

    /// Opens the device again, once it is there and no other program has it.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if let Some(rest) = &mut self.rest {
                ready!(rest.as_mut().poll(cx));
                self.rest = None;
            }
            match open(&self.place, &self.settings) {
                Ok(line) => {
                    self.line = line;
                    return Poll::Ready(Ok(()));
                }
                Err(error) if passes(&error) => self.back_off(&error),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn back_off(&mut self, error: &Error) {
        if self.next_rest == BACK_OFF.0 {
            tracing::warn!(listener = %self.place.endpoint, %error, "waiting for the line");
        }
        self.rest = Some(Box::pin(sleep(self.next_rest)));
        self.next_rest = (self.next_rest * 2).min(BACK_OFF.1);
    }
}

/// Whether the device may come back, or become free. One that comes back is root's alone until udev
/// has given it to its group.
fn passes(error: &Error) -> bool {
    use ErrorKind::{Denied, InUse, NotFound};
    matches!(error.kind(), NotFound | InUse | Denied)
        || matches!(
            error.raw_os_error(),
            Some(libc::EIO | libc::ENXIO | libc::ENODEV)
        )
}

/// Waits for the first byte. An error says that the line was hung up.
fn poll_byte(device: &AsyncFd<Device>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    loop {
        let mut guard = ready!(device.poll_read_ready(cx))?;
        let waiting = |device: &AsyncFd<Device>| match rustix::io::ioctl_fionread(device.as_fd())? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        };
        if let Ok(done) = guard.try_io(waiting) {
            return Poll::Ready(done);
        }
    }
}

impl Listener for SerialListener {
    type Socket = SerialSocket;

    fn local(&self) -> &Endpoint {
        &self.place.endpoint
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<SerialSocket>> {
        loop {
            match &mut self.line {
                State::Open(device, _) => {
                    if self.settings.accept == SerialAccept::Data
                        && let Err(error) = ready!(poll_byte(device, cx))
                    {
                        self.line = State::Gone;
                        self.back_off(&hint::failed("open", &self.place, error));
                        continue;
                    }
                }
                State::Taken(closed) => {
                    // It tells by being dropped.
                    let _ = ready!(Pin::new(closed).poll(cx));
                    self.line = State::Gone;
                    continue;
                }
                State::Gone => {
                    ready!(self.poll_open(cx))?;
                    continue;
                }
            }
            if let State::Open(device, closed) = std::mem::replace(&mut self.line, State::Gone) {
                self.line = State::Taken(closed);
                self.next_rest = BACK_OFF.0;
                return Poll::Ready(Ok(SerialSocket::over(device, &self.place)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_plugged_in_again_belongs_to_root_at_first() {
        let at: Endpoint = "serial:///dev/ttyUSB0".parse().unwrap();
        let failed = |kind: io::ErrorKind| Error::io("open", &at, kind.into());
        assert!(passes(&failed(io::ErrorKind::PermissionDenied)));
        assert!(passes(&failed(io::ErrorKind::NotFound)));
        assert!(!passes(&failed(io::ErrorKind::Unsupported)));
    }
}
