//! Listening at a name, which is to listen at all its addresses.

use std::net::SocketAddr;
use std::task::{Context, Poll};

use crate::contract::endpoint::{Address, Endpoint};
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::listener::Listener;

/// How often to try another port, where the system chooses one that is taken at another address.
const TRIES: usize = 16;

/// A listener at all addresses of a name, with a listener for each, which take turns. At an
/// address, it has a single one.
///
/// Addresses of the name that this machine cannot serve are left out: an IPv6 address where there
/// is no IPv6, say. [`left_out`](NameListener::left_out) has them, and a `tracing` event of level
/// `WARN` tells of each.
#[derive(Debug)]
pub struct NameListener<L> {
    first: L,
    others: Vec<L>,
    /// The index of the listener to ask first.
    turn: usize,
    left_out: Vec<Error>,
}

impl<L> NameListener<L> {
    /// One listener for each address, in the order in which the resolver gave them.
    pub fn listeners(&self) -> impl Iterator<Item = &L> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The addresses without a listener: each error names one, and the reason.
    pub fn left_out(&self) -> &[Error] {
        &self.left_out
    }

    pub(crate) fn map<T>(self, to: impl Fn(L) -> T) -> NameListener<T> {
        NameListener {
            first: to(self.first),
            others: self.others.into_iter().map(to).collect(),
            turn: self.turn,
            left_out: self.left_out,
        }
    }
}

/// Sockets that a process takes over were made by another one.
#[cfg(target_os = "linux")]
impl<L> NameListener<L> {
    pub(crate) fn one(listener: L) -> Self {
        NameListener {
            first: listener,
            others: Vec::new(),
            turn: 0,
            left_out: Vec::new(),
        }
    }

    /// A listener of all these; `None` if there are none.
    pub(crate) fn of(listeners: Vec<L>) -> Option<Self> {
        let mut listeners = listeners.into_iter();
        let first = NameListener::one(listeners.next()?);
        Some(NameListener {
            others: listeners.collect(),
            ..first
        })
    }

    /// The first of the listeners.
    pub(crate) fn first_mut(&mut self) -> &mut L {
        &mut self.first
    }
}

impl<L: Listener> Listener for NameListener<L> {
    type Socket = L::Socket;

    fn local(&self) -> &Endpoint {
        self.first.local()
    }

    fn locals(&self) -> Vec<Endpoint> {
        self.listeners().map(|one| one.local().clone()).collect()
    }

    fn refusals(&self) -> u64 {
        self.listeners().map(Listener::refusals).sum()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<L::Socket>> {
        let count = 1 + self.others.len();
        for _ in 0..count {
            let turn = self.turn;
            self.turn = (turn + 1) % count;
            let listener = match turn.checked_sub(1) {
                Some(other) => &mut self.others[other],
                None => &mut self.first,
            };
            if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

/// Calls `bind` for each of the `addresses` of `at`. Where the system chooses the port, all get the
/// same one.
pub(crate) fn at_all<T>(
    at: &Endpoint,
    addresses: &[SocketAddr],
    bind: impl Fn(SocketAddr, &Endpoint) -> Result<(T, Endpoint)>,
) -> Result<NameListener<T>> {
    let mut tries = 1..TRIES;
    loop {
        match once(at, addresses, &bind) {
            Err(error)
                if error.kind() == ErrorKind::InUse
                    && at.port() == Some(0)
                    && tries.next().is_some() => {}
            done => return done,
        }
    }
}

fn once<T>(
    at: &Endpoint,
    addresses: &[SocketAddr],
    bind: &impl Fn(SocketAddr, &Endpoint) -> Result<(T, Endpoint)>,
) -> Result<NameListener<T>> {
    let (mut bound, mut left_out, mut port) = (Vec::new(), Vec::new(), None);
    for mut address in distinct(addresses) {
        address.set_port(port.unwrap_or(address.port()));
        let place = match addresses {
            [_] => at.clone(),
            _ => at_address(at, address),
        };
        match bind(address, &place) {
            Ok((socket, local)) => {
                port = local.port();
                bound.push(socket);
            }
            Err(error) if is_elsewhere(&error) => left_out.push(error),
            Err(error) => return Err(error),
        }
    }
    let mut bound = bound.into_iter();
    let Some(first) = bound.next() else {
        let none = || Error::new(ErrorKind::NotFound, "listen at", at);
        return Err(left_out.into_iter().next().unwrap_or_else(none));
    };
    for error in &left_out {
        tracing::warn!(%error, %at, "an address of the name is left out");
    }
    Ok(NameListener {
        first,
        others: bound.collect(),
        turn: 0,
        left_out,
    })
}

/// Whether this machine cannot serve such an address: then the others of the name will do. An
/// address that is in use is not such an address, since another program would serve a part of the
/// clients.
fn is_elsewhere(error: &Error) -> bool {
    error.kind() == ErrorKind::NotAvailable || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

/// Binds the first of the `addresses` that this machine can serve, for a socket that has only one.
pub(crate) fn at_one<T>(
    at: &Endpoint,
    addresses: &[SocketAddr],
    bind: impl Fn(SocketAddr) -> Result<T>,
) -> Result<T> {
    let mut failure = None;
    for address in addresses {
        match bind(*address) {
            Err(error) if is_elsewhere(&error) => failure = failure.or(Some(error)),
            Ok(bound) => {
                if addresses.len() > 1 {
                    tracing::warn!(%at, bound = %address, "the other addresses are left out");
                }
                return Ok(bound);
            }
            refused => return refused,
        }
    }
    Err(failure.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "listen at", at)))
}

/// Without repetitions: a resolver may give an address twice, and only one socket can listen there.
fn distinct(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut distinct = Vec::with_capacity(addresses.len());
    for address in addresses {
        if !distinct.contains(address) {
            distinct.push(*address);
        }
    }
    distinct
}

/// The address by itself, for errors that say which of several it was.
fn at_address(at: &Endpoint, address: SocketAddr) -> Endpoint {
    Endpoint::new(at.scheme(), Address::Ip(address)).unwrap_or_else(|_| at.clone())
}
