//! A resolver as the laws see it.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use socketry_transport::{Resolve, Service};

use super::Known;

/// A resolver, and what it is to know.
#[derive(Clone)]
pub struct Subject {
    name: &'static str,
    pub(super) known: Known,
    make: Arc<dyn Fn() -> Arc<dyn Resolve> + Send + Sync>,
    pub(super) missing: String,
    pub(super) has_services: bool,
    pub(super) has_absolute: bool,
    /// What has to live as long as this does: a server.
    _kept: Option<Arc<dyn Any + Send + Sync>>,
}

impl Subject {
    /// The resolver that `make` gives, of what it is to know. It is made once for each law, in the
    /// runtime of that law.
    pub fn new<R: Resolve>(
        name: &'static str,
        known: Known,
        make: impl Fn(&Known) -> R + Send + Sync + 'static,
    ) -> Self {
        let own = known.clone();
        Subject {
            name,
            known,
            make: Arc::new(move || Arc::new(make(&own))),
            missing: "nothing.invalid".to_owned(),
            has_services: true,
            has_absolute: true,
            _kept: None,
        }
    }

    /// A name that is not there; by default `nothing.invalid` (RFC 6761, section 6.4).
    #[must_use]
    pub fn missing(mut self, name: &str) -> Self {
        name.clone_into(&mut self.missing);
        self
    }

    /// It has no services: then it has to say so.
    #[must_use]
    pub fn without_services(mut self) -> Self {
        self.has_services = false;
        self
    }

    /// A host with a dot at its end is another one to it, for a reason that the test has.
    #[must_use]
    pub fn without_absolute_hosts(mut self) -> Self {
        self.has_absolute = false;
        self
    }

    /// Keeps this, a server say, for as long as the subject is there.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send + Sync) -> Self {
        self._kept = Some(Arc::new(kept));
        self
    }

    pub(super) fn resolver(&self) -> Arc<dyn Resolve> {
        (self.make)()
    }

    pub(super) fn hosts(&self) -> impl Iterator<Item = (&String, &Vec<IpAddr>)> {
        self.known.hosts.iter()
    }

    pub(super) fn services(&self) -> impl Iterator<Item = (&String, &Vec<Service>)> {
        self.known.services.iter()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({self})")
    }
}
