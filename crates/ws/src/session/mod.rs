//! The data path: frames between the halves of the socket inside.
//!
//! Each half has its half of the socket inside to itself, but for one thing: what a receiver has to
//! answer (a pong, a close frame) leaves through the sending side, whether a task sends or not. So
//! that side is behind a lock, which is held for the length of one poll. The receiving side is
//! behind none.

mod farewell;
mod keepalive;
mod recv;
mod send;
mod wakers;
mod writing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
pub use recv::WsRecv;
pub use send::WsSend;
use socketry_transport::{Info, Joined, Shape, Socket};

use crate::frame::Role;
use crate::frame::decoder::Decoder;
use keepalive::Keepalive;
use writing::Writing;

/// A socket over WebSocket.
pub type WsSocket<S> =
    Joined<WsRecv<<S as Socket>::Recv, <S as Socket>::Send>, WsSend<<S as Socket>::Send>>;

/// How a connection behaves after its handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) max_message: usize,
    pub(crate) ping: Option<Duration>,
    pub(crate) pong: Duration,
    pub(crate) text: bool,
}

/// What both halves of a WebSocket carry.
fn shape(max_len: usize) -> Shape {
    Shape::Message { max_len }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The socket over `inside`, from which `first` was received behind the handshake. `describe` adds
/// what the handshake brought.
pub(crate) fn begin<S: Socket>(
    inside: S,
    role: Role,
    settings: Settings,
    first: BytesMut,
    describe: impl FnOnce(Info) -> Info,
) -> WsSocket<S> {
    let info = describe(inside.info().clone()).with_shape(shape(settings.max_message));
    let (recv, send) = inside.split();
    let writing = Arc::new(Mutex::new(Writing::new(send, role)));
    let wakers = Arc::clone(&lock(&writing).wakers);
    let recv = WsRecv {
        info: info.clone(),
        socket: recv,
        decoder: Decoder::new(role, settings.max_message, first),
        room: recv::FIRST,
        writing: Arc::clone(&writing),
        wakers: Arc::clone(&wakers),
        keepalive: Keepalive::new(settings.ping, settings.pong),
        role,
        last: None,
        farewell: None,
    };
    let send = WsSend {
        info,
        writing,
        wakers,
        settings,
    };
    Joined::new(recv, send)
}
