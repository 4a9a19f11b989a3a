//! The bridge to tokio's traits, both ways: any `AsyncRead + AsyncWrite` is a stream socket, and
//! any stream socket is `AsyncRead + AsyncWrite`. That is how TLS wraps any transport, and how
//! pipes and serial ports plug in.

mod from_io;
mod into_io;

pub use from_io::{FromIo, IoRecv, IoSend};
pub use into_io::IntoIo;
