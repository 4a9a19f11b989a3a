//! What is run, and how bad it gets.

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

    /// Where what one read brings is the message.
    pub(crate) fn is_sticky(self) -> bool {
        self.codec == "raw" && self.is_stream()
    }

    /// Whether what arrives may differ from what was sent: with every second seed, for those whose
    /// law bears it.
    pub(crate) fn may_differ(self, seed: u64) -> bool {
        !self.is_stream() && seed % 2 == 1
    }

    /// Whether time can be virtual: nothing is under way that a clock that jumps would not wait
    /// for. In the kernel that is what TCP and UDP do, and a process while the session of its
    /// datagrams is idle.
    pub(crate) fn is_virtual(self) -> bool {
        let processes = self.app == App::Command && !self.is_stream();
        !matches!(self.scheme, "tcp" | "udp") && !processes
    }

    /// Whether the run survives a connection that falls silent: the apps notice it after minutes,
    /// by a virtual clock. A command may take for ever, and its client is given up by the test.
    pub(crate) fn bears_silence(self) -> bool {
        self.is_virtual() || self.app == App::Command
    }
}

/// How bad it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing is lost: the outcome has to be right.
    Harmless,
    /// Anything may happen: the outcome has to be right or a clear error.
    Hostile,
    /// Bits flip in streams, which nobody has to bear: for the laws, which must notice.
    Corrupt,
}
