//! WebSocket in the apps: the transports `ws`, `wss` and `ws+unix`, and the page of a chat server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use socketry_transport::{Endpoint, Registry, UpgradeFailure};
use socketry_ws::{Page, Ws, WsError};

use crate::matrix::WS_SCHEMES;

/// The page: what `GET /` gets from a chat server with JSON.
const PAGE: &str = include_str!("chat/page.html");

/// The same registry, with WebSocket over its `tcp`, `tls` and `unix`.
pub(crate) fn registered(registry: Registry) -> Registry {
    over(&ws(), registry)
}

/// The same registry, whose servers of WebSocket at `at` answer a plain request with the page of
/// chat. `object` is how the codec carries an empty object: alone, or behind its length.
pub(crate) fn with_page(registry: Registry, at: &Endpoint, object: &[u8]) -> Registry {
    let before = match object.strip_suffix(b"{}") {
        Some([] | [2, 0, 0, 0]) => object.len() - 2,
        // The page knows no other codec.
        _ => return registry,
    };
    if !WS_SCHEMES.contains(&at.scheme()) {
        return registry;
    }
    let path = if at.host().is_some() {
        at.raw_path()
    } else {
        ""
    };
    over(&ws().page(page(path, before)), registry)
}

fn ws() -> Ws {
    Ws::new().on_failure(tell)
}

fn over(ws: &Ws, registry: Registry) -> Registry {
    // It fails only where the registry has nothing to put it over.
    let with_ws = ws.register(registry.clone());
    with_ws.unwrap_or(registry)
}

/// A page that was asked for, and got, is no failure.
fn tell(failure: &UpgradeFailure<'_>) {
    use socketry_transport::UpgradeTrouble::Failed;
    let plain = match &failure.trouble {
        Failed(error) => error.downcast_ref().is_some_and(WsError::is_plain_request),
        _ => false,
    };
    match plain {
        true => tracing::info!("{failure}"),
        false => tracing::warn!("refused: {failure}"),
    }
}

/// The page, for a WebSocket at `path`, and with so many bytes before each object. It loads
/// nothing, runs no other script than its own, and connects to nothing but this server.
fn page(path: &str, before: usize) -> Page {
    let path = if path.is_empty() { "/" } else { path };
    let page = PAGE.replace("PATH", &in_script(path));
    let page = page.replace("BEFORE", &before.to_string());
    let hash = |tag: &str| {
        let inside = page.split(&format!("<{tag}>")).nth(1);
        let inside = inside.and_then(|rest| rest.split(&format!("</{tag}>")).next());
        let digest = Sha256::digest(inside.unwrap_or_default());
        format!("'sha256-{}'", STANDARD.encode(digest))
    };
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash("script"),
        hash("style")
    );
    Page::html(page)
        .header("Content-Security-Policy", policy)
        .header("Referrer-Policy", "no-referrer")
        .header("Cache-Control", "no-store")
}

/// A path as a part of a string of the script, in which nothing of it has another meaning.
fn in_script(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/%._~-".contains(&byte);
    let bytes = path.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_the_string_of_the_script() {
        assert_eq!(in_script("/a%2Fb\"</script>"), "/a%2Fb%22%3C/script%3E");
    }
}
