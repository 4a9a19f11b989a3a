//! One error for whatever goes wrong with TLS: what was wrong, and the way out, in one line.

mod alert;
mod certificate;

pub(crate) use certificate::WrongPin;

use std::error::Error as StdError;
use std::fmt;
use std::io;

use rustls::InvalidMessage;
use socketry_transport::ErrorKind;

/// What was wrong with a handshake or a connection, and the way out, as one line.
///
/// It is inside of the [`Error`](socketry_transport::Error) of a connect, of the
/// [`UpgradeFailure`](socketry_transport::UpgradeFailure) of a handshake that a server gave up, and
/// of the [`io::Error`] of a send or receive: all of those name the peer.
#[derive(Clone, Debug)]
pub struct TlsError {
    kind: ErrorKind,
    reason: String,
    hint: Option<String>,
    source: Option<rustls::Error>,
}

/// Which end this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client {
        /// Whether it has a certificate to show.
        certified: bool,
    },
    Server,
}

impl Role {
    pub(crate) fn peer(self) -> &'static str {
        match self {
            Role::Client { .. } => "the server",
            Role::Server => "the client",
        }
    }
}

impl TlsError {
    pub(crate) fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        TlsError {
            kind,
            reason: reason.into(),
            hint: None,
            source: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What the library below said, in words for the end that is `us`.
    pub(crate) fn of(error: rustls::Error, us: Role) -> Self {
        let mut explained = explain(&error, us);
        explained.source = Some(error);
        explained
    }

    /// What the peer sent first is not TLS.
    pub(crate) fn plain(first: &[u8], us: Role, source: rustls::Error) -> Self {
        let shown = first.escape_ascii();
        let (reason, hint) = match us {
            Role::Client { .. } => (
                format!("the server does not speak TLS: its answer begins with \"{shown}\""),
                "is this the port for TLS, and not the plain one?",
            ),
            Role::Server => (
                format!("the client does not speak TLS: it sent \"{shown}\""),
                "does it use the plain form of this URL?",
            ),
        };
        let mut error = TlsError::new(ErrorKind::Protocol, reason).hint(hint);
        error.source = Some(source);
        error
    }

    /// The peer's stream ended in the handshake.
    pub(crate) fn ended(us: Role, heard: bool) -> Self {
        let peer = us.peer();
        let error = TlsError::new(
            ErrorKind::Reset,
            format!("{peer} closed the connection during the handshake"),
        );
        match us {
            Role::Client { .. } if !heard => error.hint("does a TLS server listen there?"),
            Role::Server if heard => {
                error.hint("some clients say nothing more when they refuse our certificate")
            }
            Role::Client { .. } => {
                error.hint("does it require a client certificate (cert=FILE and key=FILE)?")
            }
            Role::Server => error,
        }
    }

    /// The socket failed.
    pub(crate) fn io(error: &io::Error) -> Self {
        TlsError::new(ErrorKind::from(error), error.to_string())
    }

    /// Why, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What the library below said.
    pub fn rustls(&self) -> Option<&rustls::Error> {
        self.source.as_ref()
    }

    /// As the error of `action` (a phrase such as "connect to") at `place`.
    pub fn into_error(
        self,
        action: &'static str,
        place: impl fmt::Display,
    ) -> socketry_transport::Error {
        let mut error = socketry_transport::Error::new(self.kind, action, place);
        error = error.because(&self.reason);
        if let Some(hint) = &self.hint {
            error = error.hint(hint);
        }
        error.caused_by(self)
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl StdError for TlsError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        io::Error::new(error.kind.into(), error)
    }
}

/// Whether `error` can come of bytes that are not TLS.
pub(crate) fn may_be_plain(error: &rustls::Error) -> bool {
    use rustls::Error as E;
    matches!(
        error,
        E::InvalidMessage(
            InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge
                | InvalidMessage::InvalidEmptyPayload
        )
    )
}

fn explain(error: &rustls::Error, us: Role) -> TlsError {
    use rustls::Error as E;
    let peer = us.peer();
    match error {
        E::InvalidCertificate(error) => certificate::explain(error, us),
        E::AlertReceived(alert) => alert::explain(*alert, us),
        E::NoCertificatesPresented => TlsError::new(
            ErrorKind::Untrusted,
            format!("{peer} sent no certificate, and this end requires one"),
        )
        .hint("the client needs cert=FILE and key=FILE"),
        E::PeerIncompatible(error) => TlsError::new(
            ErrorKind::Protocol,
            format!("{peer} has no version or suite of TLS in common with this end: {error:?}"),
        ),
        E::PeerMisbehaved(error) => TlsError::new(
            ErrorKind::Protocol,
            format!("{peer} breaks the protocol: {error:?}"),
        ),
        E::InappropriateMessage { .. } | E::InappropriateHandshakeMessage { .. } => TlsError::new(
            ErrorKind::Protocol,
            format!("{peer} sent a message of TLS out of turn"),
        )
        .hint("is it an echo of what this end sent?"),
        E::DecryptError => TlsError::new(
            ErrorKind::Protocol,
            format!("what {peer} sent was changed on the way"),
        ),
        error => TlsError::new(ErrorKind::Protocol, format!("with {peer}: {error}")),
    }
}
