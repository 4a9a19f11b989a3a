//! The receiving half.

use std::fmt;
use std::io::{self, BufRead};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker, ready};

use rustls::Connection;
use socketry_transport::{Half, Info, Received, RecvHalf};
use tokio::io::ReadBuf;

use super::apart::{Apart, keep};
use super::incoming::{FULL, poll_read};
use super::lock;
use super::records::Records;
use super::shared::Shared;
use super::writing::LastWords;
use crate::error::{Role, TlsError};
use crate::info::Ended;

/// The receiving half of a socket over TLS.
pub struct TlsRecv<R> {
    pub(super) shared: Arc<Shared>,
    pub(super) reading: Arc<Mutex<Reading<R>>>,
}

/// The receiving side. The sending half has it too, to look for an alert when a write fails.
pub(super) struct Reading<R> {
    pub(super) socket: R,
    /// Follows what was received.
    pub(super) records: Records,
    pub(super) apart: Apart,
    pub(super) role: Role,
    /// Whether an end without a `close_notify` is an error.
    pub(super) strict: bool,
    pub(super) ended: Arc<Ended>,
    /// Gone with the sending half.
    pub(super) writing: Weak<Mutex<dyn LastWords>>,
    /// After the last byte, each receive answers this.
    pub(super) last: Option<Last>,
    /// The task that waits, should the sending half have taken its place at the socket inside.
    pub(super) waker: Option<Waker>,
}

#[derive(Debug)]
pub(super) enum Last {
    End,
    Failed(TlsError),
    Socket(io::ErrorKind, String),
}

impl Last {
    pub(super) fn answer(&self) -> io::Result<Received> {
        match self {
            Last::End => Ok(Received::End),
            Last::Failed(error) => Err(error.clone().into()),
            Last::Socket(kind, words) => Err(io::Error::new(*kind, words.clone())),
        }
    }
}

impl<R: RecvHalf> Reading<R> {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        connection: &Mutex<Connection>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        loop {
            let mut conn = lock(connection);
            if self.take(&mut conn, buf) {
                return Poll::Ready(Ok(Received::Data));
            }
            if let Some(last) = &self.last {
                return Poll::Ready(last.answer());
            }
            match self.poll_read(cx, &mut conn) {
                Some(Poll::Ready(received)) => received?,
                None => {
                    let kind = socketry_transport::ErrorKind::Protocol;
                    self.last = Some(Last::Failed(TlsError::new(kind, FULL)));
                }
                Some(Poll::Pending) => {
                    match &mut self.waker {
                        Some(waker) => waker.clone_from(cx.waker()),
                        none => *none = Some(cx.waker().clone()),
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// Copies to `buf` what is decrypted, as far as it fits, and says whether that is anything. The
    /// end behind the last byte is noted.
    fn take(&mut self, conn: &mut Connection, buf: &mut ReadBuf<'_>) -> bool {
        let before = buf.filled().len();
        let mut reader = conn.reader();
        while buf.remaining() > 0 {
            match reader.fill_buf() {
                Ok([]) => {
                    if self.last.is_none() {
                        self.ended.set(true);
                        self.last = Some(Last::End);
                    }
                    break;
                }
                Ok(bytes) => {
                    let len = bytes.len().min(buf.remaining());
                    buf.put_slice(&bytes[..len]);
                    let freed_slow = len == bytes.len() && self.apart.is_slow(bytes);
                    reader.consume(len);
                    if freed_slow {
                        keep(len);
                    }
                }
                Err(_) => break,
            }
        }
        buf.filled().len() > before
    }

    /// Receives once, and decrypts what is whole. What ends the stream is noted. `None` if the
    /// connection takes no more for now.
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        conn: &mut Connection,
    ) -> Option<Poll<io::Result<()>>> {
        let (records, apart) = (&mut self.records, &mut self.apart);
        let note = |bytes: &[u8]| {
            apart.received(bytes, records.begun());
            records.pass(bytes);
        };
        let answer = poll_read(cx, &mut self.socket, note, |from| conn.read_tls(from))?;
        Some(answer.map_ok(|received| match received {
            Received::End => self.end(),
            _ => {
                if let Err(error) = conn.process_new_packets() {
                    if let Some(writing) = self.writing.upgrade() {
                        lock(&writing).last_words(conn);
                    }
                    self.last = Some(Last::Failed(TlsError::of(error, self.role)));
                }
            }
        }))
    }

    /// The socket inside has ended, without a `close_notify` before.
    fn end(&mut self) {
        let peer = self.role.peer();
        let cut = |words: &str| {
            let kind = socketry_transport::ErrorKind::Reset;
            Last::Failed(TlsError::new(kind, format!("{peer} broke off {words}")))
        };
        self.ended.set(false);
        self.last = Some(if self.records.is_inside() {
            cut("inside of a TLS record")
        } else if self.strict {
            cut("without the close_notify that close_notify=required asks for")
        } else {
            Last::End
        });
    }

    /// After a failed write: the alert that may say why, if it has come already.
    pub(super) fn look_for_alert(&mut self, connection: &Mutex<Connection>) -> Option<TlsError> {
        while self.last.is_none() {
            let cx = &mut Context::from_waker(Waker::noop());
            match self.poll_read(cx, &mut lock(connection)) {
                Some(Poll::Ready(Ok(()))) => {}
                Some(Poll::Ready(Err(error))) => {
                    self.last = Some(Last::Socket(error.kind(), error.to_string()));
                }
                None | Some(Poll::Pending) => break,
            }
        }
        // Its waker has lost its place at the socket inside.
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        match &self.last {
            Some(Last::Failed(error)) if error.rustls().is_some() => Some(error.clone()),
            _ => None,
        }
    }
}

impl<R: Half> Half for TlsRecv<R> {
    fn info(&self) -> &Info {
        self.shared
            .info(|| lock(&self.reading).socket.info().clone())
    }
}

impl<R: RecvHalf> RecvHalf for TlsRecv<R> {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        // What is decrypted already is always ready: a task has its turn and no more.
        let turn = ready!(tokio::task::coop::poll_proceed(cx));
        let polled = lock(&self.reading).poll(cx, &self.shared.connection, buf);
        if polled.is_ready() {
            turn.made_progress();
        }
        polled
    }
}

impl<R: Half> fmt::Debug for TlsRecv<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsRecv({:?})", self.info())
    }
}
