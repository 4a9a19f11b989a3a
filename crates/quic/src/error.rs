//! Why a connection is gone, as an `io::Error`, and why a handshake failed.

use std::io;
use std::net::SocketAddr;

use quinn::{ConnectionError, TransportErrorCode, VarInt};
use socketry_tls::{ClientWithin, TlsError};
use socketry_transport::{Closed, Endpoint, Error, ErrorKind, StreamReset};

/// The connection is gone. `by_us` is the close of this end, if it closed.
pub(crate) fn gone(error: &ConnectionError, by_us: Option<&Closed>) -> io::Error {
    use io::ErrorKind as Kind;
    match error {
        ConnectionError::ApplicationClosed(close) => {
            let reason = String::from_utf8_lossy(&close.reason);
            Closed::by_peer(close.error_code.into_inner(), &reason).into()
        }
        ConnectionError::LocallyClosed => {
            let closed = by_us.cloned();
            closed.unwrap_or_else(|| Closed::by_us(0, "")).into()
        }
        ConnectionError::TimedOut => {
            io::Error::new(Kind::TimedOut, "the peer has been silent for too long")
        }
        ConnectionError::Reset => io::Error::new(
            Kind::ConnectionReset,
            "the peer does not know this connection any more: it may have been restarted",
        ),
        other => {
            let words = format!("QUIC broke the connection off: {other}");
            io::Error::new(Kind::ConnectionAborted, words.escape_debug().to_string())
        }
    }
}

/// The peer reads a stream no more: it dropped it, or aborted it with a code.
pub(crate) fn stopped(code: VarInt) -> io::Error {
    match code.into_inner() {
        0 => io::Error::new(io::ErrorKind::BrokenPipe, "the peer reads no more"),
        code => StreamReset::new(code).into(),
    }
}

/// This end has aborted the stream.
pub(crate) fn aborted_here() -> io::Error {
    let words = "the stream was aborted at this end";
    io::Error::new(io::ErrorKind::ConnectionAborted, words)
}

/// The alert of TLS that a code of QUIC stands for (RFC 9001 §4.8).
pub(crate) fn alert(code: TransportErrorCode) -> Option<u8> {
    let alert = u64::from(code).checked_sub(0x100)?;
    u8::try_from(alert).ok()
}

/// Why no connection came of a connect to `to`.
pub(crate) fn connecting(error: &ConnectionError, tls: &ClientWithin, to: &Endpoint) -> Error {
    let (code, by_peer) = match error {
        ConnectionError::TransportError(error) => (error.code, false),
        ConnectionError::ConnectionClosed(close) => (close.error_code, true),
        ConnectionError::TimedOut => return silent(to),
        _ => return Error::io("connect to", to, gone(error, None)),
    };
    if let Some(alert) = alert(code) {
        return tls.failure(alert, by_peer).into_error("connect to", to);
    }
    let (kind, hint) = match (code, by_peer) {
        (TransportErrorCode::CONNECTION_REFUSED, true) => (
            ErrorKind::Refused,
            "it accepts no connections now: has it stopped, or too many of them?",
        ),
        (TransportErrorCode::APPLICATION_ERROR, true) => (
            ErrorKind::Closed,
            "the server closed it during the handshake",
        ),
        _ => (ErrorKind::Protocol, "does a QUIC server listen there?"),
    };
    let kind_of = Error::new(kind, "connect to", to);
    kind_of.caused_by(gone(error, None)).hint(hint)
}

/// Nobody answered.
pub(crate) fn silent(to: &Endpoint) -> Error {
    Error::new(ErrorKind::TimedOut, "connect to", to)
        .because("no answer in time")
        .hint("does a QUIC server listen there, and does a firewall let UDP through?")
}

/// Nobody listens.
pub(crate) fn refused(to: &Endpoint, at: SocketAddr) -> Error {
    Error::new(ErrorKind::Refused, "connect to", to)
        .because(format!("nobody listens at {at} (UDP)"))
        .hint("is the server running, and is it a QUIC server?")
}

/// Why a client's handshake failed.
pub(crate) fn accepting(
    error: &ConnectionError,
    tls: impl Fn(u8) -> TlsError,
) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        ConnectionError::ConnectionClosed(close) => match alert(close.error_code) {
            Some(alert) => Box::new(tls(alert)),
            None => Box::new(gone(error, None)),
        },
        _ => Box::new(gone(error, None)),
    }
}
