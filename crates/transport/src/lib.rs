//! Sockets by URL.
#![warn(missing_docs)]

mod batch;
mod boxed;
mod datagram;
mod endpoint;
mod error;
mod socket;
mod transport;

pub use async_trait::async_trait;
pub use batch::{Batch, Datagram};
pub use boxed::{BoxListener, BoxRecv, BoxSend, BoxSocket, BoxTransport, erase};
pub use datagram::{BoxFuture, DatagramSocket, PeerAddr, recv_from, send_to};
pub use endpoint::{Address, Endpoint};
pub use error::{Error, ErrorKind, Result};
pub use socket::{Credentials, Half, Received, RecvHalf, SendHalf, Shape, Socket};
pub use transport::{Accept, Listener, Transport};
