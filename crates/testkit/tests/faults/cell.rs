//! The cells that run, and the severity of their faults.

use socketry_apps::matrix::App;

/// An app over a transport with a codec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) app: App,
    pub(crate) scheme: &'static str,
    pub(crate) codec: &'static str,
}

impl Cell {
    pub(crate) fn new(app: App, scheme: &'static str, codec: &'static str) -> Self {
        Cell { app, scheme, codec }
    }

    pub(crate) fn is_stream(self) -> bool {
        !matches!(self.scheme, "udp" | "unix-dgram")
    }

    /// The scheme whose sockets have the faults, if there is TLS over them.
    pub(crate) fn beneath_tls(self) -> Option<&'static str> {
        match self.scheme {
            "tls" => Some("tcp"),
            "tls+unix" => Some("unix"),
            _ => None,
        }
    }

    /// Whether one read is one message.
    pub(crate) fn is_sticky(self) -> bool {
        self.codec == "raw" && self.is_stream() && self.scheme != "unix-seqpacket"
    }

    /// Whether received bytes may differ from sent ones: with every second seed, in cells whose law
    /// allows it.
    pub(crate) fn may_differ(self, seed: u64) -> bool {
        !self.is_stream() && seed % 2 == 1
    }

    /// Whether time can be virtual. That is so if nothing happens that a jumping clock would not
    /// wait for. The kernel's TCP and UDP are such things. So is a process while the session of its
    /// datagrams is idle.
    pub(crate) fn is_virtual(self) -> bool {
        let processes = self.app == App::Command && !self.is_stream();
        !matches!(self.scheme, "tcp" | "tls" | "udp") && !processes
    }

    /// Whether the run survives a connection that falls silent: the apps notice it after minutes of
    /// a virtual clock. A command may take for ever, so the test gives its client up.
    pub(crate) fn bears_silence(self) -> bool {
        self.is_virtual() || self.app == App::Command
    }
}

/// The severity of the faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing is lost: the outcome has to be right.
    Harmless,
    /// Anything may happen: the outcome has to be right, or a clear error.
    Hostile,
    /// Bits flip in streams, which no app has to survive. The laws must notice that.
    Corrupt,
}
