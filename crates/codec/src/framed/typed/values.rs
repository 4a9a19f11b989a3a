//! Values of any type, in any format, from and to frames.

use bytes::Bytes;
use socketry_transport::{Endpoint, RecvHalf, SendHalf};

use super::scratch;
use crate::framed::{FrameError, FrameFault, Framed};
use crate::{BoxError, Cause, Codec, Pack, Unpack};

impl<S: RecvHalf, C: Codec> Framed<S, C> {
    /// The next frame as a `T`. Cancel-safe: it awaits nothing once it has the frame.
    pub(in crate::framed) async fn recv_value<T, F: Unpack<T>>(
        &mut self,
    ) -> Result<Option<T>, FrameError> {
        let unpacked = match self.recv().await? {
            Some(frame) => F::unpack(frame).map_err(|error| (error, Bytes::copy_from_slice(frame))),
            None => return Ok(None),
        };
        unpacked
            .map(Some)
            .map_err(|(error, frame)| not_understood(error, frame, self.peer()))
    }
}

impl<S: SendHalf, C: Codec> Framed<S, C> {
    /// Puts `value` behind the frames that wait. Cancel-safe, as [`feed`](Framed::feed).
    pub(in crate::framed) async fn feed_value<T: ?Sized, F: Pack<T>>(
        &mut self,
        value: &T,
    ) -> Result<(), FrameError> {
        let frame = packed::<T, F>(value, self.peer())?;
        let fed = self.feed(&frame).await;
        scratch::give(frame);
        fed
    }
}

/// `value` as a frame, in a buffer that is [given back](scratch::give) after it.
pub(super) fn packed<T: ?Sized, F: Pack<T>>(
    value: &T,
    peer: &Endpoint,
) -> Result<Vec<u8>, FrameError> {
    let mut frame = scratch::take();
    match F::pack(value, &mut frame) {
        Ok(()) => Ok(frame),
        Err(error) => {
            scratch::give(frame);
            let fault = FrameFault::Value(Cause::new(error));
            Err(FrameError::new(fault, "write a frame for", peer, false))
        }
    }
}

#[cold]
pub(super) fn not_understood(error: BoxError, frame: Bytes, peer: &Endpoint) -> FrameError {
    let fault = FrameFault::Value(Cause::new(error));
    FrameError::new(fault, "understand a frame from", peer, false).holding(frame)
}
