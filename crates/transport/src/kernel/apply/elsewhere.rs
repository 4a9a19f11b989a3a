//! Options that only Linux has, on other systems.

use std::io;
use std::time::Duration;

use socket2::{Domain, SockRef};

use crate::options::SocketOptions;

/// Functions that set an option, and cannot.
macro_rules! only_on_linux {
    ($($name:ident: $value:ty,)*) => { $(
        pub(super) fn $name(_: &SockRef<'_>, _: $value) -> io::Result<()> {
            let reason = "only Linux has this option";
            Err(io::Error::new(io::ErrorKind::Unsupported, reason))
        }
    )* };
}

only_on_linux! {
    set_priority: u32,
    set_mark: u32,
    set_user_timeout: Duration,
    set_congestion: &str,
    set_notsent_lowat: usize,
    set_interface: &str,
    connect_fast: bool,
    listen_fast: i32,
}

pub(crate) fn is_multipath(_: &SockRef<'_>) -> bool {
    false
}

pub(super) fn read_ip(_: &mut SocketOptions, _: &SockRef<'_>, _: Domain) -> io::Result<()> {
    Ok(())
}

pub(super) fn read_tcp(_: &mut SocketOptions, _: &SockRef<'_>) -> io::Result<()> {
    Ok(())
}
