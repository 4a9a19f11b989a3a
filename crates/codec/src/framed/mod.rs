//! A socket, or a half of one, and a codec: frames.

mod body;
mod error;
mod input;
mod output;
mod recv;
mod send;
mod sender;
mod sink;
#[cfg(feature = "json")]
mod typed;

use std::fmt;
use std::time::Duration;

use bytes::BytesMut;
use socketry_transport::{Endpoint, Half, Shape, Socket};

pub use body::{Body, BodyWriter};
pub use error::{FrameError, FrameFault};
pub use sender::Sender;

use crate::{BoxCodec, Codec};
use input::Input;
use output::Output;

/// Frames over a socket.
///
/// `S` is a [`Socket`], or one half of it: where it receives, there are [`recv`](Framed::recv),
/// [`recv_bytes`](Framed::recv_bytes) and [`body`](Framed::body); where it sends, [`send`](Framed::send),
/// [`feed`](Framed::feed), [`flush`](Framed::flush) and [`body_writer`](Framed::body_writer).
/// [`split`](Framed::split) gives two halves for two tasks.
///
/// ```
/// use socketry_codec::{Framed, Struct};
/// use socketry_transport::{connect, listen, Listener};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
/// # What is bounded
///
/// A frame by its codec; the time to finish one that has begun by [`frame_time`](Framed::frame_time); what waits to be
/// written by [`high_water`](Framed::high_water). The receive buffer holds at most the largest of: one read, twice what
/// has arrived, and the largest frame that this peer has completed. It never follows a length that was only claimed.
pub struct Framed<S, C = BoxCodec> {
    socket: S,
    codec: C,
    input: Input,
    output: Output,
}

/// A [`Framed`] taken apart, with what it holds.
#[derive(Debug)]
pub struct Parts<S, C> {
    /// The socket.
    pub socket: S,
    /// The codec.
    pub codec: C,
    /// Bytes that arrived and belong to no frame that was given out.
    pub received: BytesMut,
    /// Bytes of frames that were fed and not written yet.
    pub unsent: BytesMut,
}

/// Another codec cannot take over in the middle of a frame. What was refused is inside, as it was.
#[derive(thiserror::Error)]
#[error("the codec is in the middle of a frame or body; finish it before another takes over")]
pub struct OutOfStep<F>(pub Box<F>);

impl<F> fmt::Debug for OutOfStep<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OutOfStep")
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
            output: Output::default(),
        }
    }

    /// Joins parts again, with the bytes that they hold.
    pub fn from_parts(parts: Parts<S, C>) -> Self {
        let mut framed = Framed::new(parts.socket, parts.codec);
        framed.input.restore(parts.received);
        framed.output.buf = parts.unsent;
        framed
    }

    /// How long a frame may take from its first byte to its last; `None` for ever. Default 30 seconds. It needs a
    /// runtime with timers.
    #[must_use]
    pub fn frame_time(mut self, limit: Option<Duration>) -> Self {
        self.input.frame_time = limit;
        self
    }

    /// How many bytes may wait before [`feed`](Framed::feed) writes them. Default 64 KiB.
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

    /// The codec.
    pub fn codec(&self) -> &C {
        &self.codec
    }

    /// The same connection with another codec from here on. The bytes that are here already go to the new one.
    ///
    /// # Errors
    /// In the middle of a frame or body; the error gives `self` back.
    pub fn with_codec<D: Codec>(self, codec: D) -> Result<Framed<S, D>, OutOfStep<Self>> {
        if !self.codec.in_step() || !self.input.in_step() || self.output.owed > 0 {
            return Err(OutOfStep(Box::new(self)));
        }
        let Framed {
            socket,
            input,
            output,
            ..
        } = self;
        Ok(Framed {
            socket,
            codec,
            input,
            output,
        })
    }

    /// Takes it apart.
    pub fn into_parts(self) -> Parts<S, C> {
        Parts {
            socket: self.socket,
            codec: self.codec,
            received: self.input.into_unread(),
            unsent: self.output.into_unsent(),
        }
    }
}

impl<S: Socket, C: Codec + Clone> Framed<S, C> {
    /// Two halves for two tasks.
    pub fn split(self) -> (Framed<S::Recv, C>, Framed<S::Send, C>) {
        let stream = self.shape().is_stream();
        let (recv, send) = self.socket.split();
        let receiving = Framed {
            socket: recv,
            codec: self.codec.clone(),
            input: self.input,
            output: Output::default(),
        };
        let sending = Framed {
            socket: send,
            codec: self.codec,
            input: Input::new(stream),
            output: self.output,
        };
        (receiving, sending)
    }
}

impl<S: Half, C> fmt::Debug for Framed<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, peer) = (self.socket.local(), self.socket.peer());
        write!(f, "Framed({local} to {peer})")
    }
}
