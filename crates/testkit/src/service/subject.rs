//! Over what the server is tested.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use socketry_service::Limits;
use socketry_transport::{Endpoint, Error, Registry};

/// A transport over which servers are tested, and where they listen.
#[derive(Clone)]
pub struct Subject {
    pub(super) registry: Registry,
    pub(super) at: Endpoint,
    exceptions: Vec<&'static str>,
    pub(super) tamper: Tamper,
    kept: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Subject {
    /// Servers that listen at `at`, with the transports of `registry`. `at` has port 0 or what else
    /// stands for a free place, so that tests do not meet.
    ///
    /// # Panics
    /// If `at` is no endpoint.
    pub fn new<E>(registry: Registry, at: E) -> Self
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let at = at.try_into().map_err(Error::from);
        Subject {
            registry,
            at: at.unwrap_or_else(|error| panic!("{error}")),
            exceptions: Vec::new(),
            tamper: Tamper::None,
            kept: Vec::new(),
        }
    }

    /// The laws that cannot hold over this transport, by their names. They pass without a look.
    ///
    /// # Panics
    /// If there is no law of such a name.
    #[must_use]
    pub fn except(mut self, laws: &[&'static str]) -> Self {
        for name in laws {
            let _ = super::law(name);
        }
        self.exceptions.extend(laws);
        self
    }

    /// Keeps `value` as long as the subject: a directory, say.
    #[must_use]
    pub fn keep(mut self, value: impl Any + Send + Sync) -> Self {
        self.kept.push(Arc::new(value));
        self
    }

    /// Servers that are broken on purpose, which some law has to find.
    #[doc(hidden)]
    #[must_use]
    pub fn tampered(mut self, tamper: Tamper) -> Self {
        self.tamper = tamper;
        self
    }

    pub(super) fn is_excepted(&self, law: &str) -> bool {
        self.exceptions.contains(&law)
    }
}

/// What is broken in the servers of a [`Subject`]: tests of the laws need such servers.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Tamper {
    /// Nothing.
    None,
    /// They have other limits than they were given.
    Limits(fn(&mut Limits)),
    /// They tell no observer.
    Deaf,
    /// Each stop counts as two.
    StopsTwice,
    /// Later stops do not count.
    StopsOnce,
    /// They go on when they are dropped.
    Detached,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a server at {}", self.at)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.at)
    }
}
