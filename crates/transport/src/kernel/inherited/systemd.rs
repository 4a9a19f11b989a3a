//! `systemd://NAME`: sockets that a service manager passes.

use std::env;
use std::process;

use async_trait::async_trait;

use super::environment::{Passed, passed};
use super::{connected, failed, listening, take, without_options};
use crate::contract::boxed::{BoxListener, BoxSocket};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::Transport;
use crate::layers::listeners::Listeners;

/// Sockets that systemd, or another service manager of its protocol, passes: `systemd://NAME`, by
/// the `FileDescriptorName=` of the socket unit, which is the unit's name by default
/// (`systemd://app.socket`). `systemd://` alone is all of them.
///
/// To listen takes all sockets of this name, and accepts from each: stream sockets, and the peers
/// of datagram sockets as sessions. To connect takes the one connected socket of a service that is
/// started for each client (`Accept=yes`, whose name is `connection`). The rest is as with
/// [`FdTransport`](super::FdTransport).
///
/// The environment variables `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` are read each time,
/// and left as they are: `sd_listen_fds(3)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemdTransport;

/// The sockets that `at` names, at least one.
fn named(action: &'static str, at: &Endpoint) -> Result<Vec<Passed>> {
    without_options(at)?;
    let refused = |reason: String| {
        Error::new(ErrorKind::NotFound, action, at)
            .because(reason)
            .hint("listen at a URL of your own to run without a service manager")
    };
    let all = passed(process::id(), |name| env::var(name).ok()).map_err(refused)?;
    let Some(wanted) = at.name() else {
        return Ok(all);
    };
    let names: Vec<_> = all.iter().map(|socket| socket.name.as_str()).collect();
    let names = names.join(", ");
    let found: Vec<_> = all.iter().filter(|socket| socket.name == wanted).collect();
    if found.is_empty() {
        return Err(refused(format!(
            "no socket of this name was passed; those that were: {names}"
        )));
    }
    Ok(found.into_iter().cloned().collect())
}

#[async_trait]
impl Transport for SystemdTransport {
    type Socket = BoxSocket;
    type Listener = BoxListener;

    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        let [socket] = &named("use", to)?[..] else {
            return Err(Error::new(ErrorKind::Unsupported, "use", to)
                .because("several sockets of this name were passed, and a connection is one"));
        };
        let socket = take::take(socket.number).and_then(connected);
        socket.map_err(|error| failed("use", to, error))
    }

    async fn listen(&self, at: &Endpoint) -> Result<BoxListener> {
        let mut listeners = Vec::new();
        for socket in named("listen at", at)? {
            let listener = take::take(socket.number).and_then(listening);
            listeners.push(listener.map_err(|error| failed("listen at", at, error))?);
        }
        if listeners.len() == 1 {
            return Ok(listeners.remove(0));
        }
        let mut several = Listeners::new();
        for listener in listeners {
            several.add(listener);
        }
        Ok(BoxListener::new(several))
    }
}
