//! The subject of the laws: a transport, where it listens, and its declarations.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{Endpoint, Error, Keys, SocketOptions, Transport};

use crate::DEADLINE;

/// A transport of streams or messages to check, and its declarations.
///
/// A law has at most one listener at a time. So an endpoint may allow only one listener, as long as
/// each test makes a subject with another endpoint: [`stream_laws!`](crate::stream_laws) evaluates
/// its expression for each test.
pub struct Subject<T: Transport> {
    pub(crate) transport: Arc<T>,
    pub(crate) at: Endpoint,
    without_listener_at: Option<Endpoint>,
    pub(crate) half_close: bool,
    pub(crate) end_on_drop: bool,
    holds: usize,
    pub(crate) patience: Duration,
    options: Vec<(&'static str, &'static str)>,
    read_back: Option<ReadBack<T>>,
    exceptions: Vec<&'static str>,
    kept: Vec<Arc<dyn Any + Send + Sync>>,
}

type ReadBack<T> = fn(&<T as Transport>::Socket) -> io::Result<SocketOptions>;

impl<T: Transport> Subject<T> {
    /// `transport`, whose listeners listen at `at`: an [`Endpoint`] or a URL. Use port 0, or
    /// another form of a free address, so that tests do not share one.
    ///
    /// # Panics
    /// If `at` is no endpoint.
    pub fn new<E>(transport: T, at: E) -> Self
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        Subject {
            transport: Arc::new(transport),
            at: endpoint(at),
            without_listener_at: None,
            half_close: true,
            end_on_drop: true,
            holds: 64 << 20,
            patience: DEADLINE,
            options: Vec::new(),
            read_back: None,
            exceptions: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// An endpoint where nothing ever listens. Default: one whose listener was dropped.
    ///
    /// # Panics
    /// If `at` is no endpoint.
    #[must_use]
    pub fn without_listener_at<E>(mut self, at: E) -> Self
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        self.without_listener_at = Some(endpoint(at));
        self
    }

    /// The transport cannot close one direction alone: `finish` flushes, and only dropping the
    /// socket ends the peer's stream.
    #[must_use]
    pub fn without_half_close(mut self) -> Self {
        self.half_close = false;
        self
    }

    /// A socket that is dropped before it has finished is a reset for its peer, behind all that was
    /// sent: the protocol tells an end from a break.
    #[must_use]
    pub fn without_end_on_drop(mut self) -> Self {
        self.end_on_drop = false;
        self
    }

    /// How many bytes may at most be on the way to a peer that does not read. Default: 64 MiB, far
    /// more than a kernel buffers.
    #[must_use]
    pub fn holds_at_most(mut self, bytes: usize) -> Self {
        self.holds = bytes;
        self
    }

    /// How long one step may take before it counts as hanging. Default: [`DEADLINE`].
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Options to connect with, and how a connected socket reads them back. For the kernel's
    /// sockets that is [`SocketOptions::read_back`]. A transport that declares
    /// [keys](Transport::keys) needs this, or an exception.
    #[must_use]
    pub fn reads_back(
        mut self,
        options: &[(&'static str, &'static str)],
        read: fn(&T::Socket) -> io::Result<SocketOptions>,
    ) -> Self {
        self.options = options.to_vec();
        self.read_back = Some(read);
        self
    }

    /// Excepts the law of this name, for a reason that is only documentation.
    ///
    /// # Panics
    /// If there is no such law, or no reason.
    #[must_use]
    pub fn except(mut self, law: &str, reason: &str) -> Self {
        assert!(!reason.is_empty(), "an exception has a reason");
        let streams = super::laws::<T>().iter();
        let mut laws = streams.chain(crate::message::laws::<T>());
        let found = laws.find(|known| known.name() == law);
        let found = found.unwrap_or_else(|| panic!("there is no law {law}"));
        self.exceptions.push(found.name());
        self
    }

    /// Keeps `thing` as long as the subject, for instance the directory of a socket file.
    #[must_use]
    pub fn keeping(mut self, thing: impl Any + Send + Sync) -> Self {
        self.kept.push(Arc::new(thing));
        self
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

/// The questions of the laws. `steps.rs` has their actions.
impl<T: Transport> Subject<T> {
    pub(crate) fn keys(&self) -> Keys {
        self.transport.keys()
    }

    pub(crate) fn declared_without_listener(&self) -> Option<&Endpoint> {
        self.without_listener_at.as_ref()
    }

    pub(crate) fn most_held(&self) -> usize {
        self.holds
    }

    pub(crate) fn options(&self) -> &[(&'static str, &'static str)] {
        &self.options
    }

    pub(crate) fn read_back(&self) -> Option<ReadBack<T>> {
        self.read_back
    }

    pub(crate) fn is_excepted(&self, law: &str) -> bool {
        self.exceptions.contains(&law)
    }
}

impl<T: Transport> Clone for Subject<T> {
    fn clone(&self) -> Self {
        Subject {
            transport: Arc::clone(&self.transport),
            at: self.at.clone(),
            without_listener_at: self.without_listener_at.clone(),
            options: self.options.clone(),
            exceptions: self.exceptions.clone(),
            kept: self.kept.clone(),
            ..*self
        }
    }
}

impl<T: Transport> fmt::Display for Subject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.at, std::any::type_name::<T>())
    }
}

impl<T: Transport> fmt::Debug for Subject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({self})")
    }
}
