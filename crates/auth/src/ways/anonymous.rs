//! Everybody.

use socketry_transport::async_trait;

use crate::authenticator::{Authenticator, Peer, Refusal};
use crate::identity::Identity;

/// Lets everybody in, as [`Identity::anonymous`]. A peer that claims a token is not asked here: a
/// wrong token is refused also where everybody is welcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anonymous;

#[async_trait]
impl Authenticator for Anonymous {
    async fn authenticate(&self, _peer: &Peer<'_>) -> Result<Identity, Refusal> {
        Ok(Identity::anonymous())
    }
}
