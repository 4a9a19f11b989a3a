//! Why a name was not resolved. The library's words are for its maintainers; these are for users.

use std::time::Duration;

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use socketry_transport::{Error, ErrorKind};

const RESOLVE: &str = "resolve";
const SPELLING: &str = "check the spelling of the name";
const RIGHT_SERVERS: &str = "are the name servers right (/etc/resolv.conf), and the network up?";

/// The error of `name`, where `missing` says that it is there and has no such record.
pub(super) fn of(name: &str, missing: &str, error: NetError) -> Error {
    let of = |kind| Error::new(kind, RESOLVE, name);
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => self::missing(name, &format!("there is no name {name}")),
            _ => self::missing(name, missing),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => of(ErrorKind::Other)
            .because(format!("the name server answers '{code}'"))
            .hint(RIGHT_SERVERS),
        NetError::Timeout => of(ErrorKind::TimedOut)
            .because("the name servers do not answer")
            .hint(RIGHT_SERVERS),
        NetError::Io(error) => of(ErrorKind::from(&*error))
            .because(format!("the name servers cannot be asked: {error}"))
            .hint(RIGHT_SERVERS),
        NetError::NoConnections => of(ErrorKind::Unreachable)
            .because("no name server can be asked")
            .hint(RIGHT_SERVERS),
        NetError::Proto(error) => of(ErrorKind::InvalidEndpoint)
            .because("it is no name")
            .caused_by(error),
        other => of(ErrorKind::Other).caused_by(other),
    }
}

pub(super) fn missing(name: &str, reason: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, RESOLVE, name);
    error.because(reason).hint(SPELLING)
}

pub(super) fn silent(name: &str, deadline: Duration) -> Error {
    Error::new(ErrorKind::TimedOut, RESOLVE, name)
        .because(format!(
            "the name servers do not answer within {deadline:?}"
        ))
        .hint(RIGHT_SERVERS)
}
