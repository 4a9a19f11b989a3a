//! Setting options on the kernel's sockets, and reading back the values that the kernel uses.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{Domain, SockRef, TcpKeepalive, Type};

use super::multicast;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::kernel::hint;
use crate::options::SocketOptions;

/// Runs `$set` with the value of an option, if it is given. An error names the option.
macro_rules! set {
    ($options:ident.$key:ident, $endpoint:ident, |$value:ident| $set:expr) => {
        if let Some($value) = $options.$key.clone() {
            const ACTION: &str = concat!("set option ", stringify!($key), " on");
            let done: io::Result<()> = $set;
            done.map_err(|error| hint::failed(ACTION, $endpoint, error))?;
        }
    };
}

impl SocketOptions {
    /// Applies all options that are given to `socket`, which is anything with a descriptor.
    /// `endpoint` is for errors.
    ///
    /// On a socket that is bound already, `reuse_address`, `reuse_port` and `only_v6` come too
    /// late, and the system may refuse them. Options that do not belong to the socket itself
    /// (backlog, timeouts, Unix socket files, sessions) have no effect here. Defaults of this
    /// crate, such as `nodelay`, are not set.
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
        let socket = &SockRef::from(socket);
        set! { self.reuse_address, endpoint, |on| socket.set_reuse_address(on) }
        set! { self.reuse_port, endpoint, |on| socket.set_reuse_port(on) }
        set! { self.only_v6, endpoint, |on| socket.set_only_v6(on) }
        set! { self.broadcast, endpoint, |on| socket.set_broadcast(on) }
        set! { self.bind_device, endpoint, |name| bind_device(socket, &name) }
        self.apply_to_connection(&**socket, endpoint)
    }

    /// Applies the options of a single connection. On Linux an accepted socket inherits them from
    /// its listener, so accepting does not apply them again.
    pub(crate) fn apply_to_connection(
        &self,
        socket: &impl AsFd,
        endpoint: &Endpoint,
    ) -> Result<()> {
        let socket = &SockRef::from(socket);
        // Buffers come first: the window that TCP offers at the handshake depends on them.
        set! { self.send_buffer, endpoint, |size| socket.set_send_buffer_size(size) }
        set! { self.recv_buffer, endpoint, |size| socket.set_recv_buffer_size(size) }
        set! { self.nodelay, endpoint, |on| socket.set_tcp_nodelay(on) }
        set! { self.linger, endpoint, |time| socket.set_linger(Some(whole_seconds(time))) }
        set! { self.ttl, endpoint, |ttl| set_ttl(socket, ttl.into()) }
        set! { self.tos, endpoint, |tos| set_tos(socket, tos.into()) }
        self.apply_keepalive(socket, endpoint)
    }

    fn apply_keepalive(&self, socket: &SockRef<'_>, endpoint: &Endpoint) -> Result<()> {
        let (new, set) = (TcpKeepalive::new, |to: TcpKeepalive| {
            socket.set_tcp_keepalive(&to)
        });
        if self.keepalive == Some(Duration::ZERO) {
            set! { self.keepalive, endpoint, |_off| socket.set_keepalive(false) }
            return Ok(());
        }
        set! { self.keepalive, endpoint, |time| set(new().with_time(whole_seconds(time))) }
        set! {
            self.keepalive_interval, endpoint,
            |time| set(new().with_interval(whole_seconds(time)))
        }
        set! { self.keepalive_retries, endpoint, |count| set(new().with_retries(count)) }
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

    /// The options of `socket`, as the kernel has them: those that its kind has and that can be
    /// read.
    ///
    /// Linux answers with twice the buffer sizes that were set, up to its limits. `join`, and
    /// options that do not belong to the socket itself (backlog, timeouts, Unix socket files,
    /// sessions), cannot be read, and stay unset.
    ///
    /// # Errors
    /// If the system refuses, for a closed descriptor, say.
    pub fn read_back(socket: &impl AsFd) -> io::Result<Self> {
        let socket = &SockRef::from(socket);
        let domain = domain(socket)?;
        let kind = socket.r#type()?;
        let mut options = SocketOptions {
            send_buffer: Some(socket.send_buffer_size()?),
            recv_buffer: Some(socket.recv_buffer_size()?),
            ..SocketOptions::default()
        };
        if domain == Domain::IPV4 || domain == Domain::IPV6 {
            options.read_ip(socket, domain)?;
            match kind {
                Type::STREAM => options.read_tcp(socket)?,
                _ => options.broadcast = Some(socket.broadcast()?),
            }
        }
        Ok(options)
    }

    fn read_ip(&mut self, socket: &SockRef<'_>, domain: Domain) -> io::Result<()> {
        self.reuse_address = Some(socket.reuse_address()?);
        self.reuse_port = Some(socket.reuse_port()?);
        self.bind_device = device(socket)?;
        let (ttl, tos) = if domain == Domain::IPV6 {
            self.only_v6 = Some(socket.only_v6()?);
            (socket.unicast_hops_v6()?, socket.tclass_v6()?)
        } else {
            (socket.ttl_v4()?, socket.tos_v4()?)
        };
        self.ttl = u8::try_from(ttl).ok();
        self.tos = u8::try_from(tos).ok();
        Ok(())
    }

    fn read_tcp(&mut self, socket: &SockRef<'_>) -> io::Result<()> {
        self.nodelay = Some(socket.tcp_nodelay()?);
        self.linger = socket.linger()?;
        self.keepalive = Some(Duration::ZERO);
        if socket.keepalive()? {
            self.keepalive = Some(socket.tcp_keepalive_time()?);
            self.keepalive_interval = Some(socket.tcp_keepalive_interval()?);
            self.keepalive_retries = Some(socket.tcp_keepalive_retries()?);
        }
        Ok(())
    }
}

/// The address family, from the local address, which every system gives.
fn domain(socket: &SockRef<'_>) -> io::Result<Domain> {
    Ok(socket.local_addr()?.domain())
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
    socket.bind_device(Some(name.as_bytes()))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bind_device(_: &SockRef<'_>, _: &str) -> io::Result<()> {
    let reason = "only Linux binds a socket to a device";
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn device(socket: &SockRef<'_>) -> io::Result<Option<String>> {
    let name = socket.device()?;
    Ok(name.map(|name| String::from_utf8_lossy(&name).into_owned()))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn device(_: &SockRef<'_>) -> io::Result<Option<String>> {
    Ok(None)
}
