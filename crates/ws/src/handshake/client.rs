//! The client's end.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use socketry_transport::{ErrorKind, Info, RecvExt, SendExt, Socket};
use tokio::time::timeout;

use super::headers::Headers;
use super::{accept_key, head, members, new_key};
use crate::error::WsError;
use crate::frame::Role;
use crate::info::WsInfo;
use crate::session::{self, Settings, WsSocket};

/// How much of a refusal's body an error shows, in bytes.
const WORDS: usize = 200;
/// How long the body of a refusal is waited for.
const WORDS_TIME: Duration = Duration::from_millis(500);

/// How many interim answers are passed over.
const INTERIM: usize = 8;

/// What a client asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) settings: Settings,
    /// Path and query, as they are written.
    pub(crate) target: String,
    pub(crate) host: String,
    /// Best first.
    pub(crate) protocols: Vec<String>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Asking {
    pub(crate) fn request(&self, key: &str) -> String {
        let mut text = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n",
            self.target, self.host
        );
        if !self.protocols.is_empty() {
            text += &format!("Sec-WebSocket-Protocol: {}\r\n", self.protocols.join(", "));
        }
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text + "\r\n"
    }
}

/// Asks for a WebSocket, and gives the socket if the server agrees.
pub(crate) async fn connect<S: Socket>(
    mut socket: S,
    asking: Asking,
    describe: impl FnOnce(Info) -> Info,
) -> Result<WsSocket<S>, WsError> {
    let key = new_key().map_err(|error| WsError::new(ErrorKind::Other, error.to_string()))?;
    let request = asking.request(&key);
    let sent = socket.send_all(request.as_bytes()).await;
    sent.map_err(|error| WsError::io(&error))?;
    let mut buf = BytesMut::new();
    let answer = answer(&mut socket, &mut buf).await?;
    if answer.status != 101 {
        return Err(refused(&mut socket, &answer, buf).await);
    }
    let protocol = answer.check(&key, &asking.protocols)?;
    let info = WsInfo {
        target: asking.target,
        protocol,
        headers: Vec::new(),
    };
    let settings = asking.settings;
    Ok(session::begin(
        socket,
        Role::Client,
        settings,
        buf,
        |known| describe(known).with(info),
    ))
}

/// Receives the answer. Interim ones may come before it (RFC 9110, section 15.2).
async fn answer<S: Socket>(socket: &mut S, buf: &mut BytesMut) -> Result<Answered, WsError> {
    let mut passed = 0;
    loop {
        let end = head::receive(socket, buf, Role::Client).await?;
        let answer = Answered::parse(&buf[..end])?;
        buf.advance(end);
        if !answer.is_interim() || passed == INTERIM {
            return Ok(answer);
        }
        passed += 1;
    }
}

/// The head of the server's answer.
pub(crate) struct Answered {
    pub(crate) status: u16,
    reason: String,
    headers: Headers,
}

impl Answered {
    pub(crate) fn parse(head: &[u8]) -> Result<Self, WsError> {
        let mut headers = [httparse::EMPTY_HEADER; head::HEADERS_MAX];
        let mut answer = httparse::Response::new(&mut headers);
        let parsed = answer.parse(head);
        parsed.map_err(|error| WsError::protocol(format!("the server's answer: {error}")))?;
        Ok(Answered {
            status: answer.code.unwrap_or_default(),
            reason: answer.reason.unwrap_or_default().to_owned(),
            headers: Headers::of(answer.headers.iter().map(|one| (one.name, one.value))),
        })
    }

    fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }

    /// The protocol that was agreed on, if the answer is right (section 4.1).
    pub(crate) fn check(&self, key: &str, offered: &[String]) -> Result<Option<String>, WsError> {
        let wrong = |words: &str| Err(WsError::protocol(format!("the server's answer {words}")));
        let headers = &self.headers;
        if !headers.lists("upgrade", "websocket") || !headers.lists("connection", "upgrade") {
            return wrong("is 101 without an upgrade to websocket");
        }
        let mut accepted = headers.all("sec-websocket-accept");
        if accepted.next() != Some(&*accept_key(key.as_bytes())) {
            return wrong("does not belong to this request (Sec-WebSocket-Accept)");
        }
        let mut extensions = headers.all("sec-websocket-extensions").flat_map(members);
        if extensions.next().is_some() {
            return wrong("has an extension that was not offered");
        }
        // An empty one stands for none, as the API of Kubernetes sends it.
        let named = headers.all("sec-websocket-protocol");
        let mut chosen = named.filter(|one| !one.is_empty());
        match (chosen.next(), offered) {
            (None, []) => Ok(None),
            (None, offered) => {
                let offered = offered.join(", ");
                Err(WsError::protocol(format!(
                    "the server has none of our subprotocols ({offered})"
                )))
            }
            (Some(one), offered) if offered.iter().any(|ours| ours == one) => {
                Ok(Some(one.to_owned()))
            }
            (Some(one), _) => {
                let one = one.escape_debug();
                wrong(&format!(
                    "has the subprotocol '{one}', which was not offered"
                ))
            }
        }
    }
}

/// The error of an answer that is no upgrade, with its first words.
async fn refused<S: Socket>(socket: &mut S, answer: &Answered, mut body: BytesMut) -> WsError {
    let length = answer.headers.all("content-length").next();
    let length = length.and_then(|length| length.parse().ok());
    let wanted = length.unwrap_or(0).min(WORDS);
    let mut scratch = [0; WORDS];
    while body.len() < wanted {
        match timeout(WORDS_TIME, socket.recv(&mut scratch)).await {
            Ok(Ok((len, _))) if len > 0 => body.extend_from_slice(&scratch[..len]),
            _ => break,
        }
    }
    body.truncate(wanted);
    let text = String::from_utf8_lossy(&body);
    let words = text.trim().escape_debug();
    let (status, reason) = (answer.status, answer.reason.escape_debug());
    let is_text = answer
        .headers
        .all("content-type")
        .any(|kind| kind.starts_with("text/plain"));
    let words = match text.trim().is_empty() || !is_text {
        true => format!("the server answered {status} {reason}"),
        false => format!("the server answered {status} {reason}: {words}"),
    };
    let kind = match status {
        401 | 403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        _ => ErrorKind::Protocol,
    };
    let error = WsError::new(kind, words);
    match status {
        404 => error.hint("the path of the URL is that of the WebSocket"),
        301 | 302 | 307 | 308 => {
            error.hint("redirects are not followed: use the URL that it names")
        }
        _ => error,
    }
}
