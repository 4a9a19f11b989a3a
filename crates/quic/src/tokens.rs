//! The tokens with which a client comes again (RFC 9000 §8.1.3).

use std::sync::Arc;

use bytes::Bytes;
use quinn::{TokenMemoryCache, TokenStore};

/// The tokens of the last 256 servers, at most two of each.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Arc<TokenMemoryCache>);

/// Those of one server. The library below would keep them by the name in its certificate, which
/// servers on several ports share.
struct OfServer {
    all: Tokens,
    place: String,
}

impl Tokens {
    /// Those of the server at `place`.
    pub(crate) fn of(&self, place: String) -> Arc<dyn TokenStore> {
        let all = self.clone();
        Arc::new(OfServer { all, place })
    }
}

impl TokenStore for OfServer {
    fn insert(&self, _: &str, token: Bytes) {
        self.all.0.insert(&self.place, token);
    }

    fn take(&self, _: &str) -> Option<Bytes> {
        self.all.0.take(&self.place)
    }
}
