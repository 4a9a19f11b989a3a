//! Setting options on the kernel's sockets, and reading back the values that the kernel uses.

#[cfg_attr(not(target_os = "linux"), path = "elsewhere.rs")]
mod linux;
#[cfg(target_os = "linux")]
mod raw;
mod read;
mod refused;

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{Domain, SockRef, TcpKeepalive, Type};

pub(crate) use self::linux::is_multipath;
#[cfg(target_os = "linux")]
pub(crate) use self::linux::paths;
use super::multicast;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::kernel::hint;
use crate::options::SocketOptions;

/// Runs `$set` with the value of an option, if it is given. An error names the option.
macro_rules! set {
    ($options:ident.$key:ident, $on:ident, |$value:ident| $set:expr) => {
        if let Some($value) = $options.$key.clone() {
            const ACTION: &str = concat!("set option ", stringify!($key), " on");
            let done: io::Result<()> = $set;
            if let Err(error) = done {
                $on.refuses(stringify!($key), ACTION, error)?;
            }
        }
    };
}

/// A socket that gets options.
struct Target<'a> {
    socket: SockRef<'a>,
    endpoint: &'a Endpoint,
    /// Whether an option that is refused so is passed over, and noted.
    passes_over: fn(&io::Error) -> bool,
    passed_over: Vec<&'static str>,
}

impl<'a> Target<'a> {
    /// One for which every refusal is an error.
    fn new(socket: &'a impl AsFd, endpoint: &'a Endpoint) -> Self {
        Target::passing_over(socket, endpoint, |_| false)
    }

    fn passing_over(
        socket: &'a impl AsFd,
        endpoint: &'a Endpoint,
        passes_over: fn(&io::Error) -> bool,
    ) -> Self {
        Target {
            socket: SockRef::from(socket),
            endpoint,
            passes_over,
            passed_over: Vec::new(),
        }
    }

    fn refuses(&mut self, key: &'static str, action: &'static str, error: io::Error) -> Result<()> {
        if !(self.passes_over)(&error) {
            let hint = refused::way_out(key, &error, is_multipath(&self.socket));
            let failed = hint::failed(action, self.endpoint, error);
            return Err(match hint {
                Some(hint) => failed.hint(hint),
                None => failed,
            });
        }
        // An option may be set in two steps.
        if !self.passed_over.contains(&key) {
            self.passed_over.push(key);
        }
        Ok(())
    }
}

impl SocketOptions {
    /// Applies all options that are given to `socket`, which is anything with a descriptor.
    /// `endpoint` is for errors.
    ///
    /// On a socket that is bound already, `reuse_address`, `reuse_port` and `only_v6` come too
    /// late, and the system may refuse them. Options that do not belong to the socket itself
    /// (backlog, timeouts, Unix socket files, sessions) have no effect here, nor have those that
    /// say how it is opened (`mptcp`, `fastopen`). Defaults of this crate, such as `nodelay`, are
    /// not set.
    ///
    /// # Errors
    /// The first option that the system refuses, by name.
    pub fn apply(&self, socket: &impl AsFd, endpoint: &Endpoint) -> Result<()> {
        self.apply_before_bind(socket, endpoint)?;
        self.apply_after_bind(socket, endpoint)
    }

    /// Applies the options that must or may be set before the socket is bound or connected: all but
    /// the joins.
    pub(crate) fn apply_before_bind(&self, socket: &impl AsFd, endpoint: &Endpoint) -> Result<()> {
        self.set_before_bind(&mut Target::new(socket, endpoint))
    }

    /// The same for a socket that will listen. What MPTCP refuses is left to the sockets that it
    /// accepts: those that are plain TCP take it.
    pub(crate) fn apply_before_listen(
        &self,
        socket: &impl AsFd,
        endpoint: &Endpoint,
    ) -> Result<()> {
        let passes_over: fn(&io::Error) -> bool = match is_multipath(&SockRef::from(socket)) {
            true => refused::is_unknown,
            false => |_| false,
        };
        self.set_before_bind(&mut Target::passing_over(socket, endpoint, passes_over))
    }

    /// The options that an accepted socket does not inherit from its listener. On Linux that is
    /// the priority. A listener of MPTCP hands on different ones to each kind of socket.
    pub(crate) fn for_accepted(&self, multipath: bool) -> Self {
        let rest = match multipath {
            true => self.clone(),
            false => SocketOptions::default(),
        };
        SocketOptions {
            priority: self.priority,
            ..rest
        }
    }

    /// Applies these to an accepted socket, and gives the keys of those that it refuses.
    pub(crate) fn apply_to_accepted(
        &self,
        socket: &impl AsFd,
        endpoint: &Endpoint,
    ) -> Vec<&'static str> {
        let mut target = Target::passing_over(socket, endpoint, |_| true);
        let _ = self.set_on_connection(&mut target);
        target.passed_over
    }

    fn set_before_bind(&self, on: &mut Target<'_>) -> Result<()> {
        set! { self.reuse_address, on, |yes| on.socket.set_reuse_address(yes) }
        set! { self.reuse_port, on, |yes| on.socket.set_reuse_port(yes) }
        set! { self.only_v6, on, |yes| on.socket.set_only_v6(yes) }
        set! { self.broadcast, on, |yes| on.socket.set_broadcast(yes) }
        set! { self.bind_device, on, |name| bind_device(&on.socket, &name) }
        set! { self.interface, on, |name| linux::set_interface(&on.socket, &name) }
        self.set_on_connection(on)
    }

    /// Sets the options of a single connection.
    fn set_on_connection(&self, on: &mut Target<'_>) -> Result<()> {
        // Buffers come first: the window that TCP offers at the handshake depends on them.
        set! { self.send_buffer, on, |size| on.socket.set_send_buffer_size(at_most(size)) }
        set! { self.recv_buffer, on, |size| on.socket.set_recv_buffer_size(at_most(size)) }
        set! { self.nodelay, on, |yes| on.socket.set_tcp_nodelay(yes) }
        set! { self.linger, on, |time| on.socket.set_linger(Some(whole_seconds(time))) }
        set! { self.ttl, on, |ttl| set_ttl(&on.socket, ttl.into()) }
        set! { self.tos, on, |tos| set_tos(&on.socket, tos.into()) }
        // After `tos`, of which Linux makes a priority.
        set! { self.priority, on, |priority| linux::set_priority(&on.socket, priority) }
        set! { self.mark, on, |mark| linux::set_mark(&on.socket, mark) }
        set! { self.user_timeout, on, |time| linux::set_user_timeout(&on.socket, time) }
        set! { self.congestion, on, |name| linux::set_congestion(&on.socket, &name) }
        set! { self.notsent_lowat, on, |bytes| linux::set_notsent_lowat(&on.socket, bytes) }
        self.set_keepalive(on)
    }

    /// Has a socket that is about to connect send its first bytes with its first packet, if the
    /// option `fastopen` says so.
    pub(crate) fn apply_before_connect(&self, socket: &impl AsFd, to: &Endpoint) -> Result<()> {
        let on = &mut Target::new(socket, to);
        set! { self.fastopen, on, |yes| linux::connect_fast(&on.socket, yes) }
        Ok(())
    }

    /// Has a listening socket take such bytes, from as many clients at a time as may wait to be
    /// accepted.
    pub(crate) fn apply_to_backlog(
        &self,
        socket: &impl AsFd,
        backlog: i32,
        at: &Endpoint,
    ) -> Result<()> {
        let on = &mut Target::new(socket, at);
        let queue = |yes| if yes { backlog } else { 0 };
        set! { self.fastopen, on, |yes| linux::listen_fast(&on.socket, queue(yes)) }
        Ok(())
    }

    fn set_keepalive(&self, on: &mut Target<'_>) -> Result<()> {
        let new = TcpKeepalive::new;
        if self.keepalive == Some(Duration::ZERO) {
            set! { self.keepalive, on, |_off| on.socket.set_keepalive(false) }
            return Ok(());
        }
        set! {
            self.keepalive, on,
            |time| on.socket.set_tcp_keepalive(&new().with_time(whole_seconds(time)))
        }
        set! {
            self.keepalive_interval, on,
            |time| on.socket.set_tcp_keepalive(&new().with_interval(whole_seconds(time)))
        }
        set! {
            self.keepalive_retries, on,
            |count| on.socket.set_tcp_keepalive(&new().with_retries(count))
        }
        Ok(())
    }

    /// Applies the options that need a bound socket: the multicast joins.
    pub(crate) fn apply_after_bind(&self, socket: &impl AsFd, endpoint: &Endpoint) -> Result<()> {
        let socket = &SockRef::from(socket);
        for group in &self.join {
            let joined = multicast::join(group, socket);
            joined.map_err(|error| {
                let reason = format!("{group}: {error}");
                hint::failed("set option join on", endpoint, error).because(reason)
            })?;
        }
        Ok(())
    }
}

/// The address family, from the local address, which every system gives.
fn domain(socket: &SockRef<'_>) -> io::Result<Domain> {
    Ok(socket.local_addr()?.domain())
}

/// A size as the kernel takes it: it would read a larger one as a smaller one.
fn at_most(size: usize) -> usize {
    size.min(i32::MAX as usize)
}

/// Rounds up to the seconds that the kernel counts. Rounded down, a short linger time would become
/// 0, which resets.
fn whole_seconds(time: Duration) -> Duration {
    let up = u64::from(time.subsec_nanos() > 0);
    Duration::from_secs(time.as_secs().saturating_add(up))
}

/// An IPv6 socket that also serves IPv4 has a limit for each family. A UDP socket has another one
/// for groups.
fn set_ttl(socket: &SockRef<'_>, ttl: u32) -> io::Result<()> {
    let datagrams = socket.r#type()? == Type::DGRAM;
    if domain(socket)? == Domain::IPV6 {
        socket.set_unicast_hops_v6(ttl)?;
        if datagrams {
            socket.set_multicast_hops_v6(ttl)?;
        }
        if !serves_v4_too(socket)? {
            return Ok(());
        }
    }
    socket.set_ttl_v4(ttl)?;
    if datagrams {
        socket.set_multicast_ttl_v4(ttl)?;
    }
    Ok(())
}

fn set_tos(socket: &SockRef<'_>, tos: u32) -> io::Result<()> {
    if domain(socket)? == Domain::IPV6 {
        socket.set_tclass_v6(tos)?;
        if !serves_v4_too(socket)? {
            return Ok(());
        }
    }
    socket.set_tos_v4(tos)
}

/// Whether an IPv6 socket carries IPv4 too, and the system takes IPv4 options for it. Linux does.
fn serves_v4_too(socket: &SockRef<'_>) -> io::Result<bool> {
    Ok(cfg!(target_os = "linux") && !socket.only_v6()?)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind_device(socket: &SockRef<'_>, name: &str) -> io::Result<()> {
    socket.bind_device(Some(refused::name(name, "a device")?.as_bytes()))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bind_device(_: &SockRef<'_>, _: &str) -> io::Result<()> {
    let reason = "only Linux binds a socket to a device";
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}
