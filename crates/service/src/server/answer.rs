//! Requests and their answers, in order, several at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::FuturesOrdered;
use futures_util::{Sink, Stream};
use socketry_codec::{Codec, FrameError, Framed};
use socketry_transport::{Half, Info, Listener, Result, Socket};
use tokio::sync::Semaphore;

use super::gate::Tie;
use super::{Failure, Served, Server, Summary};

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
        let answer = Arc::new(answer);
        let most = self.limits.requests_per_connection.max(1);
        let places = self.limits.requests.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(places));
        self.run(move |framed: Served<L::Socket, C>, tie| {
            let (answer, places) = (Arc::clone(&answer), Arc::clone(&places));
            let ask = move |request| {
                let (answer, places) = (Arc::clone(&answer), Arc::clone(&places));
                async move {
                    // The semaphore is never closed.
                    let _place = places.acquire().await;
                    match answer(request).await {
                        Ok(answer) => Ok(answer.into()),
                        Err(error) => Err(error.into()),
                    }
                }
            };
            let info = Arc::new(framed.socket().info().clone());
            let mut exchange = Exchange {
                framed,
                tie,
                info,
                ask,
                most,
                running: FuturesOrdered::new(),
                heard_all: false,
            };
            async move { poll_fn(|cx| exchange.poll(cx)).await }
        })
        .await
    }
}

/// The requests of one client.
struct Exchange<S: Socket, C: Codec, F, Fut: Future> {
    framed: Framed<S, C>,
    tie: Arc<Tie>,
    info: Arc<Info>,
    ask: F,
    /// The most requests at once.
    most: usize,
    running: FuturesOrdered<Fut>,
    /// The client sends no more.
    heard_all: bool,
}

impl<S, C, F, Fut> Exchange<S, C, F, Fut>
where
    S: Socket,
    C: Codec,
    F: Fn(Request) -> Fut,
    Fut: Future<Output = std::result::Result<Bytes, Failure>>,
{
    /// Ready when the client has ended and has all answers. Answers are flushed only when there is
    /// nothing else to do, so that many leave in one write.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), Failure>> {
        loop {
            let answered = self.poll_answers(cx)?;
            let asked = self.poll_requests(cx)?;
            if !answered && !asked {
                break;
            }
        }
        let flushed = Pin::new(&mut self.framed).poll_flush(cx)?;
        if self.heard_all && self.running.is_empty() && flushed.is_ready() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    /// Feeds the answers that are ready. Gives whether there was one.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> std::result::Result<bool, Failure> {
        let mut some = false;
        while !self.running.is_empty() {
            if self.poll_room(cx)?.is_pending() {
                break;
            }
            let Poll::Ready(Some(answer)) = Pin::new(&mut self.running).poll_next(cx) else {
                break;
            };
            Pin::new(&mut self.framed).start_send(answer?)?;
            some = true;
        }
        Ok(some)
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> std::result::Result<Poll<()>, FrameError> {
        match Pin::new(&mut self.framed).poll_ready(cx) {
            Poll::Ready(ready) => ready.map(Poll::Ready),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    /// Begins to answer the requests that have arrived, as long as there is room. Gives whether
    /// there was one.
    fn poll_requests(&mut self, cx: &mut Context<'_>) -> std::result::Result<bool, Failure> {
        let mut some = false;
        while !self.heard_all && self.running.len() < self.most {
            self.tie.set_busy(!self.running.is_empty());
            let Poll::Ready(frame) = self.framed.poll_recv_bytes(cx) else {
                break;
            };
            some = true;
            match frame? {
                Some(frame) => {
                    let info = Arc::clone(&self.info);
                    self.running.push_back((self.ask)(Request { frame, info }));
                }
                None => self.heard_all = true,
            }
        }
        Ok(some)
    }
}
