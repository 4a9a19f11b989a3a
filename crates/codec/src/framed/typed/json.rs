//! JSON headers, each of a type of its own, which may be followed by bodies.

use serde::Serialize;
use serde::de::DeserializeOwned;
use socketry_transport::{RecvHalf, SendHalf};

use crate::framed::{FrameError, Framed};
use crate::{Codec, Json};

impl<S: RecvHalf, C: Codec> Framed<S, C> {
    /// Receives the next frame as JSON. `None` is the end. Cancel-safe.
    ///
    /// Each header may be of another type, and a [`body`](Framed::body) may follow it. If all
    /// frames are of one type, use [`typed`](Framed::typed), with JSON or another format.
    ///
    /// ```
    /// use socketry_codec::{FrameError, Framed, Json};
    /// use socketry_transport::BoxSocket;
    ///
    /// # async fn hear(framed: &mut Framed<BoxSocket, Json>) -> Result<(), FrameError> {
    /// match framed.recv_json::<std::time::Duration>().await {
    ///     Ok(time) => println!("{time:?}"),
    ///     // The frame is no `Duration`: the error holds it, and the next call receives the next
    ///     // frame.
    ///     Err(error) => match error.frame() {
    ///         Some(frame) => println!("{} bytes of another kind", frame.len()),
    ///         None => return Err(error),
    ///     },
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Framed::recv). A frame that is not the JSON of a `T` is not fatal, and the error
    /// holds a copy of it, [`FrameError::frame`]. Nesting is limited to 128 levels by `serde_json`.
    pub async fn recv_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        self.recv_value::<T, Json>().await
    }
}

impl<S: SendHalf, C: Codec> Framed<S, C> {
    /// Sends `value` as JSON; when it returns, it has been written. Cancel-safe, as
    /// [`send`](Framed::send). The `json` codecs carry objects only: a `T` that is a struct or a
    /// map.
    ///
    /// # Errors
    /// As [`send`](Framed::send), and if `value` has no JSON form (a map whose keys are no strings,
    /// say).
    pub async fn send_json<T: Serialize + Sync + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), FrameError> {
        self.feed_json(value).await?;
        self.flush().await
    }

    /// [`send_json`](Framed::send_json) without the flush: a body can follow in the same write.
    ///
    /// # Errors
    /// As [`send_json`](Framed::send_json).
    pub async fn feed_json<T: Serialize + Sync + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), FrameError> {
        self.feed_value::<T, Json>(value).await
    }
}
