//! Which clients may run commands.

use socketry_transport::Endpoint;

use crate::AppError;
use crate::admission::{Authentication, Reach, Start};

/// Which clients may run commands. There is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// **Anybody who can connect may run any program** as the server's user. At a loopback address
    /// these are all users of the machine.
    AllowAny,
    /// Clients that have proved who they are. The URL of the server makes them: over TLS it
    /// requires client certificates with `ca=FILE` or `pin=sha256:…`.
    Authenticated,
}

impl Policy {
    /// Refuses an address where a server could not keep to this policy.
    pub(super) fn check(self, at: &Endpoint) -> Result<(), AppError> {
        if self == Policy::AllowAny || Authentication::of(at)?.is_required() {
            return Ok(());
        }
        Err(AppError::usage(format_args!(
            "nothing at {at} makes clients prove who they are, and {} can connect; require client \
             certificates over TLS with ca=FILE or pin=sha256:…",
            Reach::of(at)
        )))
    }

    /// The policy of a command line.
    pub(super) fn typed(allow_any: bool, start: &Start) -> Result<Self, AppError> {
        if allow_any {
            return Ok(Policy::AllowAny);
        }
        let at = start.url();
        if Authentication::of(at)?.is_required() {
            return Ok(Policy::Authenticated);
        }
        let any = start.with("--allow-any");
        let proving = start
            .proving()
            .map(|line| format!(", or let clients prove who they are with certificates: {line}"));
        Err(AppError::usage(format_args!(
            "which clients may run any program as this user? {} can connect to {}; if they may, \
             type: {any}{}",
            Reach::of(at),
            at.clone().without_query(),
            proving.unwrap_or_default()
        )))
    }
}
