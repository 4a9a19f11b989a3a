//! A socket, or a half of one, and a codec: frames.
//!
//! Its tests are those of the crate `socketry-testkit`, `crates/testkit/tests/framed*.rs`: they
//! need sockets that follow a script, and that crate has them and depends on this one.

mod body;
mod error;
mod feed;
mod frames;
mod halves;
mod input;
mod output;
mod quick;
mod recv;
mod send;
mod sender;
mod sink;
mod typed;

use std::fmt;
use std::pin::pin;
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
pub use sender::Sender;
pub use typed::{Typed, TypedSender};

use crate::{BoxCodec, Codec};
use input::Input;
use output::Output;

/// Frames over a socket.
///
/// `S` is a [`Socket`](socketry_transport::Socket), or one half of it: where it receives, there are
/// [`recv`](Framed::recv), [`recv_bytes`](Framed::recv_bytes) and [`body`](Framed::body); where it
/// sends, [`send`](Framed::send), [`feed`](Framed::feed), [`flush`](Framed::flush) and
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
/// An error concerns one frame, unless it [is fatal](FrameError::is_fatal); the conversation goes
/// on behind it:
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
/// # What is bounded
///
/// A frame by its codec; the time to finish one that has begun by
/// [`frame_time`](Framed::frame_time); what waits to be written by
/// [`high_water`](Framed::high_water). A body has no limit of time: its application knows what is
/// too slow.
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

/// A [`Framed`] taken apart, with what it holds.
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

/// It cannot be taken apart, or given to another codec, in the middle of a frame or body. What was
/// refused is inside, as it was.
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
        let stream = socket.shape().is_stream();
        Framed {
            socket,
            codec,
            input: Input::new(stream),
            output: Output::new(stream),
        }
    }

    /// Joins parts again, with the bytes that they hold.
    pub fn from_parts(parts: FramedParts<S, C>) -> Self {
        let mut framed = Framed::new(parts.socket, parts.codec);
        framed.input.restore(parts.received);
        framed.output.datagram = !framed.shape().is_stream() && !parts.unsent.is_empty();
        framed.output.buf = parts.unsent;
        framed
    }

    /// How long a frame may take from its first byte to its last; `None` for ever. Default
    /// [`DEFAULT_FRAME_TIME`](crate::limits::DEFAULT_FRAME_TIME), 30 seconds, for which the runtime
    /// needs its timers.
    ///
    /// A frame that is late because nobody received meanwhile is not refused while its bytes are
    /// there.
    #[must_use]
    pub fn frame_time(mut self, limit: Option<Duration>) -> Self {
        self.input.set_frame_time(limit);
        self
    }

    /// How many bytes may wait before [`feed`](Framed::feed) writes them. Default
    /// [`DEFAULT_HIGH_WATER`](crate::limits::DEFAULT_HIGH_WATER), 256 KiB. The buffer grows with
    /// what is fed, and a large one is given back by [`flush`](Framed::flush).
    #[must_use]
    pub fn high_water(mut self, bytes: usize) -> Self {
        self.output.high_water = bytes.max(1);
        self
    }

    /// Stream or datagrams.
    pub fn shape(&self) -> Shape {
        self.socket.shape()
    }

    /// This end.
    pub fn local(&self) -> &Endpoint {
        self.socket.local()
    }

    /// The other end: who sent every frame, and every error, that is received here.
    pub fn peer(&self) -> &Endpoint {
        self.socket.peer()
    }

    /// The socket.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// The socket, to abort it, for instance. What is sent and received there passes the codec and
    /// the buffers by.
    pub fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// The codec.
    pub fn codec(&self) -> &C {
        &self.codec
    }

    /// The same connection with another codec from here on. The bytes that are here already go to
    /// the new one.
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

    /// Whether it stands between frames, with no body under way and nothing to be passed over.
    pub fn at_boundary(&self) -> bool {
        self.codec.at_boundary() && self.input.at_boundary() && self.output.owed == 0
    }

    /// The bytes that have arrived and belong to no frame that was given out: the beginning of a
    /// frame, or frames that nobody has asked for yet. Empty after a fatal error.
    ///
    /// While a receive waits they show what it has so far.
    pub fn unread(&self) -> &[u8] {
        self.input.unread()
    }

    /// Takes it apart. On a datagram socket an empty datagram that waits is lost.
    ///
    /// # Errors
    /// In the middle of a frame that is passed over, or of a body: the bytes would be taken for
    /// frames. The error gives `self` back; [`into_socket`](Framed::into_socket) is for those who
    /// want no more than the socket.
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

    /// The socket. What was received and not given out, and what was fed and not written, is lost.
    pub fn into_socket(self) -> S {
        self.socket
    }
}

/// Before each call of a socket: pending when this task has had its turn, whatever the socket has
/// to give. A peer that keeps a socket busy must not hold a thread of the runtime with it, and not
/// every transport sees to that.
fn poll_turn(cx: &mut Context<'_>) -> Poll<()> {
    pin!(consume_budget()).poll(cx)
}

impl<S: Half, C> fmt::Debug for Framed<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, peer) = (self.socket.local(), self.socket.peer());
        write!(f, "Framed({} to {})", local.redacted(), peer.redacted())
    }
}
