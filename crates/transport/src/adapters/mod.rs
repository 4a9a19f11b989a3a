//! The bridge to tokio's traits, both ways: any `AsyncRead + AsyncWrite` is a stream socket, and
//! any stream socket is `AsyncRead + AsyncWrite`. So TLS can wrap any transport, and pipes and
//! serial ports become sockets.

mod closing;
mod from_io;
mod into_io;

pub use closing::Closing;
pub use from_io::{FromIo, IoRecv, IoSend};
pub use into_io::IntoIo;
