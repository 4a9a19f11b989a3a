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

/// The parts of a head that matter.
#[derive(Default)]
struct Head {
    method: String,
    path: String,
    /// HTTP/1.1, which needs a `Host`.
    needs_host: bool,
    has_host: bool,
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
    // The client has gone, or the server stops.
    let head = match head {
        Ok(None) => return Ok(()),
        Ok(Some(head)) => check(&head).map(|()| head),
        Err(refused) => Err(refused),
    };
    let answer = match head {
        Ok(head) => {
            let text = text();
            let mut answer = answer_head("200 OK", TEXT, text.len());
            if head.method == "GET" {
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

/// The head of a request, or the refusal of it. `None` if the client says nothing and ends.
async fn read_head<S: Socket>(
    client: &mut Framed<S, Line>,
) -> Result<Result<Option<Head>, Refused>, FrameError> {
    let mut left = HEAD;
    let mut head: Option<Head> = None;
    loop {
        let line = match client.recv().await {
            Ok(Some(line)) => line,
            Ok(None) if head.is_none() => return Ok(Ok(None)),
            Ok(None) => return Ok(Err(MALFORMED)),
            Err(error) if matches!(error.fault(), FrameFault::Io(_)) => return Err(error),
            Err(error) if matches!(error.fault(), FrameFault::TimedOut(_)) => return Ok(Err(LATE)),
            // A line that is too long, or has no end.
            Err(_) => return Ok(Err(TOO_LARGE)),
        };
        let Some(rest) = left.checked_sub(line.len() + 2) else {
            return Ok(Err(TOO_LARGE));
        };
        left = rest;
        match &mut head {
            None => match request_line(line) {
                // RFC 9112, 2.2: an empty line before it is passed over.
                Ok(None) => {}
                Ok(first) => head = first,
                Err(refused) => return Ok(Err(refused)),
            },
            Some(_) if line.is_empty() => return Ok(Ok(head)),
            Some(head) => match field(line, head) {
                Ok(()) => {}
                Err(refused) => return Ok(Err(refused)),
            },
        }
    }
}

/// `GET /metrics HTTP/1.1`. `None` is an empty line.
fn request_line(line: &[u8]) -> Result<Option<Head>, Refused> {
    if line.is_empty() {
        return Ok(None);
    }
    let line = std::str::from_utf8(line).map_err(|_| MALFORMED)?;
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = words[..] else {
        return Err(MALFORMED);
    };
    let is_token = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase());
    if !is_token(method) || !target.starts_with('/') && !target.starts_with("http://") {
        return Err(MALFORMED);
    }
    let needs_host = match version {
        "HTTP/1.0" => false,
        "HTTP/1.1" => true,
        _ if version.starts_with("HTTP/") => return Err(UNKNOWN_VERSION),
        _ => return Err(MALFORMED),
    };
    // The absolute form has a host before the path, and what is behind `?` does not matter.
    let path = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    let path = path.split('?').next().unwrap_or(path);
    Ok(Some(Head {
        method: method.to_owned(),
        path: path.to_owned(),
        needs_host,
        has_host: false,
    }))
}

fn field(line: &[u8], head: &mut Head) -> Result<(), Refused> {
    let Some(colon) = line.iter().position(|&byte| byte == b':') else {
        return Err(MALFORMED);
    };
    let name = &line[..colon];
    // RFC 9112, 5.1: no space before the colon, nor a line that goes on with the one before.
    if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
        return Err(MALFORMED);
    }
    if name.eq_ignore_ascii_case(b"host") {
        if head.has_host {
            return Err(HOSTLESS);
        }
        head.has_host = true;
    }
    Ok(())
}

fn check(head: &Head) -> Result<(), Refused> {
    if head.needs_host && !head.has_host {
        return Err(HOSTLESS);
    }
    if head.path != "/metrics" {
        return Err(NOT_FOUND);
    }
    match head.method.as_str() {
        "GET" | "HEAD" => Ok(()),
        _ => Err(NOT_ALLOWED),
    }
}
