//! Splitting a `Typed` into two halves, and joining them again.

use socketry_transport::{Joined, RecvHalf, SendHalf, Socket};

use super::Typed;
use crate::Codec;
use crate::framed::Strangers;

impl<S: Socket, C: Codec + Clone, T, F, U> Typed<S, C, T, F, U> {
    /// Two halves for two tasks, as [`Framed::split`](crate::Framed::split).
    #[expect(clippy::type_complexity, reason = "the two halves of one type")]
    pub fn split(self) -> (Typed<S::Recv, C, T, F, U>, Typed<S::Send, C, T, F, U>) {
        let (recv, send) = self.framed.split();
        (Typed::of(recv), Typed::of(send))
    }
}

impl<R: RecvHalf, C: Codec, T, F, U> Typed<R, C, T, F, U> {
    /// The two halves of [`split`](Typed::split) as one again, called on the receiving one.
    ///
    /// # Errors
    /// As [`Framed::reunite`](crate::Framed::reunite); the error gives the frames of both back.
    #[expect(
        clippy::type_complexity,
        reason = "what it takes, and what it gives back"
    )]
    pub fn reunite<W: SendHalf>(
        self,
        sending: Typed<W, C, T, F, U>,
    ) -> Result<Typed<Joined<R, W>, C, T, F, U>, Strangers<R, W, C>> {
        self.framed.reunite(sending.framed).map(Typed::of)
    }
}
