//! What is tested: a transport of connections, where it listens, and what it cannot do.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{Endpoint, Error, MuxTransport};

use crate::DEADLINE;

/// A transport of connections that is tested, and what there is to know about it.
///
/// A law has at most one listener at a time, so an endpoint that only one listener can have is
/// fine, as long as each test makes a subject with another:
/// [`connection_laws!`](crate::connection_laws) evaluates its expression for each.
pub struct Subject<M: MuxTransport> {
    pub(super) transport: Arc<M>,
    pub(super) at: Endpoint,
    limited: Option<(Endpoint, usize)>,
    pub(super) holds: usize,
    pub(super) datagrams: bool,
    pub(super) patience: Duration,
    exceptions: Vec<&'static str>,
    kept: Vec<Arc<dyn Any + Send + Sync>>,
}

impl<M: MuxTransport> Subject<M> {
    /// `transport`, whose listeners listen at `at`: an [`Endpoint`] or a URL, with port 0 or what
    /// else stands for a free place, so that tests do not meet.
    ///
    /// # Panics
    /// If `at` is no endpoint.
    pub fn new<E>(transport: M, at: E) -> Self
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        Subject {
            transport: Arc::new(transport),
            at: endpoint(at),
            limited: None,
            holds: 64 << 20,
            datagrams: true,
            patience: DEADLINE,
            exceptions: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Where a listener allows its peers `streams` at once, at least 2 and at most 100. The laws of
    /// limits need it, or an exception each.
    ///
    /// # Panics
    /// If `at` is no endpoint, or `streams` out of these bounds.
    #[must_use]
    pub fn limited<E>(mut self, at: E, streams: usize) -> Self
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        assert!((2..=100).contains(&streams), "2 to 100 streams at once");
        self.limited = Some((endpoint(at), streams));
        self
    }

    /// How many bytes of one stream may at most be on the way to a peer that does not read.
    /// Default: 64 MiB.
    #[must_use]
    pub fn holds_at_most(mut self, bytes: usize) -> Self {
        self.holds = bytes;
        self
    }

    /// It has no datagrams: the laws of those pass without looking.
    #[must_use]
    pub fn without_datagrams(mut self) -> Self {
        self.datagrams = false;
        self
    }

    /// How long one step may take before it counts as hanging. Default: [`DEADLINE`].
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// The law of that name does not bind this transport, for the reason given, which is for those
    /// who read it.
    ///
    /// # Panics
    /// If there is no such law, or no reason.
    #[must_use]
    pub fn except(mut self, law: &str, reason: &str) -> Self {
        assert!(!reason.is_empty(), "an exception has a reason");
        self.exceptions.push(super::law::<M>(law).name());
        self
    }

    /// Keeps `thing` as long as the subject: a certificate's file, say.
    #[must_use]
    pub fn keeping(mut self, thing: impl Any + Send + Sync) -> Self {
        self.kept.push(Arc::new(thing));
        self
    }

    /// What [`limited`](Subject::limited) said.
    pub(super) fn limits(&self) -> Result<(&Endpoint, usize), String> {
        let limited = self.limited.as_ref().map(|(at, streams)| (at, *streams));
        limited.ok_or_else(|| "declare where: Subject::limited, or an exception".to_owned())
    }

    pub(super) fn is_excepted(&self, law: &str) -> bool {
        self.exceptions.contains(&law)
    }
}

fn endpoint<E>(at: E) -> Endpoint
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    match at.try_into() {
        Ok(endpoint) => endpoint,
        Err(error) => panic!("{}", Error::from(error)),
    }
}

impl<M: MuxTransport> Clone for Subject<M> {
    fn clone(&self) -> Self {
        Subject {
            transport: Arc::clone(&self.transport),
            at: self.at.clone(),
            limited: self.limited.clone(),
            exceptions: self.exceptions.clone(),
            kept: self.kept.clone(),
            ..*self
        }
    }
}

impl<M: MuxTransport> fmt::Display for Subject<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.at, std::any::type_name::<M>())
    }
}

impl<M: MuxTransport> fmt::Debug for Subject<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({self})")
    }
}
