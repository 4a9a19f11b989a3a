//! Options that only Linux has.

use std::io;
use std::time::Duration;

use libc::c_int;
use socket2::{Domain, Protocol, SockRef, Type};

use super::read::known;
use super::{domain, raw, refused, serves_v4_too};
use crate::kernel::multicast;
use crate::options::SocketOptions;

/// The options of MPTCP (linux/mptcp.h), which the crate `libc` does not have.
const SOL_MPTCP: c_int = 284;
const MPTCP_INFO: c_int = 1;

/// Which parts of TCP Fast Open the system allows, one bit each.
const FAST_OPEN: &str = "/proc/sys/net/ipv4/tcp_fastopen";
const FAST_OPEN_SERVERS: u32 = 2;

pub(super) fn set_priority(socket: &SockRef<'_>, priority: u32) -> io::Result<()> {
    socket.set_priority(priority)
}

pub(super) fn set_mark(socket: &SockRef<'_>, mark: u32) -> io::Result<()> {
    socket.set_mark(mark)
}

/// Rounded down, a short time would become 0, which is none.
pub(super) fn set_user_timeout(socket: &SockRef<'_>, time: Duration) -> io::Result<()> {
    let up = Duration::from_nanos(999_999);
    socket.set_tcp_user_timeout(Some(time.saturating_add(up)))
}

pub(super) fn set_congestion(socket: &SockRef<'_>, name: &str) -> io::Result<()> {
    socket.set_tcp_congestion(refused::name(name, "an algorithm")?.as_bytes())
}

/// More than the kernel can count is no limit.
pub(super) fn set_notsent_lowat(socket: &SockRef<'_>, bytes: usize) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// Has packets leave by the interface of this name or number, those to groups too. The kernel
/// wants the number for single peers in the order of the network (ip(7), ipv6(7)).
pub(super) fn set_interface(socket: &SockRef<'_>, name: &str) -> io::Result<()> {
    let index = multicast::index_of(refused::name(name, "an interface")?)?;
    let in_network_order = index.to_be_bytes();
    if domain(socket)? == Domain::IPV6 {
        let level = libc::IPPROTO_IPV6;
        raw::set(socket, level, libc::IPV6_UNICAST_IF, &in_network_order)?;
        socket.set_multicast_if_v6(index)?;
        if !serves_v4_too(socket)? {
            return Ok(());
        }
    }
    raw::set(
        socket,
        libc::IPPROTO_IP,
        libc::IP_UNICAST_IF,
        &in_network_order,
    )?;
    // An `ip_mreqn`: two addresses that are not given, and the number.
    let mut request = [0; 12];
    request[8..].copy_from_slice(&index.to_ne_bytes());
    raw::set(socket, libc::IPPROTO_IP, libc::IP_MULTICAST_IF, &request)
}

pub(super) fn connect_fast(socket: &SockRef<'_>, on: bool) -> io::Result<()> {
    let value = c_int::from(on).to_ne_bytes();
    raw::set(
        socket,
        libc::IPPROTO_TCP,
        libc::TCP_FASTOPEN_CONNECT,
        &value,
    )
}

/// The kernel takes the option and ignores it where the system does not allow it.
pub(super) fn listen_fast(socket: &SockRef<'_>, queue: c_int) -> io::Result<()> {
    if queue > 0 && !servers_may_open_fast() {
        return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
    }
    let value = queue.to_ne_bytes();
    raw::set(socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN, &value)
}

/// Whether the system allows it, as far as it tells.
fn servers_may_open_fast() -> bool {
    let read = std::fs::read_to_string(FAST_OPEN);
    let allowed = read.ok().and_then(|text| text.trim().parse::<u32>().ok());
    allowed.is_none_or(|bits| bits & FAST_OPEN_SERVERS != 0)
}

/// Whether a socket was made for MPTCP. One that was dialled says so after a fallback, too.
pub(crate) fn is_multipath(socket: &SockRef<'_>) -> bool {
    socket
        .protocol()
        .is_ok_and(|protocol| protocol == Some(Protocol::MPTCP))
}

/// The number of TCP connections that carry an MPTCP socket now; `None` if it is plain TCP, or fell
/// back to it.
pub(crate) fn paths(socket: &SockRef<'_>) -> io::Result<Option<u32>> {
    if !is_multipath(socket) {
        return Ok(None);
    }
    // The first byte counts the connections beside the first one.
    let info = known(raw::get::<1>(socket, SOL_MPTCP, MPTCP_INFO))?;
    Ok(info.map(|[more]| 1 + u32::from(more)))
}

pub(super) fn read_ip(
    options: &mut SocketOptions,
    socket: &SockRef<'_>,
    domain: Domain,
) -> io::Result<()> {
    options.priority = Some(socket.priority()?);
    options.mark = Some(socket.mark()?);
    if socket.r#type()? == Type::STREAM {
        return Ok(());
    }
    let (level, name) = match domain {
        Domain::IPV6 => (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_IF),
        _ => (libc::IPPROTO_IP, libc::IP_UNICAST_IF),
    };
    let index = u32::from_be_bytes(raw::get(socket, level, name)?);
    options.interface = raw::interface_name(index);
    Ok(())
}

pub(super) fn read_tcp(options: &mut SocketOptions, socket: &SockRef<'_>) -> io::Result<()> {
    let time = known(socket.tcp_user_timeout())?;
    options.user_timeout = time.map(Option::unwrap_or_default);
    let name = known(socket.tcp_congestion())?;
    options.congestion = name.map(|name| {
        let name = String::from_utf8_lossy(&name);
        name.trim_end_matches('\0').to_owned()
    });
    let bytes = known(socket.tcp_notsent_lowat())?;
    options.notsent_lowat = bytes.map(|bytes| bytes as usize);
    let value = |name| known(raw::get(socket, libc::IPPROTO_TCP, name));
    let client = value(libc::TCP_FASTOPEN_CONNECT)?.map(c_int::from_ne_bytes);
    let server = value(libc::TCP_FASTOPEN)?.map(c_int::from_ne_bytes);
    options.fastopen = client.max(server).map(|set| set > 0);
    options.mptcp = Some(is_multipath(socket));
    Ok(())
}
