//! What an alert of the peer means to the user.

use rustls::AlertDescription;
use socketry_transport::ErrorKind;

use super::{Role, TlsError};

/// In the words of RFC 8446 §6: `bad_certificate` is "bad certificate".
fn name(alert: AlertDescription) -> String {
    let debug = format!("{alert:?}");
    let mut words = String::new();
    for (i, character) in debug.char_indices() {
        let begins = i > 0 && character.is_ascii_uppercase();
        if begins && !words.ends_with(|last: char| last.is_ascii_uppercase()) {
            words.push(' ');
        }
        words.push(character);
    }
    words
}

pub(super) fn explain(alert: AlertDescription, us: Role) -> TlsError {
    use AlertDescription as A;
    let peer = us.peer();
    let name = name(alert);
    match (alert, us) {
        (A::CertificateRequired, _) => TlsError::new(
            ErrorKind::Denied,
            format!("{peer} requires a client certificate"),
        )
        .hint("add cert=FILE and key=FILE"),
        // Go's server says so of a certificate that it did not get.
        (
            A::BadCertificate | A::CertificateUnknown | A::UnknownCA | A::AccessDenied,
            Role::Client { certified: false },
        ) => TlsError::new(
            ErrorKind::Denied,
            format!("{peer} requires a client certificate ({name})"),
        )
        .hint("add cert=FILE and key=FILE"),
        (
            A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::DecryptError
            | A::AccessDenied,
            us,
        ) => TlsError::new(
            ErrorKind::Denied,
            format!("{peer} refused our certificate ({name})"),
        )
        .hint(match (us, alert) {
            (Role::Client { .. }, _) => "is it one that the server knows, and in date?",
            (Role::Server, A::CertificateExpired) => "renew it",
            // rustls says so where the name is another one.
            (Role::Server, A::BadCertificate) => {
                "does it have the name that the client asks for? if not, or if its authority is \
                 unknown there, the client needs our pin"
            }
            (Role::Server, _) => "the client needs ca=FILE of our authority, or our pin",
        }),
        (A::HandshakeFailure, Role::Client { .. }) => TlsError::new(
            ErrorKind::Denied,
            format!("{peer} broke the handshake off ({name})"),
        )
        .hint("it may require a client certificate (cert=FILE and key=FILE), or other suites"),
        (A::NoApplicationProtocol, _) => TlsError::new(
            ErrorKind::Protocol,
            format!("{peer} knows none of the protocols that we offer (ALPN)"),
        ),
        (A::ProtocolVersion, _) => TlsError::new(
            ErrorKind::Protocol,
            format!("{peer} has no version of TLS in common with this end"),
        ),
        (A::UnrecognisedName, _) => TlsError::new(
            ErrorKind::Untrusted,
            format!("{peer} has no certificate for the name that we asked for"),
        )
        .hint("add name=NAME, as it stands in the certificate"),
        _ => TlsError::new(
            ErrorKind::Reset,
            format!("{peer} broke the connection off ({name})"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_alert_is_in_words() {
        assert_eq!(name(AlertDescription::UnknownCA), "Unknown CA");
        assert_eq!(name(AlertDescription::BadCertificate), "Bad Certificate");
    }
}
