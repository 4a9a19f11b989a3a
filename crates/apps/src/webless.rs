//! The apps without WebSocket, in place of `web.rs`: without the feature `ws`.

use socketry_transport::{Endpoint, Registry};

pub(crate) fn registered(registry: Registry) -> Registry {
    registry
}

pub(crate) fn with_page(registry: Registry, _at: &Endpoint, _object: &[u8]) -> Registry {
    registry
}
