//! The names at which somebody listens inside this process.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::contract::endpoint::{Address, Endpoint};
use crate::contract::error::{Error, ErrorKind, Result};

/// For each name the way to its listener, an `L`. Clones are the same names.
#[derive(Debug)]
pub(super) struct Names<L> {
    scheme: &'static str,
    taken: Arc<Mutex<HashMap<String, L>>>,
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

impl<L> Names<L> {
    pub(super) fn new(scheme: &'static str) -> Self {
        Names {
            scheme,
            taken: Arc::default(),
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, L>> {
        // Nothing panics while it is held; should that change, the map is still whole.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name in `endpoint`.
    fn name_of(&self, endpoint: &Endpoint, action: &'static str) -> Result<String> {
        let scheme = self.scheme;
        match endpoint.name() {
            Some(name) if endpoint.scheme() == scheme => Ok(name.into_owned()),
            _ => Err(Error::new(ErrorKind::InvalidEndpoint, action, endpoint)
                .because(format!("this transport's endpoints are {scheme}://name"))),
        }
    }

    fn named(&self, name: String) -> Endpoint {
        Endpoint::known(self.scheme, &Address::Name(name))
    }

    /// A name that nobody has.
    pub(super) fn free(&self) -> Endpoint {
        self.named(format!("#{}", NUMBER.fetch_add(1, Ordering::Relaxed)))
    }

    /// Why connecting to `to` fails.
    pub(super) fn refused(&self, to: &Endpoint, reason: &str) -> Error {
        Error::new(ErrorKind::Refused, "connect to", to)
            .because(reason)
            .hint(format!(
                "{}:// reaches only servers in this process",
                self.scheme
            ))
    }

    /// Who listens at `to`, and the name alone.
    pub(super) fn find(&self, to: &Endpoint) -> Result<(Endpoint, L)>
    where
        L: Clone,
    {
        let name = self.name_of(to, "connect to")?;
        let listening = self.locked().get(&name).cloned();
        let listening = listening.ok_or_else(|| self.refused(to, "nobody listens there"))?;
        Ok((self.named(name), listening))
    }

    /// Takes the name in `at` for as long as the answer lives; `*` stands for a free one.
    pub(super) fn claim(&self, at: &Endpoint, listening: L) -> Result<Claim<L>> {
        let name = match &*self.name_of(at, "listen at")? {
            "*" => self.name_of(&self.free(), "listen at")?,
            name => name.to_owned(),
        };
        match self.locked().entry(name.clone()) {
            Entry::Occupied(_) => {
                let scheme = self.scheme;
                let hint = format!("choose another name, or {scheme}://* to have one chosen");
                return Err(Error::new(ErrorKind::InUse, "listen at", at).hint(hint));
            }
            Entry::Vacant(free) => free.insert(listening),
        };
        Ok(Claim {
            local: self.named(name.clone()),
            name,
            names: self.clone(),
        })
    }
}

impl<L> Clone for Names<L> {
    fn clone(&self) -> Self {
        Names {
            scheme: self.scheme,
            taken: Arc::clone(&self.taken),
        }
    }
}

/// A name that is taken. Dropping it frees the name.
#[derive(Debug)]
pub(super) struct Claim<L> {
    pub(super) local: Endpoint,
    name: String,
    names: Names<L>,
}

impl<L> Drop for Claim<L> {
    fn drop(&mut self) {
        let gone = self.names.locked().remove(&self.name);
        drop(gone);
    }
}
