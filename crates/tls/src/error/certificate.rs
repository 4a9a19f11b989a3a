//! What was wrong with the peer's certificate.

use std::fmt;

use rustls::CertificateError;
use rustls::pki_types::UnixTime;
use socketry_transport::ErrorKind;

use super::{Role, TlsError};
use crate::pin::Pin;

/// The peer's key is none of those that are pinned.
#[derive(Debug)]
pub(crate) struct WrongPin {
    pub(crate) found: Pin,
    pub(crate) pinned: Vec<Pin>,
}

impl fmt::Display for WrongPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its key is {}, and the pin is ", self.found)?;
        for (i, pin) in self.pinned.iter().enumerate() {
            let comma = if i == 0 { "" } else { " or " };
            write!(f, "{comma}{pin}")?;
        }
        Ok(())
    }
}

impl std::error::Error for WrongPin {}

pub(super) fn explain(error: &CertificateError, us: Role) -> TlsError {
    use CertificateError as C;
    let peer = us.peer();
    let untrusted = |reason: String| TlsError::new(ErrorKind::Untrusted, reason);
    match error {
        C::ExpiredContext { not_after, .. } => untrusted(format!(
            "the certificate of {peer} has expired on {}",
            Date(*not_after)
        ))
        .hint("is this machine's clock right? Otherwise its owner has to renew it"),
        C::NotValidYetContext { not_before, .. } => untrusted(format!(
            "the certificate of {peer} is valid from {} on",
            Date(*not_before)
        ))
        .hint("is this machine's clock right?"),
        C::NotValidForNameContext {
            expected,
            presented,
        } => {
            let expected = expected.to_str();
            let presented = names(presented);
            untrusted(format!(
                "the certificate of {peer} is for {presented}, and not for {expected}"
            ))
            .hint("ask for a name that it has: name=NAME")
        }
        // The others are of an authority that has the name of a trusted one, and another key.
        C::UnknownIssuer
        | C::BadSignature
        | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            let reason = "is signed by no authority that this end trusts";
            untrusted(format!("the certificate of {peer} {reason}")).hint(match us {
                Role::Client { .. } => {
                    "add ca=FILE of its authority, or the pin= that the server prints"
                }
                Role::Server => "add the client's authority to ca=FILE",
            })
        }
        C::Other(other) => match other.0.downcast_ref::<WrongPin>() {
            Some(wrong) => wrong_pin(wrong, us),
            // It has a code for what is signed by itself and yet an authority.
            None => {
                let error = untrusted(format!(
                    "the certificate of {peer} is not accepted: {other}"
                ));
                match us {
                    Role::Client { .. } => error.hint(
                        "if it is an authority of its own, take its key with pin=sha256:DIGEST",
                    ),
                    Role::Server => error,
                }
            }
        },
        error => untrusted(format!(
            "the certificate of {peer} is not accepted: {error}"
        )),
    }
}

fn wrong_pin(wrong: &WrongPin, us: Role) -> TlsError {
    let peer = us.peer();
    let error = TlsError::new(ErrorKind::Untrusted, format!("{peer} is another: {wrong}"));
    match us {
        Role::Client { .. } => {
            error.hint("if the server has a new key, take the pin that it prints now")
        }
        Role::Server => error,
    }
}

/// Names from a certificate, which are the peer's text.
fn names(names: &[String]) -> String {
    const MOST: usize = 5;
    if names.is_empty() {
        return "no name".to_owned();
    }
    let shown: Vec<_> = names
        .iter()
        .take(MOST)
        .map(|name| spelled(name).escape_debug().to_string())
        .collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    shown.join(", ") + more
}

/// The library below writes names as its types: `DnsName("localhost")`, `IpAddress(127.0.0.1)`.
fn spelled(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

/// The day of a time, in UTC.
struct Date(UnixTime);

impl fmt::Display for Date {
    /// Days to a date, as in Howard Hinnant's `civil_from_days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.as_secs() / 86_400 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + u64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_is_shown_as_its_day() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (4_102_444_799, "2099-12-31"),
        ] {
            let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            assert_eq!(Date(time).to_string(), day);
        }
    }

    #[test]
    fn the_names_of_a_certificate_cannot_drive_the_terminal() {
        let all = ["DnsName(\"a.example\")", "IpAddress(::1)", "\u{1b}[2J"];
        let all: Vec<_> = all.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(names(&all), "a.example, ::1, \\u{1b}[2J");
    }
}
