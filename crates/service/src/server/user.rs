//! The user of a connection.

use std::sync::Arc;

use socketry_transport::{Credentials, Info};

/// Names the user of a connection.
pub(super) type UserOf = Arc<dyn Fn(&Info) -> Option<String> + Send + Sync>;

/// The user whom a layer of `socketry-auth` has proved, or that of the Unix socket's process.
pub(super) fn known(info: &Info) -> Option<String> {
    #[cfg(feature = "auth")]
    if let Some(identity) = socketry_auth::Identity::of(info) {
        return identity.is_proved().then(|| identity.name().to_owned());
    }
    let credentials: &Credentials = info.get()?;
    Some(format!("uid:{}", credentials.uid))
}
