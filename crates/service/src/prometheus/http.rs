//! One request of HTTP/1 and its answer (RFC 9112), no more than Prometheus and curl need.

use std::time::Duration;

use socketry_codec::{FrameError, FrameFault, Framed, Line};
use socketry_transport::{SendExt, Socket};
use tokio::time::timeout;

/// The most bytes of a request's head.
pub(super) const HEAD: usize = 8 << 10;

/// How long the head may take. No part of it gives it more.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// The text format of Prometheus, version 0.0.4.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The most fields of a head.
const FIELDS: usize = 64;

/// What a request is for.
#[derive(PartialEq)]
enum Wants {
    /// The metrics: `GET`.
    Text,
    /// The head of that answer alone: `HEAD`.
    Head,
}

/// The status of an answer that is no metrics, and a line about it.
type Refused = (&'static str, &'static str);

const MALFORMED: Refused = ("400 Bad Request", "this is no request of HTTP/1");
const HOSTLESS: Refused = ("400 Bad Request", "HTTP/1.1 needs one Host");
const NOT_FOUND: Refused = ("404 Not Found", "the metrics are at /metrics");
const NOT_ALLOWED: Refused = ("405 Method Not Allowed", "the metrics are to be read: GET");
const LATE: Refused = ("408 Request Timeout", "the head took longer than 10 s");
const TOO_LARGE: Refused = (
    "431 Request Header Fields Too Large",
    "a head has at most 8 KiB",
);
const UNKNOWN_VERSION: Refused = (
    "505 HTTP Version Not Supported",
    "this server speaks HTTP/1",
);

/// Answers one request with `text`, and then ends.
pub(super) async fn answer<S: Socket>(
    mut client: Framed<S, Line>,
    text: impl FnOnce() -> String,
) -> Result<(), FrameError> {
    let head = match timeout(HEAD_TIME, read_head(&mut client)).await {
        Ok(head) => head?,
        Err(_) => Err(LATE),
    };
    let answer = match head {
        // The client has gone, or the server stops.
        Ok(None) => return Ok(()),
        Ok(Some(wants)) => {
            let text = text();
            let mut answer = answer_head("200 OK", TEXT, text.len());
            if wants == Wants::Text {
                answer.push_str(&text);
            }
            answer
        }
        Err((status, words)) => {
            let kind = "text/plain; charset=utf-8";
            format!("{}{words}\n", answer_head(status, kind, words.len() + 1))
        }
    };
    // Nothing is encoded, so nothing waits in front of it.
    if let Err(error) = client.socket_mut().send_all(answer.as_bytes()).await {
        tracing::debug!(%error, "the reader of metrics is gone");
    }
    Ok(())
}

fn answer_head(status: &str, kind: &str, length: usize) -> String {
    // RFC 9110 wants the methods that are allowed with each 405.
    let allow = match status.starts_with("405") {
        true => "Allow: GET, HEAD\r\n",
        false => "",
    };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         {allow}Connection: close\r\n\r\n"
    )
}

/// What a request is for, or the refusal of it. `None` if the client says nothing and ends.
async fn read_head<S: Socket>(
    client: &mut Framed<S, Line>,
) -> Result<Result<Option<Wants>, Refused>, FrameError> {
    let mut head = Vec::new();
    loop {
        let line = match client.recv().await {
            Ok(Some(line)) => line,
            Ok(None) if head.is_empty() => return Ok(Ok(None)),
            Ok(None) => return Ok(Err(MALFORMED)),
            Err(error) if matches!(error.fault(), FrameFault::Io(_)) => return Err(error),
            Err(error) if matches!(error.fault(), FrameFault::TimedOut(_)) => return Ok(Err(LATE)),
            // A line that is too long, or has no end.
            Err(_) => return Ok(Err(TOO_LARGE)),
        };
        if head.len() + line.len() + 2 > HEAD {
            return Ok(Err(TOO_LARGE));
        }
        head.extend_from_slice(line);
        head.extend_from_slice(b"\r\n");
        // After each line: what is no HTTP is refused at its first one.
        match parse(&head) {
            Ok(None) => {}
            done => return Ok(done),
        }
    }
}

/// What a whole head asks for; `None` while its end is missing.
fn parse(head: &[u8]) -> Result<Option<Wants>, Refused> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => check(&request).map(Some),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::Version) => Err(UNKNOWN_VERSION),
        Err(httparse::Error::TooManyHeaders) => Err(TOO_LARGE),
        Err(_) => Err(MALFORMED),
    }
}

fn check(request: &httparse::Request<'_, '_>) -> Result<Wants, Refused> {
    let (method, target) = (request.method.unwrap_or(""), request.path.unwrap_or(""));
    // The absolute form has a host before the path, and what is behind `?` does not matter.
    let path = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    if !path.starts_with('/') {
        return Err(MALFORMED);
    }
    let fields = request.headers.iter();
    let hosts = fields.filter(|field| field.name.eq_ignore_ascii_case("host"));
    match (request.version, hosts.count()) {
        (Some(0), 0) | (_, 1) => {}
        _ => return Err(HOSTLESS),
    }
    if path.split('?').next() != Some("/metrics") {
        return Err(NOT_FOUND);
    }
    match method {
        "GET" => Ok(Wants::Text),
        "HEAD" => Ok(Wants::Head),
        _ => Err(NOT_ALLOWED),
    }
}
