//! Requests and answers that are values.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use socketry_codec::{Codec, Pack, Unpack};
use socketry_transport::{Listener, Result};

use super::{Failure, Request, Server, Summary};

/// A [`Server`] whose requests and answers are values in the format `F`; made by
/// [`Server::typed`].
pub struct TypedServer<L, C, F> {
    server: Server<L, C>,
    format: PhantomData<fn() -> F>,
}

impl<L: Listener, C: Codec + Clone> Server<L, C> {
    /// From now on each frame is a value in the format `F`: [`Json`](socketry_codec::Json), or
    /// another one that is [`Pack`] and [`Unpack`].
    ///
    #[cfg_attr(feature = "json", doc = "```")]
    #[cfg_attr(not(feature = "json"), doc = "```ignore")]
    /// use std::convert::Infallible;
    /// use socketry_codec::{Json, Line};
    /// use socketry_service::{CallError, Client, Server};
    /// use socketry_transport::{Listener, listen};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = listen("tcp://127.0.0.1:0").await?;
    /// let client = Client::builder(listener.local())?.codec(Line::new()).start()?;
    /// let server = Server::new(listener).codec(Line::new());
    /// // Any types with serde's Deserialize and Serialize.
    /// tokio::spawn(server.typed::<Json>().answer(async |(a, b): (i64, i64)| {
    ///     Ok::<i64, Infallible>(a + b)
    /// }));
    ///
    /// let sums = client.typed::<Json>();
    /// let sum: i64 = sums.call(&(1, 2)).await?;
    /// assert_eq!(sum, 3);
    /// # Ok(()) }
    /// ```
    pub fn typed<F>(self) -> TypedServer<L, C, F> {
        TypedServer {
            server: self,
            format: PhantomData,
        }
    }
}

impl<L: Listener, C: Codec + Clone, F: 'static> TypedServer<L, C, F> {
    /// Answers each request with the value that `answer` gives for it, as [`Server::answer`] does.
    ///
    /// A frame that is no `Q`, an answer that the format cannot write, and an error of `answer` end
    /// the connection with a reset. An error that the client should see is a value: a `Result`, or
    /// a variant of the answer.
    ///
    /// # Errors
    /// As [`Server::answer`].
    pub async fn answer<H, Fut, Q, A, E>(self, answer: H) -> Result<Summary>
    where
        F: Unpack<Q> + Pack<A>,
        H: Fn(Q) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<A, E>> + Send + 'static,
        Q: 'static,
        A: 'static,
        E: Into<Failure> + 'static,
    {
        let answer = move |request: Request| {
            let answer = F::unpack(&request.frame).map(&answer);
            async move {
                let answer = answer?.await.map_err(Into::into)?;
                let mut frame = Vec::new();
                F::pack(&answer, &mut frame)?;
                Ok::<_, Failure>(frame)
            }
        };
        self.server.answer(answer).await
    }
}

impl<L: Listener, C, F> fmt::Debug for TypedServer<L, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedServer").field(&self.server).finish()
    }
}
