//! The socket inside, and what has come from it.

use std::io;
use std::time::Duration;

use socketry_transport::{
    ErrorKind, Info, Joined, Prefixed, Received, RecvExt, Relabelled, SendExt, SendHalf, Socket,
    close,
};
use tokio::time::timeout;

use super::line::{self, Beginning, LONGEST};
use crate::error::AuthError;

/// A socket that has an identity, and gives the bytes first that came behind the exchange.
pub type AuthSocket<S> =
    Joined<Relabelled<Prefixed<<S as Socket>::Recv>>, Relabelled<<S as Socket>::Send>>;

/// How long a refused peer may take to close, so that it can read why.
pub(super) const PARTING: Duration = Duration::from_secs(1);
/// How much a refused peer may send meanwhile, in bytes.
const PARTING_BYTES: usize = 64 << 10;
/// How much of bytes that are no line an error shows.
const SHOWN: usize = 24;

/// Lines over a socket. No more than [`LONGEST`] bytes are held.
pub(super) struct Wire<S: Socket> {
    recv: S::Recv,
    send: S::Send,
    /// The bytes that came and are not used.
    bytes: Vec<u8>,
    /// The other end, in words.
    peer: &'static str,
}

impl<S: Socket> Wire<S> {
    pub(super) fn new(socket: S, peer: &'static str) -> Self {
        let (recv, send) = socket.split();
        Wire {
            recv,
            send,
            bytes: Vec::new(),
            peer,
        }
    }

    /// Whether nothing came that is not used.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether an exchange begins. `false` if the first bytes are something else, or the end.
    /// Cancel-safe.
    pub(super) async fn begin(&mut self) -> Result<bool, AuthError> {
        loop {
            match line::beginning(&self.bytes) {
                Beginning::Exchange => return Ok(true),
                Beginning::Other => return Ok(false),
                Beginning::Open => {
                    if !self.fill().await? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Receives more; `false` at the end. Cancel-safe.
    async fn fill(&mut self) -> Result<bool, AuthError> {
        let mut buf = [0; LONGEST];
        let room = LONGEST - self.bytes.len();
        let received = self.recv.recv(&mut buf[..room]).await;
        let (len, received) = received.map_err(|error| AuthError::io(&error))?;
        self.bytes.extend_from_slice(&buf[..len]);
        Ok(received != Received::End)
    }

    /// The next line, without its end.
    pub(super) async fn line(&mut self) -> Result<String, AuthError> {
        let end = loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                break end;
            }
            let peer = self.peer;
            if self.bytes.len() >= LONGEST {
                return Err(self.stranger(&format!("{peer} sent {LONGEST} bytes without a line")));
            }
            if !self.fill().await? {
                let words = format!("{peer} closed the connection before it had proved itself");
                return Err(AuthError::new(ErrorKind::Reset, words));
            }
        };
        let line: Vec<u8> = self.bytes.drain(..=end).take(end).collect();
        // A line of ours is ASCII that can be shown.
        match String::from_utf8(line) {
            Ok(line) if line.bytes().all(|byte| matches!(byte, b' '..=b'~')) => Ok(line),
            Ok(line) => Err(self.odd(line.as_bytes())),
            Err(error) => Err(self.odd(error.as_bytes())),
        }
    }

    fn odd(&self, line: &[u8]) -> AuthError {
        let shown = line[..line.len().min(SHOWN)].escape_ascii();
        let words = format!("{} sent no line of ASCII: \"{shown}\"", self.peer);
        AuthError::new(ErrorKind::Protocol, words)
    }

    /// An error that shows what the peer sent.
    pub(super) fn stranger(&self, words: &str) -> AuthError {
        let shown = self.bytes[..self.bytes.len().min(SHOWN)].escape_ascii();
        AuthError::new(ErrorKind::Protocol, format!("{words}: \"{shown}\""))
    }

    pub(super) async fn say(&mut self, line: &str) -> io::Result<()> {
        self.send.send_all(line.as_bytes()).await
    }

    /// Tells the peer why it is refused, and gives it time to read that.
    pub(super) async fn refuse(mut self, words: &str) {
        let told = timeout(PARTING, self.say(&line::refusal(words))).await;
        if let Ok(Ok(())) = told {
            // It may be gone.
            let _ = close(Joined::new(self.recv, self.send), PARTING_BYTES, PARTING).await;
        }
    }

    /// Nobody is told anything: the socket is reset.
    pub(super) fn abort(mut self) {
        // Where there are no resets, the peer sees an end.
        let _ = self.send.abort(0);
    }

    /// The socket, from which all that came and was not used is received.
    pub(super) fn finish(self, info: Info) -> AuthSocket<S> {
        let recv = Prefixed::new(self.recv, self.bytes);
        let recv = Relabelled::new(recv, info.clone());
        Joined::new(recv, Relabelled::new(self.send, info))
    }
}
