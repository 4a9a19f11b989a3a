//! Requests and their answers, in order, several at once.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use socketry_codec::Codec;
use socketry_transport::{Info, Listener, Result};
use tokio::sync::Semaphore;

use super::exchange::{Ask, Exchange};
use super::{Failure, Server, Summary};

/// A frame of a client that waits for an answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The frame.
    pub frame: Bytes,
    /// The facts about the client's socket.
    pub info: Arc<Info>,
}

impl<L: Listener, C: Codec + Clone> Server<L, C> {
    /// Answers each frame with the frame that `answer` gives for it.
    ///
    /// A client may send many requests before it reads an answer. Up to
    /// [`requests_per_connection`](crate::Limits::requests_per_connection) of them are answered
    /// beside one another, and the answers leave in the order of the requests, many in one write.
    /// At the stop, all requests that have arrived are answered.
    ///
    /// ```
    /// use socketry_codec::{FrameError, Framed, Struct};
    /// use socketry_service::Server;
    /// use socketry_transport::{Listener, connect, listen};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = listen("tcp://127.0.0.1:0").await?;
    /// let at = listener.local().clone();
    /// let server = Server::new(listener);
    /// tokio::spawn(server.answer(async |request| {
    ///     Ok::<_, FrameError>(request.frame.len().to_string())
    /// }));
    ///
    /// let mut client = Framed::new(connect(at).await?, Struct::default());
    /// client.feed_many(["a", "bcd"]).await?;
    /// client.flush().await?;
    /// assert_eq!(client.recv().await?, Some(&b"1"[..]));
    /// assert_eq!(client.recv().await?, Some(&b"3"[..]));
    /// # Ok(()) }
    /// ```
    ///
    /// An error of `answer` ends the connection with a reset. An answer that the codec cannot carry
    /// does so too, since the client would take the next answer for this one.
    ///
    /// # Errors
    /// As [`serve`](Server::serve).
    pub async fn answer<F, Fut, A, E>(self, answer: F) -> Result<Summary>
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<A, E>> + Send + 'static,
        A: Into<Bytes> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        let places = self.limits.requests.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(places));
        let answer = Arc::new(answer);
        let answer = Arc::new(move |request| {
            let (answer, places) = (Arc::clone(&answer), Arc::clone(&places));
            async move {
                // The semaphore is never closed.
                let _place = places.acquire().await;
                match answer(request).await {
                    Ok(answer) => Ok(answer.into()),
                    Err(error) => Err(error.into()),
                }
            }
        });
        self.exchange(move || Each(Arc::clone(&answer))).await
    }

    /// Answers the requests of each client by what `ask` makes for it.
    pub(super) async fn exchange<A>(
        self,
        ask: impl Fn() -> A + Send + Sync + 'static,
    ) -> Result<Summary>
    where
        A: Ask<Answer: Send> + Send + 'static,
    {
        let most = self.limits.requests_per_connection;
        self.run(move |framed, tie| {
            let mut exchange = Exchange::new(framed, ask(), most, tie);
            async move { poll_fn(|cx| exchange.poll(cx)).await }
        })
        .await
    }
}

/// A function that answers each request, and is always ready.
struct Each<F>(Arc<F>);

impl<F, Fut> Ask for Each<F>
where
    F: Fn(Request) -> Fut,
    Fut: Future<Output = std::result::Result<Bytes, Failure>>,
{
    type Answer = Fut;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::result::Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn ask(&mut self, request: Request) -> Fut {
        (self.0)(request)
    }
}
