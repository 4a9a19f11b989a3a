//! What both ends know of the channel below, and a man in the middle does not.

use std::fmt;

use socketry_transport::Info;

/// What both ends of a secure channel know of it: an extension of [`Info`].
///
/// Sockets of `socketry-tls` need none (with the feature `tls`). A secure transport of your own
/// puts one into its sockets' `Info`, so that tokens are bound to it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ChannelBinding {
    fingerprint: Option<[u8; 32]>,
    exporter: Option<[u8; 32]>,
}

/// The label of the TLS exporter (RFC 5705: a label that begins so needs no registration).
#[cfg(feature = "tls")]
pub(crate) const LABEL: &[u8] = b"EXPERIMENTAL-socketry-auth-1";

/// How much of a channel one end sees. The words stand in the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No TLS.
    Plain,
    /// The server's certificate.
    Tls,
    /// The certificate, and keys of this connection alone.
    Exporter,
}

impl Mode {
    const ALL: [Mode; 3] = [Mode::Plain, Mode::Tls, Mode::Exporter];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Mode::Plain => "plain",
            Mode::Tls => "tls",
            Mode::Exporter => "exporter",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Mode::ALL.into_iter().find(|mode| mode.word() == word)
    }
}

impl ChannelBinding {
    /// A channel whose server is known to both ends by these bytes: the SHA-256 of its certificate.
    pub fn new(fingerprint: [u8; 32]) -> Self {
        ChannelBinding {
            fingerprint: Some(fingerprint),
            exporter: None,
        }
    }

    /// The same with a secret that both ends of this connection have, and nobody else.
    #[must_use]
    pub fn exporter(mut self, secret: [u8; 32]) -> Self {
        self.exporter = Some(secret);
        self
    }

    /// That of the socket with this `info`.
    pub(crate) fn of(info: &Info) -> Self {
        if let Some(own) = info.get::<ChannelBinding>() {
            return own.clone();
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = info.get::<socketry_tls::TlsInfo>() {
            return ChannelBinding {
                fingerprint: tls.server_fingerprint(),
                exporter: tls.export(LABEL).ok(),
            };
        }
        ChannelBinding::default()
    }

    pub(crate) fn mode(&self) -> Mode {
        match (&self.fingerprint, &self.exporter) {
            (None, _) => Mode::Plain,
            (Some(_), None) => Mode::Tls,
            (Some(_), Some(_)) => Mode::Exporter,
        }
    }

    /// The fingerprint and the secret, where both ends see them. Empty where one does not.
    pub(crate) fn parts(&self, other: Mode) -> [&[u8]; 2] {
        let fingerprint = self.fingerprint.as_ref().map_or(&[][..], |all| &all[..]);
        let both = (self.mode(), other) == (Mode::Exporter, Mode::Exporter);
        let exporter = self.exporter.as_ref().filter(|_| both);
        [fingerprint, exporter.map_or(&[][..], |all| &all[..])]
    }
}

/// Without the secret.
impl fmt::Debug for ChannelBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelBinding({})", self.mode().word())
    }
}
