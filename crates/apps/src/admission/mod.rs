//! Which clients a server lets in: the proof that it asks of them, and the ways out where it asks
//! none.

mod reach;
mod start;
mod typed;

use socketry_transport::Endpoint;

use crate::access::Access;
use crate::matrix::is_over_tls;
use crate::{AppError, encryption};
pub(crate) use reach::Reach;
pub(crate) use start::{Asked, Start};
pub(crate) use typed::Typed;

/// The proofs that a server asks of its clients before it serves them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Authentication {
    /// The transport turns away clients without a certificate that the server trusts.
    certificates: bool,
    /// It turns away clients that prove no token, or are no user that is let in.
    access: bool,
}

impl Authentication {
    /// What a server at `at` with this `access` asks.
    ///
    /// # Errors
    /// If the URL cannot be understood.
    pub(crate) fn of(at: &Endpoint, access: &Access) -> Result<Self, AppError> {
        Ok(Authentication {
            certificates: encryption::requires_certificates(at)?,
            access: access.is_required(),
        })
    }

    /// Whether no client is served that has not proved who it is.
    pub(crate) fn is_required(self) -> bool {
        self.certificates || self.access
    }
}

/// Whether nobody between a server at `url` and its clients can read or change what is sent.
fn is_encrypted(url: &Endpoint) -> bool {
    is_over_tls(url.scheme())
}
