//! The server's end.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use socketry_transport::{Endpoint, ErrorKind, Info, SendExt, Socket, close};

use super::answer::Answer;
use super::request::Request;
use super::{accept_key, head, is_key, members};
use crate::config::Page;
use crate::error::WsError;
use crate::frame::Role;
use crate::info::WsInfo;
use crate::origins::Origins;
use crate::session::{self, Settings, WsSocket};

/// How long a server reads on after an answer that is no handshake, so that the answer arrives.
const LINGER: Duration = Duration::from_secs(2);
/// How many bytes it reads then, at most.
const LINGER_BYTES: usize = 64 * 1024;

/// What a server decides by.
#[derive(Clone, Debug)]
pub(crate) struct Accepting {
    pub(crate) settings: Settings,
    /// Best first; empty for none.
    pub(crate) protocols: Vec<String>,
    pub(crate) origins: Origins,
    /// The names of the headers to keep.
    pub(crate) kept: Vec<String>,
    /// The only path with WebSocket; all of them if it is empty.
    pub(crate) path: String,
    pub(crate) page: Option<Arc<Page>>,
}

/// What comes of a request.
pub(crate) enum Judged {
    /// The headers of the answer, and what is known of the connection.
    Accepted(Vec<(&'static str, String)>, WsInfo),
    /// Another answer, and why.
    Refused(Answer, WsError),
}

/// Receives a request, answers it, and gives the socket if it was a handshake.
pub(crate) async fn accept<S: Socket>(
    mut socket: S,
    accepting: Arc<Accepting>,
    describe: impl FnOnce(Info) -> Info,
) -> Result<WsSocket<S>, WsError> {
    let mut buf = BytesMut::new();
    let received = head::receive(&mut socket, &mut buf, Role::Server).await;
    let parsed = received.and_then(|end| match Request::parse(&buf[..end]) {
        Ok(request) => Ok((request, end)),
        Err(error) => Err(WsError::protocol(format!("the client's request: {error}"))),
    });
    let (request, end) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            if error.kind() == ErrorKind::Protocol {
                say(socket, &Answer::words(400, &error.to_string()).bytes(false)).await;
            }
            return Err(error);
        }
    };
    buf.advance(end);
    match accepting.judge(&request, socket.local()) {
        Judged::Accepted(headers, info) => {
            let sent = socket.send_all(switching(&headers).as_bytes()).await;
            sent.map_err(|error| WsError::io(&error))?;
            let settings = accepting.settings;
            Ok(session::begin(
                socket,
                Role::Server,
                settings,
                buf,
                |known| describe(known).with(info),
            ))
        }
        Judged::Refused(answer, error) => {
            say(socket, &answer.bytes(request.method == "HEAD")).await;
            Err(error)
        }
    }
}

/// The answer to a handshake.
pub(crate) fn switching(headers: &[(&str, String)]) -> String {
    let mut head = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + "\r\n"
}

/// Sends a last answer, and closes so that it arrives.
async fn say<S: Socket>(mut socket: S, bytes: &[u8]) {
    // The reason for the answer is told, and not that it did not arrive.
    if socket.send_all(bytes).await.is_ok() {
        let _ = close(socket, LINGER_BYTES, LINGER).await;
    }
}

impl Accepting {
    pub(crate) fn judge(&self, request: &Request, local: &Endpoint) -> Judged {
        match self.checked(request, local) {
            Ok(protocol) => self.accepted(request, protocol),
            Err((answer, error)) => Judged::Refused(answer, error),
        }
    }

    fn accepted(&self, request: &Request, protocol: Option<String>) -> Judged {
        let key = request
            .headers
            .only("sec-websocket-key")
            .unwrap_or_default();
        let mut headers = vec![
            ("Upgrade", "websocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Sec-WebSocket-Accept", accept_key(key.as_bytes())),
        ];
        if let Some(protocol) = &protocol {
            headers.push(("Sec-WebSocket-Protocol", protocol.clone()));
        }
        Judged::Accepted(headers, WsInfo::of_request(request, protocol, &self.kept))
    }

    /// The protocol that was agreed on, or the answer to what is no handshake, or a wrong one.
    fn checked(
        &self,
        request: &Request,
        local: &Endpoint,
    ) -> Result<Option<String>, (Answer, WsError)> {
        if !request.asks_upgrade() {
            return Err(self.plain(request));
        }
        if request.method != "GET" || !request.modern {
            return Err(refused(400, "a WebSocket begins with a GET of HTTP/1.1"));
        }
        if !self.path.is_empty() && request.path() != self.path {
            return Err(refused(404, "there is no WebSocket at this path"));
        }
        if !request.headers.lists("connection", "upgrade") {
            let words = "the request has no 'Connection: Upgrade'; does a proxy leave it out?";
            return Err(refused(400, words));
        }
        if request.headers.only("sec-websocket-version") != Some("13") {
            let (answer, error) = refused(426, "this server speaks version 13 of WebSocket");
            let answer = answer.with("Sec-WebSocket-Version", "13");
            return Err((upgrade(answer), error));
        }
        let key = request.headers.only("sec-websocket-key");
        if !key.is_some_and(|key| is_key(key.as_bytes())) {
            return Err(refused(400, "Sec-WebSocket-Key is not 16 bytes in base64"));
        }
        self.origins.check(request, local).map_err(|words| {
            (
                Answer::words(403, &words),
                WsError::new(ErrorKind::Denied, words),
            )
        })?;
        self.protocol(request)
    }

    /// The first of ours that the client offers.
    fn protocol(&self, request: &Request) -> Result<Option<String>, (Answer, WsError)> {
        if self.protocols.is_empty() {
            return Ok(None);
        }
        let all = || {
            request
                .headers
                .all("sec-websocket-protocol")
                .flat_map(members)
        };
        let mut ours = self.protocols.iter();
        match ours.find(|ours| all().any(|theirs| theirs == **ours)) {
            Some(protocol) => Ok(Some(protocol.clone())),
            None => {
                let offered = all().take(16).map(|one| one.escape_debug().to_string());
                let offered = offered.collect::<Vec<_>>().join(", ");
                let ours = self.protocols.join(", ");
                let offered = if offered.is_empty() { "none" } else { &offered };
                let words = format!(
                    "no subprotocol in common: the client offers {offered}, the server {ours}"
                );
                Err(refused(400, &words))
            }
        }
    }

    /// What a request gets that asks for no WebSocket.
    fn plain(&self, request: &Request) -> (Answer, WsError) {
        let asked = format!(
            "the client asked for a page ({} {})",
            request.method.escape_debug(),
            request.path().escape_debug()
        );
        let mut error = WsError::protocol(asked);
        error.plain = true;
        let answer = match (&self.page, &*request.method) {
            (Some(page), "GET" | "HEAD") if request.path() == "/" => page.answer(),
            (Some(_), "GET" | "HEAD") => Answer::words(404, "there is no page here"),
            (Some(_), _) => {
                Answer::words(405, "this server answers GET only").with("Allow", "GET, HEAD")
            }
            (None, _) => upgrade(Answer::words(426, "this server speaks WebSocket only")),
        };
        (answer, error)
    }
}

/// With what the answer 426 needs (RFC 9110, section 15.5.22).
fn upgrade(answer: Answer) -> Answer {
    answer
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade, close")
}

fn refused(status: u16, words: &str) -> (Answer, WsError) {
    let error = WsError::protocol(format!("the client was answered {status}: {words}"));
    (Answer::words(status, words), error)
}
