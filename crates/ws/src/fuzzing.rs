//! What fuzz targets ask: the decoder of frames and the heads of handshakes, without a socket. No
//! part of the API.

use bytes::BytesMut;
use socketry_transport::{Endpoint, Result};

use crate::config::{Page, Ws};
use crate::frame::decoder::{Decoder, Step};
use crate::frame::{self, Opcode, Role, Violation};
use crate::handshake::{Answered, Judged, Request, find, switching};
use crate::url::Asked;

/// What was found in the bytes of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A message.
    Message(Vec<u8>),
    /// A ping, with its payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// A close frame: its code and reason. Nothing is looked for behind it.
    Close(u16, String),
    /// What breaks the protocol, and the code that the peer is told.
    Wrong(String, u16),
}

/// An end of a connection, to which bytes arrive.
pub struct End {
    role: Role,
    longest: usize,
    decoder: Decoder,
    over: bool,
}

impl End {
    /// A client or a server that takes messages of at most `longest` bytes.
    pub fn new(client: bool, longest: usize) -> Self {
        let role = if client { Role::Client } else { Role::Server };
        let decoder = Decoder::new(role, longest, BytesMut::new());
        End {
            role,
            longest,
            decoder,
            over: false,
        }
    }

    /// What is found once `bytes` have arrived, too.
    pub fn arrived(&mut self, bytes: &[u8], found: &mut Vec<Found>) {
        self.decoder.buf.extend_from_slice(bytes);
        while !self.over
            && let Some(one) = self.next()
        {
            self.over = matches!(one, Found::Close(..) | Found::Wrong(..));
            found.push(one);
        }
    }

    fn next(&mut self) -> Option<Found> {
        Some(match self.decoder.step() {
            Ok(Step::Need) => return None,
            Ok(Step::Message(whole)) => {
                let message = self.decoder.message(&whole).to_vec();
                self.decoder.taken(&whole);
                Found::Message(message)
            }
            Ok(Step::Ping(payload)) => Found::Ping(payload),
            Ok(Step::Pong) => Found::Pong,
            Ok(Step::Close(close)) => Found::Close(close.code.0, close.reason),
            Err(violation) => wrong(violation),
        })
    }

    /// The same end, to which nothing has arrived.
    #[must_use]
    pub fn anew(&self) -> Self {
        End::new(self.role == Role::Client, self.longest)
    }

    /// The frame in which this end sends a message.
    pub fn frame(&self, message: &[u8], mask: [u8; 4]) -> Vec<u8> {
        let mask = (self.role == Role::Client).then_some(mask);
        let mut out = BytesMut::new();
        frame::put(&mut out, Opcode::Binary, [message], mask);
        out.to_vec()
    }
}

fn wrong(violation: Violation) -> Found {
    Found::Wrong(violation.to_string(), violation.code().0)
}

/// The length of the head at the front of `bytes`, of which the first `seen` were looked at before.
///
/// # Errors
/// In words, where it is none.
pub fn head(bytes: &[u8], seen: usize, client: bool) -> std::result::Result<Option<usize>, String> {
    let us = if client { Role::Client } else { Role::Server };
    find(bytes, seen, us).map_err(|error| error.to_string())
}

/// A server and its clients.
pub struct Handshakes {
    server: Asked,
    client: Asked,
    at: Endpoint,
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// As it is sent.
    pub bytes: Vec<u8>,
    /// Whether the connection is a WebSocket from then on.
    pub accepted: bool,
    /// Why not, in words.
    pub words: String,
    /// The client's key.
    pub key: String,
}

impl Handshakes {
    /// A server at `at`, with a page, and clients that connect there.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn at(at: &str) -> Result<Self> {
        let at: Endpoint = at.parse()?;
        let ws = Ws::new().page(Page::html("a page"));
        let asked = || Asked::of(&ws, &at, &socketry_transport::Keys::default());
        Ok(Handshakes {
            server: asked()?,
            client: asked()?,
            at: at.clone(),
        })
    }

    /// The server's answer to this head. `None` if it is none of HTTP.
    pub fn answer(&self, head: &[u8]) -> Option<Answer> {
        let request = Request::parse(head).ok()?;
        let key = request
            .headers
            .only("sec-websocket-key")
            .unwrap_or_default();
        let judged = self.server.accepting().judge(&request, &self.at);
        let (bytes, accepted, words) = match judged {
            Judged::Accepted(headers, _) => (switching(&headers).into_bytes(), true, String::new()),
            Judged::Refused(answer, error) => (answer.bytes(false), false, error.to_string()),
        };
        Some(Answer {
            bytes,
            accepted,
            words,
            key: key.to_owned(),
        })
    }

    /// The request of a client with this key.
    pub fn request(&self, key: &str) -> String {
        self.client.asking().request(key)
    }

    /// The subprotocol of an answer's head, for a client with this key that has offered `offered`.
    ///
    /// # Errors
    /// In words, where it is not the answer to this client.
    pub fn agreed(
        &self,
        head: &[u8],
        key: &str,
        offered: &[String],
    ) -> std::result::Result<Option<String>, String> {
        let answered = Answered::parse(head).map_err(|error| error.to_string())?;
        if answered.status != 101 {
            return Err(answered.status.to_string());
        }
        answered
            .check(key, offered)
            .map_err(|error| error.to_string())
    }
}
