//! The halves of the socket over a serial line.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use tokio::io::ReadBuf;
use tokio::io::unix::AsyncFd;
use tokio::time::Sleep;

use super::SerialSocket;
use super::device::{Device, Place};
use super::line::{Line, Side};
use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::socket::send::aborted_here;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf, Shape};

/// The receiving half of a [`SerialSocket`].
#[derive(Debug)]
pub struct SerialRecv {
    line: Arc<Line>,
}

/// The sending half of a [`SerialSocket`].
#[derive(Debug)]
pub struct SerialSend {
    line: Arc<Line>,
    finished: bool,
    /// All bytes are sent, or it was told that they cannot be.
    drained: bool,
    /// The wait for the bytes that the kernel still has to send.
    draining: Option<Pin<Box<Sleep>>>,
}

/// The line of a socket was hung up: inside of the [`io::Error`] of a send.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the line was hung up: {0} is gone, or its other end closed it")]
struct HungUp(String);

impl SerialSocket {
    pub(super) fn over(device: AsyncFd<Device>, place: &Place) -> Self {
        let end = &place.endpoint;
        let info = Info::new(Shape::Stream, end.clone(), end.clone());
        let info = info.with(device.get_ref().settings().clone());
        let line = Arc::new(Line::new(device, info));
        let recv = SerialRecv {
            line: Arc::clone(&line),
        };
        let send = SerialSend {
            line,
            finished: false,
            drained: false,
            draining: None,
        };
        Joined::new(recv, send)
    }
}

/// Whether the error says that the device is gone.
fn is_hang_up(error: Errno) -> bool {
    matches!(error, Errno::IO | Errno::NXIO | Errno::NODEV)
}

fn read(device: &Device, buf: &mut ReadBuf<'_>) -> io::Result<usize> {
    let room = buf.initialize_unfilled();
    match rustix::io::read(device.as_fd(), room) {
        Ok(len) => {
            buf.advance(len);
            Ok(len)
        }
        Err(error) if is_hang_up(error) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

impl SerialSend {
    fn hung_up(&self) -> io::Error {
        let device = self.line.info().local().to_string();
        io::Error::new(io::ErrorKind::BrokenPipe, HungUp(device))
    }

    fn write(&self, device: &Device, bytes: &[u8]) -> io::Result<usize> {
        rustix::io::write(device.as_fd(), bytes).map_err(|error| match is_hang_up(error) {
            true => self.hung_up(),
            false => error.into(),
        })
    }
}

impl Half for SerialRecv {
    fn info(&self) -> &Info {
        self.line.info()
    }
}

impl Half for SerialSend {
    fn info(&self) -> &Info {
        self.line.info()
    }
}

impl RecvHalf for SerialRecv {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        let device = self.line.device(Side::Recv, cx).ok_or_else(aborted_here)?;
        loop {
            let mut guard = ready!(device.poll_read_ready(cx))?;
            match guard.try_io(|device| read(device.get_ref(), buf)) {
                Ok(Ok(0)) => return Poll::Ready(Ok(Received::End)),
                Ok(Ok(_)) => return Poll::Ready(Ok(Received::Data)),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }
}

impl SendHalf for SerialSend {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let device = self.line.device(Side::Send, cx).ok_or_else(aborted_here)?;
        if self.finished {
            let words = "this end has finished sending";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, words)));
        }
        // The line is slower than any number of calls.
        let Some(part) = parts.iter().find(|part| !part.is_empty()) else {
            return Poll::Ready(Ok(0));
        };
        loop {
            let mut guard = ready!(device.poll_write_ready(cx))?;
            match guard.try_io(|device| self.write(device.get_ref(), part)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(sent) => return Poll::Ready(sent),
                Err(_would_block) => {}
            }
        }
    }

    /// Waits until the kernel has handed all bytes to the device. The peer sees no end: a line has
    /// none before it is closed.
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let device = self.line.device(Side::Send, cx).ok_or_else(aborted_here)?;
        self.finished = true;
        while !self.drained {
            if let Some(wait) = &mut self.draining {
                ready!(wait.as_mut().poll(cx));
                self.draining = None;
            }
            match device.get_ref().sends_for() {
                Ok(None) => self.drained = true,
                Ok(Some(time)) => self.draining = Some(Box::pin(tokio::time::sleep(time))),
                Err(_) => {
                    self.drained = true;
                    return Poll::Ready(Err(self.hung_up()));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Closes the device, and throws away the bytes that it has not sent.
    fn abort(&mut self, _code: u64) -> io::Result<Aborted> {
        self.line.abort();
        Ok(Aborted::End)
    }
}
