//! JSON frames as values of the user's own types.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use socketry_transport::{RecvHalf, SendHalf};

use super::{FrameError, FrameFault, Framed, Sender};
use crate::{Cause, Codec};

impl<S: RecvHalf, C: Codec> Framed<S, C> {
    /// Receives the next frame as JSON. `None` is the end. Cancel-safe.
    ///
    /// ```
    /// use socketry_codec::{FrameError, Framed, Json};
    /// use socketry_transport::BoxSocket;
    ///
    /// # async fn hear(framed: &mut Framed<BoxSocket, Json>) -> Result<(), FrameError> {
    /// match framed.recv_json::<std::time::Duration>().await {
    ///     Ok(time) => println!("{time:?}"),
    ///     // Something else came: it is in the error, and the next frame comes after it.
    ///     Err(error) => match error.frame() {
    ///         Some(frame) => println!("{} bytes of another kind", frame.len()),
    ///         None => return Err(error),
    ///     },
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Framed::recv). A frame that is not the JSON of a `T` is not fatal, and the error holds a copy of it,
    /// [`FrameError::frame`]. Nesting is limited to 128 levels by `serde_json`.
    pub async fn recv_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let parsed = match self.recv().await? {
            Some(frame) => serde_json::from_slice(frame)
                .map_err(|error| (error, Bytes::copy_from_slice(frame))),
            None => return Ok(None),
        };
        parsed.map(Some).map_err(|(error, frame)| {
            let fault = FrameFault::Value(Cause::new(error));
            FrameError::new(fault, "understand a frame from", self.peer(), false).holding(frame)
        })
    }
}

impl<S: SendHalf, C: Codec> Framed<S, C> {
    /// Sends `value` as JSON; when it returns, it has been written. Cancel-safe, as [`send`](Framed::send). The `json`
    /// codecs carry objects only: a `T` that is a struct or a map.
    ///
    /// # Errors
    /// As [`send`](Framed::send), and if `value` has no JSON form (a map whose keys are no strings, say).
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
        let frame = serde_json::to_vec(value).map_err(|error| {
            let fault = FrameFault::Value(Cause::new(error));
            FrameError::new(fault, "write a frame for", self.peer(), false)
        })?;
        self.feed(&frame).await
    }
}

impl<C: Codec> Sender<C> {
    /// [`send`](Sender::send) of `value` as JSON. Cancel-safe.
    ///
    /// # Errors
    /// As [`send`](Sender::send), and if `value` has no JSON form.
    pub async fn send_json<T: Serialize + Sync + ?Sized>(
        &self,
        value: &T,
    ) -> Result<(), FrameError> {
        let frame = serde_json::to_vec(value).map_err(|error| {
            let fault = FrameFault::Value(Cause::new(error));
            FrameError::new(fault, "write a frame for", self.peer(), false)
        })?;
        self.send(&frame).await
    }
}
