//! What a handshake brought.

use crate::handshake::Request;

/// What is known of a WebSocket from its handshake: an extension of
/// [`Info`](socketry_transport::Info) on both ends.
///
/// The text is the peer's, and is not escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WsInfo {
    /// Path and query of the request, as they were written.
    pub target: String,
    /// The subprotocol, if one was agreed on.
    pub protocol: Option<String>,
    /// The headers of the request, on the server, that [`Ws::keep_headers`](crate::Ws::keep_headers)
    /// asks for: names and values in the order of their arrival. Bytes that are not UTF-8 are
    /// replaced.
    pub headers: Vec<(String, String)>,
}

impl WsInfo {
    pub(crate) fn of_request(request: &Request, protocol: Option<String>, kept: &[String]) -> Self {
        let is_kept = |name: &str| kept.iter().any(|kept| kept.eq_ignore_ascii_case(name));
        let headers = request.headers.0.iter();
        WsInfo {
            target: request.target.clone(),
            protocol,
            headers: headers.filter(|(name, _)| is_kept(name)).cloned().collect(),
        }
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let (_, value) = all.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}
