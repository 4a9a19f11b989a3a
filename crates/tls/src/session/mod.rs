//! The data path: a connection of rustls between the halves of the socket inside.
//!
//! The halves share the connection behind a lock that is held for the length of one poll, and each
//! has its half of the socket inside, with a waker of its own there. It reaches for the other's
//! when something has failed: for the alert that says why, or to send one. Locks are taken in this
//! order: the receiving side, the connection, the sending side. What comes in is received straight
//! into the connection's buffer, a record at a time.

mod apart;
mod handshake;
mod incoming;
mod records;
mod recv;
mod send;
mod shared;
mod writing;

use std::sync::{Mutex, MutexGuard, PoisonError};

use socketry_transport::{Joined, Socket};

pub(crate) use handshake::{Server, accept, connect, offered};
pub use recv::TlsRecv;
pub use send::TlsSend;
pub(crate) use shared::Shared;

/// A socket over TLS.
pub type TlsSocket<S> =
    Joined<TlsRecv<<S as Socket>::Recv>, TlsSend<<S as Socket>::Recv, <S as Socket>::Send>>;

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
