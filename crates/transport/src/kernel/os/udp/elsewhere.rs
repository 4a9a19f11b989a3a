//! On other systems datagrams are sent and received one by one, and the kernel chooses the address
//! from which an answer is sent.

pub(super) mod offload {
    use std::io;
    use std::net::IpAddr;

    use socket2::{SockAddr, Socket};

    pub(in super::super) fn send_run(
        _: &Socket,
        _: &[u8],
        _: u16,
        _: Option<&SockAddr>,
        _: Option<IpAddr>,
    ) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[cfg(feature = "batch")]
    pub(in super::super) fn merge_received(_: &Socket) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

pub(super) mod asked {
    use std::io::{self, IoSlice};
    use std::net::IpAddr;

    use socket2::{SockAddr, Socket};

    pub(in super::super) use crate::kernel::os::calls::recv_datagram_from as recv;
    use crate::kernel::os::calls::send_parts_to;

    pub(in super::super) fn tell(_: &Socket) -> bool {
        false
    }

    pub(in super::super) fn send(
        socket: &Socket,
        parts: &[IoSlice<'_>],
        to: &SockAddr,
        _: IpAddr,
    ) -> io::Result<usize> {
        send_parts_to(socket, parts, to)
    }
}
