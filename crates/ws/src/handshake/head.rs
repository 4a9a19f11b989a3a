//! The head of a request or an answer, received within bounds.

use std::future::poll_fn;

use bytes::BytesMut;
use socketry_transport::{Received, RecvHalf, poll_recv_into};

use crate::error::WsError;
use crate::frame::Role;

/// The longest head, in bytes: 16 KiB. Browsers send cookies in it.
pub(super) const HEAD_MAX: usize = 16 * 1024;
/// The most headers in it. Each gateway on the way may add some.
pub(super) const HEADERS_MAX: usize = 256;
/// How much of what is no HTTP an error shows.
const SHOWN: usize = 24;
const READ: usize = 4 * 1024;

/// Receives until `buf` has a whole head, and gives its length. Bytes behind it stay in `buf`.
pub(super) async fn receive<R: RecvHalf>(
    socket: &mut R,
    buf: &mut BytesMut,
    us: Role,
) -> Result<usize, WsError> {
    let mut seen = 0;
    loop {
        if let Some(end) = find(buf, seen, us)? {
            return Ok(end);
        }
        seen = buf.len();
        let received = poll_fn(|cx| poll_recv_into(socket, cx, buf, READ)).await;
        match received.map_err(|error| WsError::io(&error))? {
            Received::End => return Err(ended(buf, us)),
            Received::Data | Received::Cut(_) => {}
        }
    }
}

/// The length of the head, if it is here whole. The bytes before `seen` were looked at before.
pub(crate) fn find(buf: &[u8], seen: usize, us: Role) -> Result<Option<usize>, WsError> {
    if let Some(end) = end_of(buf, seen) {
        return Ok(Some(end));
    }
    if buf.len() > HEAD_MAX {
        let peer = us.peer();
        let words = format!("the head of {peer}'s HTTP is longer than {HEAD_MAX} bytes");
        return Err(WsError::protocol(words));
    }
    check_first(buf, us)?;
    Ok(None)
}

/// The length of the head, if an empty line ends it. The bytes before `seen` have none.
fn end_of(buf: &[u8], seen: usize) -> Option<usize> {
    let from = seen.saturating_sub(3);
    let rest = buf.get(from..)?;
    let mut lines = rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    lines.find_map(|(at, _)| match rest.get(at + 1..) {
        Some([b'\n', ..]) => Some(from + at + 2),
        Some([b'\r', b'\n', ..]) => Some(from + at + 3),
        _ => None,
    })
}

/// An error at once if this is no HTTP: the peer may wait for an answer.
fn check_first(buf: &[u8], us: Role) -> Result<(), WsError> {
    let fits = match us {
        Role::Server => buf.first().is_none_or(u8::is_ascii_uppercase),
        Role::Client => b"HTTP/".iter().zip(buf).all(|(a, b)| a == b),
    };
    if fits {
        return Ok(());
    }
    let shown = buf[..SHOWN.min(buf.len())].escape_ascii();
    Err(match us {
        Role::Server if buf.first() == Some(&0x16) => {
            WsError::protocol("the client speaks TLS").hint("wss:// is WebSocket over TLS")
        }
        Role::Server => {
            WsError::protocol(format!("the client speaks no HTTP: it sent \"{shown}\""))
        }
        Role::Client => WsError::protocol(format!(
            "the server speaks no WebSocket: its answer begins with \"{shown}\""
        ))
        .hint("is this the port of a WebSocket server?"),
    })
}

fn ended(buf: &[u8], us: Role) -> WsError {
    let peer = us.peer();
    let words = format!("{peer} closed the connection during the handshake");
    let error = WsError::new(socketry_transport::ErrorKind::Reset, words);
    match us {
        Role::Client if buf.is_empty() => error.hint("does a WebSocket server listen there?"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_behind_its_empty_line_wherever_it_is_cut() {
        for (text, end) in [("a\r\n\r\nb", 5), ("a\n\nb", 3), ("a\r\nb\r\n\r\n", 8)] {
            for seen in 0..end {
                assert_eq!(end_of(text.as_bytes(), seen), Some(end), "{text:?} {seen}");
            }
            assert_eq!(end_of(&text.as_bytes()[..end - 1], 0), None, "{text:?}");
        }
    }
}
