//! Users of this machine, at Unix sockets.

use std::collections::HashMap;

use socketry_transport::{Credentials, ErrorKind, async_trait};

use crate::authenticator::{Authenticator, Peer, Refusal};
use crate::error::AuthError;
use crate::identity::{Identity, Proof};

/// The kernel's word for a user that cannot be told in this user namespace, unless
/// `/proc/sys/kernel/overflowuid` says otherwise.
const OVERFLOW: u32 = 65_534;

/// Lets in the clients at Unix sockets that these users of this machine have opened, by the
/// kernel's word.
///
/// The kernel notes the user when the client connects. A client may hand its socket on to a process
/// of another user; where the process matters, the socket's `Info` has its `PeerProcess` (Linux).
/// It is known as `uid:NUMBER`, unless it has [another name](Users::user).
#[derive(Clone, Debug, Default)]
pub struct Users(HashMap<u32, String>);

impl Users {
    /// None yet. Root is none of them, unless it is named.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more user, known as `name`.
    ///
    /// # Errors
    /// If `uid` is no user: -1, or the number that stands for all users that the kernel cannot tell
    /// (65534, "nobody").
    pub fn user(mut self, uid: u32, name: impl Into<String>) -> Result<Self, AuthError> {
        if is_unknown(uid) {
            let words = format!("uid {uid} stands for users that the kernel cannot tell");
            return Err(AuthError::new(ErrorKind::InvalidOption, words));
        }
        self.0.insert(uid, name.into());
        Ok(self)
    }

    /// The same with one more user, known as `uid:NUMBER`.
    ///
    /// # Errors
    /// As [`user`](Users::user).
    pub fn uid(self, uid: u32) -> Result<Self, AuthError> {
        self.user(uid, format!("uid:{uid}"))
    }
}

fn is_unknown(uid: u32) -> bool {
    let overflow = std::fs::read_to_string("/proc/sys/kernel/overflowuid");
    let overflow = overflow.ok().and_then(|text| text.trim().parse().ok());
    uid == u32::MAX || uid == OVERFLOW || overflow == Some(uid)
}

#[async_trait]
impl Authenticator for Users {
    async fn authenticate(&self, peer: &Peer<'_>) -> Result<Identity, Refusal> {
        let Some(user) = peer.info().get::<Credentials>() else {
            return Err(Refusal::new(
                "a Unix socket is needed, where the kernel says which user connects",
            ));
        };
        match self.0.get(&user.uid) {
            Some(name) => Ok(Identity::new(name, Proof::User(*user))),
            None => {
                let words = format!("the user with uid {} is not let in", user.uid);
                Err(Refusal::new(words))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use socketry_transport::{Info, Shape};

    #[tokio::test]
    async fn users_that_the_kernel_cannot_tell_are_never_let_in() {
        for uid in [u32::MAX, OVERFLOW] {
            let error = Users::new().uid(uid).unwrap_err();
            assert!(error.to_string().contains("cannot tell"), "{error}");
        }
        let users = Users::new().uid(7).unwrap().user(8, "ann").unwrap();
        let info = |uid| {
            let at = "unix:///s".parse().unwrap();
            let info = Info::new(Shape::Stream, at, "unix://".parse().unwrap());
            info.with(Credentials {
                uid,
                gid: 7,
                pid: None,
            })
        };
        for uid in [0, 9, OVERFLOW, u32::MAX] {
            assert!(users.authenticate(&Peer::new(&info(uid))).await.is_err());
        }
        for (uid, name) in [(7, "uid:7"), (8, "ann")] {
            let known = users.authenticate(&Peer::new(&info(uid))).await.unwrap();
            assert_eq!(known.name(), name);
        }
    }
}
