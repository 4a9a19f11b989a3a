//! Which clients may run commands.

use std::path::Path;

use socketry_transport::Endpoint;

use super::Rules;
use crate::AppError;
use crate::access::Access;
use crate::admission::{Authentication, Reach, Start};

/// Which clients may run commands. There is no default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Policy {
    /// **Anybody who can connect may run any program** as the server's user. At a loopback address
    /// these are all users of the machine.
    AllowAny,
    /// Clients that have proved who they are may run any program: by a token or as a user, as
    /// [`Service::access`](crate::Service::access) says, or over TLS by a certificate, if the URL
    /// requires that with `ca=FILE` or `pin=sha256:…`.
    Authenticated,
    /// Each client may run what these rules say for its name, and nothing else.
    Rules(Rules),
}

impl Policy {
    /// Refuses an address where a server could not keep to this policy.
    pub(super) fn check(&self, at: &Endpoint, access: &Access) -> Result<(), AppError> {
        let is_kept = match self {
            Policy::AllowAny | Policy::Rules(_) => true,
            Policy::Authenticated => Authentication::of(at, access)?.is_required(),
        };
        if is_kept {
            return Ok(());
        }
        Err(AppError::usage(format_args!(
            "nothing at {at} makes clients prove who they are, and {} can connect; require tokens, \
             or client certificates over TLS with ca=FILE or pin=sha256:…",
            Reach::of(at)
        )))
    }

    /// The policy of a command line.
    pub(super) fn typed(
        allow_any: bool,
        rules: Option<&Path>,
        start: &Start,
    ) -> Result<Self, AppError> {
        if allow_any {
            return Ok(Policy::AllowAny);
        }
        if let Some(file) = rules {
            return Ok(Policy::Rules(Rules::from_file(file)?));
        }
        let at = start.url();
        if start.authenticates()? {
            return Ok(Policy::Authenticated);
        }
        let any = start.with("--allow-any");
        let proving = start
            .proving()
            .map(|line| format!(", or let clients prove who they are with a token: {line}"));
        Err(AppError::usage(format_args!(
            "which clients may run any program as this user? {} can connect to {}; if they may, \
             type: {any}{}",
            Reach::of(at),
            at.clone().without_query(),
            proving.unwrap_or_default()
        )))
    }
}
