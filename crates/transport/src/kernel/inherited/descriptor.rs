//! `fd://3`: a descriptor by its number.

use std::os::fd::{OwnedFd, RawFd};

use async_trait::async_trait;

use super::{connected, failed, listening, take, without_options};
use crate::contract::boxed::{BoxListener, BoxSocket};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::Transport;

/// Sockets that the process inherited, by their numbers: `fd://3`.
///
/// A program that starts this one leaves the descriptor open: a shell, a supervisor, or an earlier
/// process of the same service that hands its listener over. To listen needs a stream socket that
/// listens, or a datagram socket that is bound, whose peers become sessions. To connect needs a
/// connected socket. `listen(2)` is not called again, since it would change the credentials that
/// clients of a Unix socket see.
///
/// Each descriptor is taken once. It is then non-blocking, no child process gets it, and dropping
/// the socket closes it. A descriptor that this process opened itself is refused. Options are
/// refused too: the program that made the socket has set them. Standard input is
/// [`stdio://`](super::StdioTransport).
#[derive(Clone, Copy, Debug, Default)]
pub struct FdTransport;

/// Takes the descriptor that `at` names.
fn taken(action: &'static str, at: &Endpoint) -> Result<OwnedFd> {
    without_options(at)?;
    let number = at.name().and_then(|name| name.parse::<RawFd>().ok());
    let number = number.filter(|number| *number > libc::STDERR_FILENO);
    let number = number.ok_or_else(|| {
        Error::new(ErrorKind::InvalidEndpoint, action, at)
            .because("a descriptor is a number from 3 on")
            .hint("write fd://3, say; standard input and output are stdio://")
    })?;
    take::take(number).map_err(|error| failed(action, at, error))
}

#[async_trait]
impl Transport for FdTransport {
    type Socket = BoxSocket;
    type Listener = BoxListener;

    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        let socket = taken("use", to)?;
        connected(socket).map_err(|error| failed("use", to, error))
    }

    async fn listen(&self, at: &Endpoint) -> Result<BoxListener> {
        let socket = taken("listen at", at)?;
        listening(socket).map_err(|error| failed("listen at", at, error))
    }
}
