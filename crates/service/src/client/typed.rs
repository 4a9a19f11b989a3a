//! Calls whose requests and answers are values.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use socketry_codec::{Cause, CodecError, Fault, Pack, Unpack};

use super::{Call, CallError, Client};

/// A [`Client`] whose requests and answers are values in the format `F`; made by
/// [`Client::typed`]. Clones share the connection.
pub struct TypedClient<F> {
    client: Client,
    idempotent: bool,
    within: Option<Option<Duration>>,
    format: PhantomData<fn() -> F>,
}

impl Client {
    /// This client for values in the format `F`: [`Json`](socketry_codec::Json), or another one
    /// that is [`Pack`] and [`Unpack`]. [`Server::typed`](crate::Server::typed) has an example.
    pub fn typed<F>(&self) -> TypedClient<F> {
        TypedClient {
            client: self.clone(),
            idempotent: false,
            within: None,
            format: PhantomData,
        }
    }
}

impl<F> TypedClient<F> {
    /// To do any of its requests twice does no harm: [`Call::idempotent`].
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// How long each call may take: [`Call::within`].
    #[must_use]
    pub fn within(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.within = Some(time.into());
        self
    }

    /// The client beneath.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request, and gives its answer, as [`Client::call`] does. `request` is written now,
    /// and nothing is sent before the first poll.
    ///
    /// # Errors
    /// As [`Client::call`]; [`CallError::Refused`] if the format cannot write `request`, and
    /// [`CallError::BadValue`] if the answer is no `A`.
    pub fn call<Q: ?Sized, A>(
        &self,
        request: &Q,
    ) -> impl Future<Output = Result<A, CallError>> + Send + use<Q, A, F>
    where
        F: Pack<Q> + Unpack<A>,
    {
        let called = self.packed(request).map(|call| self.client.call(call));
        async move {
            let answer = called?.await?;
            F::unpack(&answer).map_err(|error| CallError::BadValue(Cause::new(error)))
        }
    }

    fn packed<Q: ?Sized>(&self, request: &Q) -> Result<Call, CallError>
    where
        F: Pack<Q>,
    {
        let mut frame = Vec::new();
        F::pack(request, &mut frame).map_err(|error| {
            CallError::Refused(CodecError::skip(Fault::Other(Cause::new(error)), 0))
        })?;
        let call = Call::new(frame);
        let call = match self.within {
            Some(time) => call.within(time),
            None => call,
        };
        Ok(match self.idempotent {
            true => call.idempotent(),
            false => call,
        })
    }
}

impl<F> Clone for TypedClient<F> {
    fn clone(&self) -> Self {
        TypedClient {
            client: self.client.clone(),
            format: PhantomData,
            ..*self
        }
    }
}

impl<F> fmt::Debug for TypedClient<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedClient").field(&self.client).finish()
    }
}
