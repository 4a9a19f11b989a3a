//! The names of the listeners inside this process.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::contract::endpoint::{Address, Endpoint};
use crate::contract::error::{Error, ErrorKind, Result};

/// For each name, the backlog of its listener, in an `L`. Clones share the names.
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
        // No code panics while it holds the lock. Should that change, the map is still consistent.
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

    /// A name that is free.
    pub(super) fn free(&self) -> Endpoint {
        self.named(format!("#{}", NUMBER.fetch_add(1, Ordering::Relaxed)))
    }

    /// The error of connecting to `to`.
    pub(super) fn refused(&self, to: &Endpoint, reason: &str) -> Error {
        Error::new(ErrorKind::Refused, "connect to", to)
            .because(reason)
            .hint(format!(
                "{}:// reaches only servers in this process",
                self.scheme
            ))
    }

    /// The listener at `to`, and the endpoint of its name.
    pub(super) fn find(&self, to: &Endpoint) -> Result<(Endpoint, L)>
    where
        L: Clone,
    {
        let name = self.name_of(to, "connect to")?;
        let listening = self.locked().get(&name).cloned();
        let listening = listening.ok_or_else(|| self.refused(to, "nobody listens there"))?;
        Ok((self.named(name), listening))
    }

    /// Takes the name in `at` until the claim is dropped. `*` takes a free name.
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
