//! Reading back the values that the kernel uses.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{Domain, SockRef, Type};

use super::refused::is_unknown;
use super::{domain, linux};
use crate::options::SocketOptions;

impl SocketOptions {
    /// The options of `socket`, as the kernel has them: those that its kind has and that can be
    /// read.
    ///
    /// Linux answers with twice the buffer sizes that were set, up to its limits. `join`, and
    /// options that do not belong to the socket itself (backlog, timeouts, Unix socket files,
    /// sessions), cannot be read, and stay unset. So do those that an MPTCP socket does not have.
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
            linux::read_ip(&mut options, socket, domain)?;
            match kind {
                Type::STREAM => {
                    options.read_tcp(socket)?;
                    linux::read_tcp(&mut options, socket)?;
                }
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
            self.only_v6 = known(socket.only_v6())?;
            (socket.unicast_hops_v6(), socket.tclass_v6())
        } else {
            (socket.ttl_v4(), socket.tos_v4())
        };
        self.ttl = known(ttl)?.and_then(|ttl| ttl.try_into().ok());
        self.tos = known(tos)?.and_then(|tos| tos.try_into().ok());
        Ok(())
    }

    fn read_tcp(&mut self, socket: &SockRef<'_>) -> io::Result<()> {
        self.nodelay = known(socket.tcp_nodelay())?;
        self.linger = socket.linger()?;
        self.keepalive = Some(Duration::ZERO);
        if socket.keepalive()? {
            self.keepalive = known(socket.tcp_keepalive_time())?;
            self.keepalive_interval = known(socket.tcp_keepalive_interval())?;
            self.keepalive_retries = known(socket.tcp_keepalive_retries())?;
        }
        Ok(())
    }
}

/// Nothing, if the socket has no such option.
pub(super) fn known<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(error) if is_unknown(&error) => Ok(None),
        read => read.map(Some),
    }
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
