//! Splitting a `Framed` into two halves for two tasks, and joining them again.

use std::fmt;

use socketry_transport::{Joined, RecvHalf, SendHalf, Socket};

use super::{Framed, Input, Output};
use crate::Codec;

/// The two halves are not of one socket, since their ends differ. This holds both, unchanged.
#[derive(thiserror::Error)]
#[error(
    "these halves belong to different sockets: one is to {} and one to {}",
    .0.0.peer().redacted(),
    .0.1.peer().redacted()
)]
pub struct Strangers<R: RecvHalf, W: SendHalf, C: Codec>(pub Box<(Framed<R, C>, Framed<W, C>)>);

impl<R: RecvHalf, W: SendHalf, C: Codec> fmt::Debug for Strangers<R, W, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Strangers").field(&self.0).finish()
    }
}

impl<S: Socket, C: Codec + Clone> Framed<S, C> {
    /// Two halves for two tasks.
    pub fn split(self) -> (Framed<S::Recv, C>, Framed<S::Send, C>) {
        let shape = self.shape();
        let (recv, send) = self.socket.split();
        let receiving = Framed {
            socket: recv,
            codec: self.codec.clone(),
            input: self.input,
            output: Output::new(shape),
        };
        let sending = Framed {
            socket: send,
            codec: self.codec,
            input: Input::new(shape),
            output: self.output,
        };
        (receiving, sending)
    }
}

impl<R: RecvHalf, C: Codec> Framed<R, C> {
    /// The two halves of [`split`](Framed::split) as one again, called on the receiving one: to
    /// [`close`](Framed::close) it, say. No bytes that wait in either half are lost. The codec is
    /// that of the receiving half.
    ///
    /// A [`Sender`](super::Sender) does not give its half back: [`finish`](super::Sender::finish)
    /// it, and receive on until the end.
    ///
    /// ```
    /// use socketry_codec::{Framed, Line};
    /// use socketry_transport::{Listener, connect, listen};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut server = listen("tcp://127.0.0.1:0").await?;
    /// let client = Framed::new(connect(server.local()).await?, Line::new());
    /// let mut accepted = Framed::new(server.accept().await?, Line::new());
    ///
    /// let (mut hearing, mut speaking) = client.split();
    /// let talk = tokio::spawn(async move { speaking.send(b"hello").await.map(|()| speaking) });
    /// accepted.send(b"welcome").await?;
    /// assert_eq!(hearing.recv().await?, Some(&b"welcome"[..]));
    ///
    /// let client = hearing.reunite(talk.await??)?;
    /// let (closed, heard) = tokio::join!(client.close(), async {
    ///     assert_eq!(accepted.recv().await?, Some(&b"hello"[..]));
    ///     accepted.close().await
    /// });
    /// closed?;
    /// heard?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// If they do not have the same two ends, and so cannot be of one socket. The error gives both
    /// back. (Two clients of one Unix listener cannot be told apart, since they have no names.)
    #[expect(
        clippy::type_complexity,
        reason = "what it takes, and what it gives back"
    )]
    pub fn reunite<W: SendHalf>(
        self,
        sending: Framed<W, C>,
    ) -> Result<Framed<Joined<R, W>, C>, Strangers<R, W, C>> {
        let same = self.local() == sending.local() && self.peer() == sending.peer();
        if !same {
            return Err(Strangers(Box::new((self, sending))));
        }
        Ok(Framed {
            socket: Joined::new(self.socket, sending.socket),
            codec: self.codec,
            input: self.input,
            output: sending.output,
        })
    }
}
