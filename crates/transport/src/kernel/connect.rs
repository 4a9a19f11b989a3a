//! Connecting: one attempt, several addresses, and a deadline.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockAddr, Socket};
use tokio::task::JoinSet;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::kernel::addr::Scheme;
use crate::kernel::os::Os;
use crate::options::SocketOptions;

/// How long an attempt may take before the next address is tried beside it (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// `connecting`, within the time that the options allow. The caller pins it: moved into this
/// future, it would need its memory twice.
pub(crate) async fn in_time<T>(
    to: &Endpoint,
    options: &SocketOptions,
    connecting: impl Future<Output = Result<T>>,
) -> Result<T> {
    let limit = options
        .connect_timeout
        .unwrap_or(SocketOptions::DEFAULT_CONNECT_TIMEOUT);
    match tokio::time::timeout(limit, connecting).await {
        Ok(done) => done,
        Err(_) => Err(Error::new(ErrorKind::TimedOut, "connect to", to)
            .because(format!("no answer within {limit:?}"))
            .hint("check the address, or allow more with connect_timeout=60s, say")),
    }
}

/// Connects with `attempt` to the first of `addresses` that answers. A new attempt starts when one
/// fails, or every 250 ms. The error is that of the first address, which the resolver thought best.
pub(crate) async fn race<T, F>(
    addresses: Vec<SocketAddr>,
    attempt: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    if let [only] = addresses[..] {
        return attempt(only).await;
    }
    let mut attempts = JoinSet::new();
    let mut waiting = addresses.into_iter().enumerate();
    let mut failure: Option<(usize, io::Error)> = None;
    loop {
        if let Some((rank, address)) = waiting.next() {
            let connecting = attempt(address);
            attempts.spawn(async move { (rank, connecting.await) });
        }
        let next = match waiting.len() {
            0 => attempts.join_next().await,
            _ => match tokio::time::timeout(ATTEMPT_DELAY, attempts.join_next()).await {
                Ok(next) => next,
                Err(_) => continue,
            },
        };
        match next {
            Some(Ok((_, Ok(connected)))) => return Ok(connected),
            Some(Ok((rank, Err(error)))) => {
                if failure.as_ref().is_none_or(|(first, _)| rank < *first) {
                    failure = Some((rank, error));
                }
            }
            Some(Err(stopped)) => return Err(io::Error::other(stopped)),
            None => {
                let none = || io::Error::new(io::ErrorKind::NotFound, "no address to try");
                return Err(failure.map_or_else(none, |(_, error)| error));
            }
        }
    }
}

/// Begins to connect a non-blocking stream socket, and gives whether it is connected already.
/// [`settled`] waits for the rest.
///
/// A listener on this machine has answered by the time the call returns. A second call then reports
/// it, which is cheaper than a wait.
pub(crate) fn begin(socket: &Socket, to: &SockAddr) -> io::Result<bool> {
    loop {
        let Err(error) = socket.connect(to) else {
            return Ok(true);
        };
        match error.raw_os_error() {
            Some(libc::EINPROGRESS | libc::EINTR) => {}
            Some(libc::EALREADY) => return Ok(false),
            // Other systems than Linux report a connected socket so.
            Some(libc::EISCONN) => return Ok(true),
            _ => return Err(error),
        }
    }
}

/// Waits for the answer of the peer, unless the socket is connected already (`done`).
pub(crate) async fn settled(socket: Socket, scheme: Scheme, done: bool) -> io::Result<Os> {
    let os = Os::connection(socket, scheme)?;
    if !done {
        os.writable().await?;
        os.socket().take_error()?.map_or(Ok(()), Err)?;
    }
    Ok(os)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_delays_the_next_by_a_quarter_second() {
        let addresses: Vec<SocketAddr> =
            vec!["[::1]:1".parse().unwrap(), "127.0.0.1:1".parse().unwrap()];
        let start = tokio::time::Instant::now();
        let won = race(addresses, |address| async move {
            if address.is_ipv6() {
                std::future::pending::<()>().await;
            }
            Ok(address)
        });
        assert!(won.await.unwrap().is_ipv4());
        assert_eq!(start.elapsed(), ATTEMPT_DELAY);
    }

    #[tokio::test]
    async fn the_error_is_the_first_addresss() {
        let addresses: Vec<SocketAddr> =
            vec!["[::1]:1".parse().unwrap(), "127.0.0.1:1".parse().unwrap()];
        let failed = race::<(), _>(addresses, |address| async move {
            let kind = if address.is_ipv6() {
                io::ErrorKind::ConnectionRefused
            } else {
                io::ErrorKind::TimedOut
            };
            Err(kind.into())
        });
        assert_eq!(
            failed.await.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
    }
}
