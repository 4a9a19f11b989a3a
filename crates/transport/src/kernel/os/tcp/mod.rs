//! TCP sockets that are opened in another way than usual.

mod fast_open;
#[cfg(target_os = "linux")]
mod multipath;

use fast_open::FastOpen;
pub(super) use fast_open::or_waits;
#[cfg(target_os = "linux")]
pub use multipath::Mptcp;

/// How a TCP socket was opened, where that is not the usual way.
#[derive(Debug, Default)]
pub(super) struct Opened {
    fast: Option<FastOpen>,
    /// Of a socket that MPTCP was asked for: the options that it refused.
    multipath: Option<Vec<&'static str>>,
}

impl super::Os {
    /// Notes that the first bytes of this end may leave with its first packet.
    pub(crate) fn opening_fast(mut self) -> Self {
        self.opened().fast = Some(FastOpen::default());
        self
    }

    /// Notes that MPTCP was asked for, and the options that the socket refused.
    pub(crate) fn over_multipath(mut self, refused: Vec<&'static str>) -> Self {
        self.opened().multipath = Some(refused);
        self
    }

    fn opened(&mut self) -> &mut Opened {
        self.opened.get_or_insert_default()
    }

    /// The options that the socket refused, if MPTCP was asked for.
    #[cfg_attr(
        not(target_os = "linux"),
        allow(dead_code, reason = "no other system has it")
    )]
    pub(super) fn multipath(&self) -> Option<&[&'static str]> {
        self.opened.as_ref()?.multipath.as_deref()
    }
}
