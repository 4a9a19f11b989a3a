//! `Framed`: frames over a socket, or over a half of one, with a codec.
//!
//! Its tests are those of the crate `socketry-testkit`, `crates/testkit/tests/framed*.rs`: they
//! need sockets that follow a script, and that crate has them and depends on this one.

mod body;
mod error;
mod feed;
mod frames;
mod halves;
mod input;
mod meter;
mod output;
mod quick;
mod recv;
mod send;
mod sender;
mod sink;
mod typed;
mod watch;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use socketry_transport::{Endpoint, Half, Shape};
use tokio::task::coop::consume_budget;

pub use body::{Body, BodyWriter};
pub use error::{FrameError, FrameFault};
pub use feed::FeedError;
pub use frames::Frames;
pub use halves::Strangers;
pub use meter::Meter;
pub use sender::Sender;
pub use typed::{Typed, TypedSender};
pub use watch::{Waiting, Watch};

use crate::{BoxCodec, Codec};
use input::Input;
use output::Output;

/// Frames over a socket.
///
/// `S` is a [`Socket`](socketry_transport::Socket), or one half of it: A socket that receives has
/// [`recv`](Framed::recv), [`recv_bytes`](Framed::recv_bytes) and [`body`](Framed::body); One that
/// sends has [`send`](Framed::send), [`feed`](Framed::feed), [`flush`](Framed::flush) and
/// [`body_writer`](Framed::body_writer). For many small frames [`recv_many`](Framed::recv_many) and
/// [`feed_many`](Framed::feed_many) are faster. [`split`](Framed::split) gives two halves for two
/// tasks, and [`reunite`](Framed::reunite) takes them back.
///
/// ```
/// use socketry_codec::{Framed, Struct};
/// use socketry_transport::{connect, listen, Listener};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = listen("tcp://127.0.0.1:0").await?;
/// let mut client = Framed::new(connect(server.local()).await?, Struct::default());
/// let mut accepted = Framed::new(server.accept().await?, Struct::default());
///
/// client.feed(b"two frames").await?;
/// client.send(b"in one write").await?;
/// assert_eq!(accepted.recv().await?, Some(&b"two frames"[..]));
/// assert_eq!(accepted.recv().await?, Some(&b"in one write"[..]));
/// # Ok(()) }
/// ```
///
/// An error concerns one frame, unless it [is fatal](FrameError::is_fatal); the next call goes on
/// after it:
///
/// ```
/// # use socketry_codec::{FrameError, Framed, Struct};
/// # use socketry_transport::BoxSocket;
/// # async fn serve(mut framed: Framed<BoxSocket, Struct>) -> Result<(), FrameError> {
/// loop {
///     match framed.recv().await {
///         Ok(Some(frame)) => println!("{} bytes", frame.len()),
///         Ok(None) => return Ok(()),
///         Err(error) if !error.is_fatal() => eprintln!("passed over: {error}"),
///         Err(error) => return Err(error),
///     }
/// }
/// # }
/// ```
///
/// # Over messages and datagrams
///
/// One message or datagram may have several frames, and no frame continues in another one. Each
/// frame is sent as one, also if it is fed. A fault of the codec drops the rest of its message or
/// datagram, and is never fatal. An empty one is a frame, if the codec has empty frames.
///
/// Over [messages](Shape::Message) everything else is as over a stream: an error of the socket is
/// fatal, there is an end, and a body may follow a frame. A body is a sequence of bytes, which is
/// sent as messages of at most 64 KiB, and received wherever the peer's boundaries are: also behind
/// its header in the same message.
///
/// # What is bounded
///
/// The codec bounds the length of a frame, [`frame_time`](Framed::frame_time) the time to finish
/// one that has begun, and [`high_water`](Framed::high_water) the bytes that wait to be written. A
/// body has no limit of time: only its application knows how long it may take.
///
/// The receive buffer is given room for at most the largest of: one read (64 KiB), twice what has
/// arrived, and the largest frame that this peer has completed. It never follows a length that was
/// only claimed.
pub struct Framed<S, C = BoxCodec> {
    socket: S,
    codec: C,
    input: Input,
    output: Output,
}

/// The parts of a [`Framed`], with the bytes that it holds.
#[derive(Debug)]
pub struct FramedParts<S, C = BoxCodec> {
    /// The socket.
    pub socket: S,
    /// The codec.
    pub codec: C,
    /// Bytes that arrived and belong to no frame that was given out.
    pub received: BytesMut,
    /// Bytes of frames that were fed and not written yet.
    pub unsent: BytesMut,
}

/// In the middle of a frame or body, a `Framed` cannot be taken apart or get another codec. This
/// holds it, unchanged.
#[derive(thiserror::Error)]
#[error("a frame or body is under way; finish it before another codec or owner takes over")]
pub struct MidFrame<F>(pub Box<F>);

impl<F> fmt::Debug for MidFrame<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MidFrame")
    }
}

impl<S: Half, C: Codec> Framed<S, C> {
    /// Joins `socket` and `codec`.
    pub fn new(socket: S, codec: C) -> Self {
        let shape = socket.shape();
        Framed {
            socket,
            codec,
            input: Input::new(shape),
            output: Output::new(shape),
        }
    }

    /// Joins parts again, with the bytes that they hold.
    pub fn from_parts(parts: FramedParts<S, C>) -> Self {
        let mut framed = Framed::new(parts.socket, parts.codec);
        framed.input.restore(parts.received);
        framed.output.restore(parts.unsent);
        framed
    }

    /// The longest time from the first byte of a frame to its last; `None` for no limit. Default
    /// [`DEFAULT_FRAME_TIME`](crate::limits::DEFAULT_FRAME_TIME), 30 seconds, for which the runtime
    /// needs its timers.
    ///
    /// A frame that is late only because no task received it meanwhile is not refused if its bytes
    /// have arrived.
    #[must_use]
    pub fn frame_time(mut self, limit: Option<Duration>) -> Self {
        self.input.set_frame_time(limit);
        self
    }

    /// Asks `watch` each time that a receive has to wait for the peer, in place of an earlier one.
    /// It can end the receiving, or fail it: when a server stops, or a peer is silent for too long.
    #[must_use]
    pub fn watched(mut self, watch: impl Watch + 'static) -> Self {
        self.input.set_watch(Box::new(watch));
        self
    }

    /// Tells `meter` of frames, errors and buffers from now on, in place of an earlier one. It may
    /// refuse a buffer that grows. After [`split`](Framed::split) both halves tell it.
    #[must_use]
    pub fn metered(mut self, meter: Arc<dyn Meter>) -> Self {
        self.input.forget_frames();
        self.input.hooks().set_meter(Arc::clone(&meter));
        self.output.set_meter(meter);
        self
    }

    /// The most bytes that wait before [`feed`](Framed::feed) writes them. Default
    /// [`DEFAULT_HIGH_WATER`](crate::limits::DEFAULT_HIGH_WATER), 256 KiB. The buffer grows with
    /// the frames that are fed, and [`flush`](Framed::flush) gives a large one back.
    #[must_use]
    pub fn high_water(mut self, bytes: usize) -> Self {
        self.output.high_water = bytes.max(1);
        self
    }

    /// Stream, messages or datagrams.
    pub fn shape(&self) -> Shape {
        self.socket.shape()
    }

    /// This end.
    pub fn local(&self) -> &Endpoint {
        self.socket.local()
    }

    /// The other end, from which all frames come.
    pub fn peer(&self) -> &Endpoint {
        self.socket.peer()
    }

    /// The socket.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// The socket, to abort it, for instance. Bytes that are sent or received through it bypass the
    /// codec and the buffers.
    pub fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// The codec.
    pub fn codec(&self) -> &C {
        &self.codec
    }

    /// The same connection with another codec from now on. The new codec gets the bytes that have
    /// arrived already.
    ///
    /// # Errors
    /// In the middle of a frame or body; the error gives `self` back.
    pub fn with_codec<D: Codec>(self, codec: D) -> Result<Framed<S, D>, MidFrame<Self>> {
        if !self.at_boundary() {
            return Err(MidFrame(Box::new(self)));
        }
        let Framed {
            socket,
            mut input,
            output,
            ..
        } = self;
        input.forget_frames();
        Ok(Framed {
            socket,
            codec,
            input,
            output,
        })
    }

    /// Whether it is at a frame boundary, with no body under way and no bytes to pass over.
    pub fn at_boundary(&self) -> bool {
        self.codec.at_boundary() && self.input.at_boundary() && self.output.owed == 0
    }

    /// The bytes that have arrived and belong to no frame that was given out: the beginning of a
    /// frame, or frames that the caller has not received yet. Empty after a fatal error.
    ///
    /// They grow while a receive waits.
    pub fn unread(&self) -> &[u8] {
        self.input.unread()
    }

    /// Takes it apart. An empty message or datagram that waits is lost.
    ///
    /// # Errors
    /// In the middle of a frame that is passed over, or of a body: the bytes would be taken for
    /// frames. The error gives `self` back; [`into_socket`](Framed::into_socket) gives only the
    /// socket, at any time.
    pub fn into_parts(self) -> Result<FramedParts<S, C>, MidFrame<Self>> {
        if !self.at_boundary() {
            return Err(MidFrame(Box::new(self)));
        }
        Ok(FramedParts {
            socket: self.socket,
            codec: self.codec,
            received: self.input.into_unread(),
            unsent: self.output.into_unsent(),
        })
    }

    /// The socket. Bytes that were received and not given out are lost, and so are frames that were
    /// fed and not written.
    pub fn into_socket(self) -> S {
        self.socket
    }
}

/// Called before each call of a socket. Pending if the budget of this task is used up, even if the
/// socket is ready. A peer that keeps a socket busy must not occupy a thread of the runtime, and
/// not every transport prevents that.
fn poll_turn(cx: &mut Context<'_>) -> Poll<()> {
    pin!(consume_budget()).poll(cx)
}

impl<S: Half, C> fmt::Debug for Framed<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, peer) = (self.socket.local(), self.socket.peer());
        write!(f, "Framed({} to {})", local.redacted(), peer.redacted())
    }
}
