//! Values: every frame is one value, in one format.

mod halves;
#[cfg(feature = "json")]
mod json;
mod scratch;
mod sender;
mod sink;
mod values;

use std::fmt;
use std::marker::PhantomData;

use socketry_transport::{Endpoint, Half, RecvHalf, SendHalf, Socket};

use super::{FrameError, Framed};
use crate::{Codec, Pack, Unpack};

pub use sender::TypedSender;

/// Frames that are values: receives `T` and sends `U`, both in the format `F`. Made by
/// [`Framed::typed`], over any codec that carries the frames of the format.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use socketry_codec::{Framed, Json, Line};
/// use socketry_transport::{Listener, connect, listen};
///
/// #[derive(Serialize, Deserialize, Debug, PartialEq)]
/// enum Request { Add(i64, i64) }
///
/// #[derive(Serialize, Deserialize, Debug, PartialEq)]
/// struct Answer { sum: i64 }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut listener = listen("tcp://127.0.0.1:0").await?;
/// let client = Framed::new(connect(listener.local()).await?, Line::new());
/// let server = Framed::new(listener.accept().await?, Line::new());
///
/// // The same type both ways is `typed::<Message, Json>()` alone.
/// let mut client = client.typed::<Answer, Json>().sending::<Request>();
/// let mut server = server.typed::<Request, Json>().sending::<Answer>();
///
/// client.send(&Request::Add(1, 2)).await?;
/// while let Some(request) = server.recv().await? {
///     let Request::Add(a, b) = request;
///     server.send(&Answer { sum: a + b }).await?;
///     # break;
/// }
/// assert_eq!(client.recv().await?, Some(Answer { sum: 3 }));
/// # Ok(()) }
/// ```
///
/// The error of a frame that is not a `T` [is not fatal](FrameError::is_fatal), and [holds the
/// frame](FrameError::frame).
///
/// `F` is [`Json`](crate::Json), or another format that is [`Pack`] and [`Unpack`]. It is also a
/// `Stream` of `T` and a `Sink` of `U`.
pub struct Typed<S, C, T, F, U = T> {
    framed: Framed<S, C>,
    types: Types<T, F, U>,
}

/// No values are kept, so their types do not decide whether this is `Send`.
type Types<T, F, U> = PhantomData<(fn() -> T, fn() -> F, fn(U))>;

impl<S: Half, C: Codec> Framed<S, C> {
    /// From now on each frame is a `T` in the format `F`, both ways. [`sending`](Typed::sending)
    /// sets another type for values that are sent.
    pub fn typed<T, F>(self) -> Typed<S, C, T, F> {
        Typed::of(self)
    }
}

impl<S, C, T, F, U> Typed<S, C, T, F, U> {
    fn of(framed: Framed<S, C>) -> Self {
        let types = PhantomData;
        Typed { framed, types }
    }

    /// The same, sending values of type `V`.
    pub fn sending<V>(self) -> Typed<S, C, T, F, V> {
        Typed::of(self.framed)
    }

    /// The frames beneath.
    pub fn get_ref(&self) -> &Framed<S, C> {
        &self.framed
    }

    /// The frames beneath: to read a [`body`](Framed::body) that follows a value, say.
    pub fn get_mut(&mut self) -> &mut Framed<S, C> {
        &mut self.framed
    }

    /// The frames beneath. No bytes that wait in them are lost.
    pub fn into_inner(self) -> Framed<S, C> {
        self.framed
    }
}

impl<S: Half, C: Codec, T, F, U> Typed<S, C, T, F, U> {
    /// The other end.
    pub fn peer(&self) -> &Endpoint {
        self.framed.peer()
    }
}

impl<S: RecvHalf, C: Codec, T, F: Unpack<T>, U> Typed<S, C, T, F, U> {
    /// Receives the next value. `None` is the end. Cancel-safe: the next call gives a value that
    /// was not given out.
    ///
    /// # Errors
    /// As [`Framed::recv`]. The error of a frame that is not a `T` is not fatal, and holds a copy
    /// of it: [`FrameError::frame`].
    pub async fn recv(&mut self) -> Result<Option<T>, FrameError> {
        self.framed.recv_value::<T, F>().await
    }
}

impl<S: SendHalf, C: Codec, T, F: Pack<U>, U> Typed<S, C, T, F, U> {
    /// Sends a value; when it returns, the value has been written. Cancel-safe: it is sent whole or
    /// not at all, as with [`Framed::send`].
    ///
    /// # Errors
    /// As [`Framed::send`], and, not fatal, if the format has no form for this value.
    pub async fn send(&mut self, value: &U) -> Result<(), FrameError> {
        self.feed(value).await?;
        self.flush().await
    }

    /// Puts a value behind those that wait, and writes them all when there are many.
    /// [`flush`](Typed::flush) writes the rest. Cancel-safe, as [`send`](Typed::send).
    ///
    /// # Errors
    /// As [`send`](Typed::send).
    pub async fn feed(&mut self, value: &U) -> Result<(), FrameError> {
        self.framed.feed_value::<U, F>(value).await
    }
}

impl<S: SendHalf, C: Codec, T, F, U> Typed<S, C, T, F, U> {
    /// Writes all values that wait. Cancel-safe.
    ///
    /// # Errors
    /// As [`Framed::flush`].
    pub async fn flush(&mut self) -> Result<(), FrameError> {
        self.framed.flush().await
    }

    /// Flushes and half-closes: the peer sees the end, and may still answer. Cancel-safe.
    ///
    /// # Errors
    /// As [`Framed::finish`].
    pub async fn finish(&mut self) -> Result<(), FrameError> {
        self.framed.finish().await
    }
}

impl<S: Socket, C: Codec, T, F, U> Typed<S, C, T, F, U> {
    /// Closes so that the peer loses no bytes, as [`Framed::close`] does.
    ///
    /// # Errors
    /// As [`Framed::close`].
    pub async fn close(self) -> Result<(), FrameError> {
        self.framed.close().await
    }
}

impl<S: Half, C, T, F, U> fmt::Debug for Typed<S, C, T, F, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.framed).finish()
    }
}
