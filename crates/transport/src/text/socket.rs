//! A socket that carries an encoding: the tutorial's `MySocket`.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use super::{Encoding, TextDecoder, TextEncoder, TextError, TextPolicy};
use crate::contract::datagram::{DatagramSocket, PeerAddr, recv_from, send_to};
use crate::contract::socket::{Received, RecvHalf, SendHalf};

/// How much one read of a stream may bring, in bytes.
const READ: usize = 16 * 1024;
/// The most room that a receive keeps for one datagram, in bytes, even if the socket asks for more.
const ROOM: usize = 1 << 20;

/// A socket that speaks `&str`, in an encoding, over bytes.
///
/// It wraps an unconnected datagram socket ([`send_to`](TextSocket::send_to),
/// [`recv_from`](TextSocket::recv_from)), or a connected socket or half of any shape
/// ([`send`](TextSocket::send), [`recv`](TextSocket::recv)). Over messages and datagrams each text
/// is encoded alone. Over a stream a read gives the text that has arrived. A character that is
/// split between two reads comes with the second. A text that is sent into a stream continues the
/// texts before it, as [`TextEncoder`] says: one byte order mark, and ISO-2022-JP stays shifted
/// between two texts. The peer may also have encoded each of its texts alone: [`TextDecoder`] takes
/// both.
///
/// Bytes or characters that do not fit the encoding are an error by default, and the socket goes on
/// after it; see [`with_policy`](TextSocket::with_policy).
#[derive(Debug)]
pub struct TextSocket<S> {
    socket: S,
    encoding: Encoding,
    policy: TextPolicy,
    /// Decodes the stream that arrives.
    decoder: TextDecoder,
    /// The buffer of a receive. The first receive allocates it.
    buf: Vec<u8>,
    /// An error that the next receive gives out, after the text before it.
    fault: Option<TextError>,
    /// The decoder stopped at an error and may hold more text.
    stopped: bool,
    /// The bytes of a stream that a cancelled send did not write.
    unsent: BytesMut,
    /// Encodes the stream that is sent.
    encoder: TextEncoder,
}

impl<S> TextSocket<S> {
    /// `socket`, speaking `encoding`, with [`TextPolicy::Strict`].
    pub fn new(socket: S, encoding: Encoding) -> Self {
        let policy = TextPolicy::default();
        TextSocket {
            socket,
            encoding,
            policy,
            decoder: TextDecoder::new(encoding, policy),
            buf: Vec::new(),
            fault: None,
            stopped: false,
            unsent: BytesMut::new(),
            encoder: TextEncoder::new(encoding, policy),
        }
    }

    /// Chooses how bytes that are no text, and characters that the encoding lacks, are treated.
    /// Call it before the first send and receive: encoder and decoder begin anew.
    #[must_use]
    pub fn with_policy(mut self, policy: TextPolicy) -> Self {
        self.policy = policy;
        self.decoder = TextDecoder::new(self.encoding, policy);
        self.encoder = TextEncoder::new(self.encoding, policy);
        self
    }

    /// The encoding that it speaks.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The socket inside, to ask where it is, for instance.
    pub fn get_ref(&self) -> &S {
        &self.socket
    }

    /// The socket inside, to finish it, for instance. Bytes that the caller sends or receives there
    /// are not converted.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// The socket inside. Text that arrived in part, and bytes that a cancelled send did not write,
    /// are lost.
    pub fn into_inner(self) -> S {
        self.socket
    }
}

impl<S: DatagramSocket> TextSocket<S> {
    /// Sends `text` as one datagram to `to`. Cancel-safe: it is sent whole or not at all.
    ///
    /// # Errors
    /// `InvalidInput` for a character that the encoding lacks, and for a text that is longer than a
    /// datagram; else as the socket reports them.
    pub async fn send_to(&self, text: &str, to: &PeerAddr) -> io::Result<()> {
        let bytes = self.encoding.encode(text, self.policy)?;
        send_to(&self.socket, &bytes, to).await.map(drop)
    }

    /// Receives one datagram of at most `n` bytes, and names its sender. Cancel-safe.
    ///
    /// # Errors
    /// `InvalidData`, naming the sender, for a datagram that is longer than `n` bytes (its rest is
    /// lost) or no text in the encoding; else as the socket reports them. The next datagram is not
    /// touched.
    pub async fn recv_from(&self, n: usize) -> io::Result<(String, PeerAddr)> {
        let mut buf = vec![0; n.min(ROOM)];
        let (len, received, from) = recv_from(&self.socket, &mut buf).await?;
        let text = self.whole("a datagram", &buf[..len], received, &from)?;
        Ok((text, from))
    }
}

impl<S> TextSocket<S> {
    /// The text of one datagram or message: `what`, with its article.
    fn whole(
        &self,
        what: &str,
        bytes: &[u8],
        received: Received,
        from: &dyn std::fmt::Display,
    ) -> io::Result<String> {
        let invalid = |reason: &dyn std::fmt::Display| {
            let words = format!("{what} from {from} is no text: {reason}");
            io::Error::new(io::ErrorKind::InvalidData, words)
        };
        if let Some(cut) = received.cut() {
            return Err(invalid(&cut));
        }
        self.encoding
            .decode(bytes, self.policy)
            .map_err(|error| invalid(&error))
    }
}

impl<S: RecvHalf> TextSocket<S> {
    /// Receives text: that of one message or datagram, or at least one character of a stream.
    /// `None` is the end. Cancel-safe.
    ///
    /// # Errors
    /// `InvalidData` for bytes that are no text in the encoding, after the text before them was
    /// received, and for a message or datagram that was cut; receiving goes on after them. Else as
    /// the socket reports them.
    pub async fn recv(&mut self) -> io::Result<Option<String>> {
        poll_fn(|cx| match self.socket.shape().is_stream() {
            true => self.poll_stream(cx),
            false => self.poll_whole(cx),
        })
        .await
    }

    fn poll_whole(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<String>>> {
        let (len, received) = ready!(self.poll_read(cx, self.socket.recv_room().clamp(1, ROOM)))?;
        if received == Received::End {
            return Poll::Ready(Ok(None));
        }
        let what = match self.socket.shape().is_reliable() {
            true => "a message",
            false => "a datagram",
        };
        let text = self.whole(what, &self.buf[..len], received, self.socket.peer());
        Poll::Ready(text.map(Some))
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<String>>> {
        if let Some(fault) = self.fault.take() {
            return Poll::Ready(Err(fault.into()));
        }
        let mut text = String::new();
        loop {
            // A decoder that stopped at an error goes on without another read, so that it never
            // holds more than one read.
            let (len, received) = if self.stopped {
                (0, Received::Data)
            } else {
                ready!(self.poll_read(cx, READ))?
            };
            let ended = received == Received::End;
            let result = self.decoder.decode(&self.buf[..len], ended, &mut text);
            self.stopped = result.is_err();
            match result {
                Err(fault) if text.is_empty() => return Poll::Ready(Err(fault.into())),
                Err(fault) => self.fault = Some(fault),
                Ok(()) => (),
            }
            if !text.is_empty() {
                return Poll::Ready(Ok(Some(text)));
            }
            if ended {
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// Receives into `buf`, which has `room` for it.
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        room: usize,
    ) -> Poll<io::Result<(usize, Received)>> {
        self.buf.resize(room, 0);
        let mut buf = ReadBuf::new(&mut self.buf);
        let received = ready!(self.socket.poll_recv(cx, &mut buf))?;
        Poll::Ready(Ok((buf.filled().len(), received)))
    }
}

impl<S: SendHalf> TextSocket<S> {
    /// Sends all of `text`: as one message or datagram, or into a stream, where an empty text sends
    /// no bytes.
    ///
    /// Cancel-safe. A message or datagram is sent whole or not at all. If a send into a stream is
    /// cancelled, the rest of its text is sent before the next text, so that no character is sent
    /// in part only.
    ///
    /// # Errors
    /// `InvalidInput` for a text with a character that the encoding lacks, or for one that is
    /// longer than a message or datagram; it is not sent then. Else as the socket reports them.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        if !self.socket.shape().is_stream() {
            let bytes = self.encoding.encode(text, self.policy)?;
            let parts = [IoSlice::new(&bytes)];
            poll_fn(|cx| self.socket.poll_send(cx, &parts)).await?;
            return poll_fn(|cx| self.socket.poll_flush(cx)).await;
        }
        poll_fn(|cx| self.poll_unsent(cx)).await?;
        let bytes = self.encoder.encode(text)?;
        self.unsent.extend_from_slice(&bytes);
        self.write_unsent().await
    }

    /// Ends the sending direction: writes the bytes that a cancelled [`send`](TextSocket::send) has
    /// left, returns to ASCII if ISO-2022-JP is shifted, and finishes the socket. Cancel-safe: call
    /// it again.
    ///
    /// # Errors
    /// As the socket reports them.
    pub async fn finish(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_unsent(cx)).await?;
        self.unsent.extend_from_slice(&self.encoder.finish());
        self.write_unsent().await?;
        poll_fn(|cx| self.socket.poll_finish(cx)).await
    }

    async fn write_unsent(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_unsent(cx)).await?;
        poll_fn(|cx| self.socket.poll_flush(cx)).await
    }

    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let parts = [IoSlice::new(&self.unsent)];
            let sent = ready!(self.socket.poll_send(cx, &parts))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(sent);
        }
        Poll::Ready(Ok(()))
    }
}
