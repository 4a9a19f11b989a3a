//! The errors of sending and receiving frames: the fault, the peer, and whether it is fatal.

use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use socketry_transport::{Cut, Endpoint, os_code};

use crate::contract::Plain;
use crate::{Cause, CodecError, Fault};

/// Something went wrong while frames were exchanged.
///
/// It prints as one line, also as [`Debug`](fmt::Debug), which is what a `main` shows that returns
/// it: the action, the peer, and the fault. The fault is in the words of the
/// error that it [holds](FrameError::get_ref), if it holds one. Its [`source`](StdError::source) is
/// the source of that error, so a printed chain shows each text once.
#[derive(Clone)]
pub struct FrameError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    fault: FrameFault,
    peer: Endpoint,
    action: &'static str,
    fatal: bool,
    found: Box<[u8]>,
    /// The received frame, if it is not a value of the expected type.
    frame: Option<Bytes>,
}

/// The faults of a [`FrameError`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameFault {
    /// The transport's error.
    #[error(transparent)]
    Io(Arc<io::Error>),
    /// Bytes that are not a frame, or a frame that the codec cannot carry.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A message or datagram was longer than the room for it, and its rest is lost.
    #[error("a message or datagram does not fit: {0}")]
    Cut(Cut),
    /// A frame has begun and was not finished in time.
    #[error("a frame was not finished within {0:?}")]
    TimedOut(Duration),
    /// The body of the last frame is still to be read.
    #[error("{0} bytes of a body are still to be read; read or drain them before the next frame")]
    BodyUnread(u64),
    /// The body was asked for too late: a receive of the next frame has begun after its header.
    #[error("a body is asked for right after its header, before the next frame is received")]
    BodyLate,
    /// The body of the last frame is still to be written.
    #[error("{0} bytes of a body are still to be written before the next frame")]
    BodyUnwritten(u64),
    /// More bytes than the body has left.
    #[error("a body has room for {0} more bytes, and {1} were to be written")]
    BodyFull(u64, usize),
    /// The peer ended inside a body.
    #[error("the peer ended with {0} bytes of a body missing")]
    BodyCut(u64),
    /// Datagrams have no bodies.
    #[error("a body needs a stream, and this socket carries datagrams; use tcp or unix")]
    NoBody,
    /// An earlier fatal error, or this end has finished.
    #[error("the connection is no longer of use: it was finished, or an earlier error ended it")]
    Over,
    /// A frame that is not a value of the expected type, which [`FrameError::frame`] has; or a
    /// value that cannot be written as a frame.
    #[error(transparent)]
    Value(Cause),
}

impl From<io::Error> for FrameFault {
    fn from(error: io::Error) -> Self {
        FrameFault::Io(Arc::new(error))
    }
}

impl FrameError {
    /// An error with this `fault` while `action` (a phrase such as "receive from") was under way
    /// with `peer`. `fatal` if this direction cannot be used any more. A layer above
    /// [`Framed`](super::Framed) can make its own errors so: another library's error is
    /// `io::Error::new(kind, error).into()`, or without a kind [`FrameFault::Value`].
    pub fn new(
        fault: impl Into<FrameFault>,
        action: &'static str,
        peer: &Endpoint,
        fatal: bool,
    ) -> Self {
        FrameError(Box::new(Inner {
            fault: fault.into(),
            peer: peer.clone(),
            action,
            fatal,
            found: Box::default(),
            frame: None,
        }))
    }

    /// The same error, with the front of the bytes that it is about.
    pub(super) fn about(mut self, found: Box<[u8]>) -> Self {
        self.0.found = found;
        self
    }

    /// The same error about `frame`, which was received whole.
    pub(super) fn holding(mut self, frame: Bytes) -> Self {
        self.0.frame = Some(frame);
        self
    }

    /// The fault.
    pub fn fault(&self) -> &FrameFault {
        &self.0.fault
    }

    /// The codec's fault, if the error is one: [`Fault::TooLong`], say.
    pub fn codec_fault(&self) -> Option<&Fault> {
        match self.fault() {
            FrameFault::Codec(error) => Some(&error.fault),
            _ => None,
        }
    }

    /// The first of the bytes that the codec refused, at most 128; empty for other errors.
    ///
    /// They tell a peer that speaks another codec from a peer that is broken. The peer chose them:
    /// escape them where you show them. [`Display`](fmt::Display) leaves them out.
    pub fn found(&self) -> &[u8] {
        &self.0.found
    }

    /// The frame that was received and is not a value of the expected type, as it arrived, so that
    /// it is not lost.
    pub fn frame(&self) -> Option<&Bytes> {
        self.0.frame.as_ref()
    }

    /// The peer.
    pub fn peer(&self) -> &Endpoint {
        &self.0.peer
    }

    /// Whether this direction cannot be used any more. If it is not fatal, the next call goes on
    /// after the fault.
    pub fn is_fatal(&self) -> bool {
        self.0.fatal
    }

    /// The error of another part of the program: the transport's [`io::Error`], or the
    /// [cause](Cause) that a third party's codec or format gave. `None` for a fault of this crate.
    pub fn get_ref(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        match self.fault() {
            FrameFault::Io(error) => Some(&**error),
            FrameFault::Value(cause) => Some(cause.get_ref()),
            FrameFault::Codec(error) => match &error.fault {
                Fault::Other(cause) => Some(cause.get_ref()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The system's error number, at any depth of the error of [`get_ref`](FrameError::get_ref).
    pub fn raw_os_error(&self) -> Option<i32> {
        os_code(self.get_ref()?)
    }

    /// The fault, taken out.
    pub fn into_fault(self) -> FrameFault {
        self.0.fault
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = self.0.peer.redacted();
        write!(f, "cannot {} {peer}: ", self.0.action)?;
        write!(Plain(f), "{}", self.0.fault)
    }
}

impl fmt::Debug for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for FrameError {
    /// The source of the fault. The words of the fault are in the line of this error.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.fault().source()
    }
}

/// Inside the `io::Error`, whole: [`io::Error::downcast`] gives it back.
impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> Self {
        let kind = match error.fault() {
            FrameFault::Io(inner) => inner.kind(),
            FrameFault::TimedOut(_) => io::ErrorKind::TimedOut,
            FrameFault::BodyCut(_) => io::ErrorKind::UnexpectedEof,
            FrameFault::Over => io::ErrorKind::BrokenPipe,
            FrameFault::NoBody => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, error)
    }
}
