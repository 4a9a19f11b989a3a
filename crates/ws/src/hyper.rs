//! Taking a connection over from an HTTP server.

use std::future::Future;
use std::sync::Arc;

use bytes::BytesMut;
use http::header::{HeaderName, HeaderValue};
use http::{Response, StatusCode, Version};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use socketry_transport::{Endpoint, FromIo, Info, Shape};

use crate::config::Ws;
use crate::error::WsError;
use crate::frame::Role;
use crate::handshake::{Accepting, Answer, Headers, Judged, Request};
use crate::session::{self, WsSocket};

/// A socket that an HTTP server has handed over.
pub type UpgradedSocket = WsSocket<FromIo<TokioIo<Upgraded>>>;

impl Ws {
    /// Answers a request of an HTTP server that is made of hyper, axum for instance, and takes its
    /// connection over if it asks for a WebSocket.
    ///
    /// The answer is to be sent by the server, whatever it is: its body is text for a person, or
    /// empty. The future gives the socket once the server has sent the answer, so it has to run in
    /// a task of its own. `local` and `peer` are the ends as the server knows them; `local` also
    /// says whether this is a loopback address, for the check of origins.
    ///
    /// The server's own routing says which paths are WebSockets. Its own bounds hold for the head
    /// of the request.
    ///
    /// # Errors
    /// The future fails with the reason if the answer is no upgrade, or if the server did not hand
    /// the connection over.
    pub fn upgrade<B>(
        &self,
        request: &mut http::Request<B>,
        local: Endpoint,
        peer: Endpoint,
    ) -> (
        Response<String>,
        impl Future<Output = Result<UpgradedSocket, WsError>> + Send + use<B>,
    ) {
        let accepting = Arc::new(Accepting {
            settings: self.settings,
            protocols: self.protocols.clone(),
            origins: self.origins.clone(),
            kept: self.kept.clone(),
            path: String::new(),
            page: None,
        });
        let judged = accepting.judge(&of_http(request), &local);
        let settings = self.settings;
        let (response, accepted) = match judged {
            Judged::Accepted(headers, info) => {
                let upgrading = hyper::upgrade::on(request);
                let answer = Answer {
                    status: 101,
                    headers,
                    body: Vec::new(),
                };
                (as_http(answer), Ok((upgrading, info)))
            }
            Judged::Refused(answer, error) => (as_http(answer), Err(error)),
        };
        let taken_over = async move {
            let (upgrading, known) = accepted?;
            let io = upgrading
                .await
                .map_err(|error| WsError::protocol(format!("the server gave nothing: {error}")))?;
            let socket = FromIo::from_io(TokioIo::new(io), Info::new(Shape::Stream, local, peer));
            let first = BytesMut::new();
            Ok(session::begin(
                socket,
                Role::Server,
                settings,
                first,
                |info| info.with(known),
            ))
        };
        (response, taken_over)
    }
}

fn of_http<B>(request: &http::Request<B>) -> Request {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let parsed = Request {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        modern: request.version() == Version::HTTP_11,
        headers: Headers::of(headers),
    };
    parsed.in_origin_form()
}

fn as_http(answer: Answer) -> Response<String> {
    let mut response = Response::new(String::from_utf8_lossy(&answer.body).into_owned());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
