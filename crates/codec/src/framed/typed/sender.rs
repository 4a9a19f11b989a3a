//! Many tasks send values through one socket.

use std::fmt;
use std::marker::PhantomData;

use socketry_transport::SendHalf;

use super::values::packed;
use super::{Typed, scratch};
use crate::framed::{FrameError, Sender};
use crate::{Codec, Pack};

/// A [`Sender`] of values: a cloneable handle that many tasks share. Made by
/// [`Typed::into_sender`] and [`Sender::typed`].
pub struct TypedSender<C: Codec, U, F> {
    sender: Sender<C>,
    types: PhantomData<fn(U) -> F>,
}

impl<S: SendHalf + 'static, C: Codec, T, F, U> Typed<S, C, T, F, U> {
    /// Turns the sending half into a handle that many tasks can share, as
    /// [`Framed::into_sender`](crate::Framed::into_sender).
    pub fn into_sender(self) -> TypedSender<C, U, F> {
        self.framed.into_sender().typed()
    }
}

impl<C: Codec> Sender<C> {
    /// Each frame that is sent through this handle is a `U` in the format `F`. Other handles to the
    /// same socket stay as they are.
    pub fn typed<U, F>(self) -> TypedSender<C, U, F> {
        let (sender, types) = (self, PhantomData);
        TypedSender { sender, types }
    }
}

impl<C: Codec, U, F: Pack<U>> TypedSender<C, U, F> {
    /// Puts a value behind the frames that wait. Waits if there is no room. Cancel-safe: it is sent
    /// whole or not at all.
    ///
    /// # Errors
    /// As [`Sender::send`], and, not fatal, if the format has no form for this value.
    pub async fn send(&self, value: &U) -> Result<(), FrameError> {
        let frame = packed::<U, F>(value, self.sender.peer())?;
        let sent = self.sender.send(&frame).await;
        scratch::give(frame);
        sent
    }

    /// [`send`](TypedSender::send) without waiting: `false`, if there is no room.
    ///
    /// # Errors
    /// As [`send`](TypedSender::send).
    pub fn try_send(&self, value: &U) -> Result<bool, FrameError> {
        let frame = packed::<U, F>(value, self.sender.peer())?;
        let sent = self.sender.try_send(&frame);
        scratch::give(frame);
        sent
    }
}

impl<C: Codec, U, F> TypedSender<C, U, F> {
    /// The handle beneath: to [`flush`](Sender::flush) or [`finish`](Sender::finish) it, say.
    pub fn get_ref(&self) -> &Sender<C> {
        &self.sender
    }

    /// The handle beneath.
    pub fn into_inner(self) -> Sender<C> {
        self.sender
    }
}

impl<C: Codec, U, F> Clone for TypedSender<C, U, F> {
    fn clone(&self) -> Self {
        self.sender.clone().typed()
    }
}

impl<C: Codec, U, F> fmt::Debug for TypedSender<C, U, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedSender").field(&self.sender).finish()
    }
}
