//! Messages out of bytes, without I/O.

use std::ops::Range;

use bytes::{Buf, BytesMut};
use socketry_transport::Upcoming;

use super::{Header, Opcode, Role, Violation, mask};
use crate::close::Close;

/// The most bytes that any buffer has. A length with the highest bit is wrong anyway (section 5.2).
const LONGEST: usize = isize::MAX.unsigned_abs();

/// Puts messages together. The bytes that arrive are appended to `buf`.
///
/// It holds at most one message, and the bytes behind it of one read. Its memory follows the bytes
/// that arrived: nothing is reserved for a length that a header claims.
pub(crate) struct Decoder {
    /// Bytes that were not taken yet. The payload of a frame is unmasked here once it is whole.
    pub(crate) buf: BytesMut,
    role: Role,
    /// The longest message. With a header it is never longer than a `usize` can say.
    max: usize,
    /// The pieces of a message before its last one.
    pieces: BytesMut,
    /// The kind of the message whose pieces arrive.
    begun: Option<Opcode>,
}

/// What is at the front.
#[derive(Debug)]
pub(crate) enum Step {
    /// Bytes are missing.
    Need,
    /// A message, whose bytes [`Decoder::message`] gives, and [`Decoder::taken`] frees.
    Message(Whole),
    /// To be answered with the same bytes.
    Ping(Vec<u8>),
    Pong,
    Close(Close),
}

/// Where a whole message lies.
#[derive(Clone, Debug)]
pub(crate) enum Whole {
    /// In the buffer, behind the header of its only frame.
    Front(Range<usize>),
    /// In the place where pieces are put together.
    Pieces,
}

impl Decoder {
    pub(crate) fn new(role: Role, max: usize, first: BytesMut) -> Self {
        Decoder {
            buf: first,
            role,
            max: max.min(LONGEST),
            pieces: BytesMut::new(),
            begun: None,
        }
    }

    /// Looks at the front. After an error there is nothing more to be found.
    pub(crate) fn step(&mut self) -> Result<Step, Violation> {
        loop {
            let Some(header) = Header::read(&self.buf, self.role)? else {
                return Ok(Step::Need);
            };
            let len = self.checked(&header)?;
            let end = header.size + len;
            if self.buf.len() < end {
                return Ok(Step::Need);
            }
            let payload = header.size..end;
            if let Some(mask) = header.mask {
                mask::apply(&mut self.buf[payload.clone()], mask);
            }
            match self.frame(&header, payload)? {
                Some(step) => return Ok(step),
                None => self.buf.advance(end),
            }
        }
    }

    /// What is here of the next message.
    pub(crate) fn upcoming(&self) -> Upcoming {
        let held = self.buf.len() + self.pieces.len();
        match Header::read(&self.buf, self.role) {
            Ok(Some(header)) if header.begins_and_ends() && self.begun.is_none() => {
                let rest = (self.buf.len() - header.size) as u64;
                match usize::try_from(header.len) {
                    Ok(len) if header.len <= rest => Upcoming::Whole(len),
                    _ => Upcoming::Part(held),
                }
            }
            _ if held == 0 => Upcoming::Unknown,
            _ => Upcoming::Part(held),
        }
    }

    /// The length of a frame's payload, if such a frame may come now.
    fn checked(&self, header: &Header) -> Result<usize, Violation> {
        let continues = header.opcode == Opcode::Continuation;
        if !header.opcode.is_control() && continues != self.begun.is_some() {
            return Err(Violation::Order);
        }
        let before = if header.opcode.is_control() {
            0
        } else {
            self.pieces.len()
        };
        let len = header.len.saturating_add(before as u64);
        match usize::try_from(len) {
            Ok(len) if len <= self.max || header.opcode.is_control() => Ok(len - before),
            _ => Err(Violation::TooLong { len, max: self.max }),
        }
    }

    /// What a frame is that is here whole. `None` for a piece of a message.
    fn frame(&mut self, header: &Header, payload: Range<usize>) -> Result<Option<Step>, Violation> {
        let end = payload.end;
        let bytes = &self.buf[payload.clone()];
        let control = match header.opcode {
            Opcode::Close => Step::Close(Close::read(bytes)?),
            Opcode::Ping => Step::Ping(bytes.to_vec()),
            Opcode::Pong => Step::Pong,
            _ => return self.data(header, payload),
        };
        self.buf.advance(end);
        Ok(Some(control))
    }

    fn data(&mut self, header: &Header, payload: Range<usize>) -> Result<Option<Step>, Violation> {
        let kind = self.begun.unwrap_or(header.opcode);
        if self.begun.is_none() && header.last {
            check_text(kind, &self.buf[payload.clone()])?;
            return Ok(Some(Step::Message(Whole::Front(payload))));
        }
        let end = payload.end;
        self.pieces.extend_from_slice(&self.buf[payload]);
        self.begun = Some(kind);
        if !header.last {
            return Ok(None);
        }
        self.buf.advance(end);
        self.begun = None;
        check_text(kind, &self.pieces)?;
        Ok(Some(Step::Message(Whole::Pieces)))
    }

    /// Whether pieces of a message have come, and not the last one.
    pub(crate) fn is_inside(&self) -> bool {
        self.begun.is_some()
    }

    /// The bytes of a message.
    pub(crate) fn message(&self, whole: &Whole) -> &[u8] {
        match whole {
            Whole::Front(payload) => &self.buf[payload.clone()],
            Whole::Pieces => &self.pieces,
        }
    }

    /// The message was taken.
    pub(crate) fn taken(&mut self, whole: &Whole) {
        match whole {
            Whole::Front(payload) => self.buf.advance(payload.end),
            Whole::Pieces => self.pieces = BytesMut::new(),
        }
    }
}

fn check_text(kind: Opcode, bytes: &[u8]) -> Result<(), Violation> {
    if kind == Opcode::Text && std::str::from_utf8(bytes).is_err() {
        return Err(Violation::Utf8);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use tungstenite::protocol::{Role as Other, WebSocketConfig, WebSocketContext};
    use tungstenite::{Error, Message};

    use super::*;

    /// What both find.
    #[derive(Debug, PartialEq)]
    enum Found {
        Message(Vec<u8>),
        Ping(Vec<u8>),
        /// A close, or a violation: it gives a close with a wrong code out, and answers 1002.
        Over,
    }

    fn ours(bytes: &[u8], role: Role, piece: usize) -> Vec<Found> {
        let mut decoder = Decoder::new(role, 300, BytesMut::new());
        let mut found = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.buf.extend_from_slice(piece);
            loop {
                match decoder.step() {
                    Ok(Step::Need) => break,
                    Ok(Step::Message(whole)) => {
                        found.push(Found::Message(decoder.message(&whole).to_vec()));
                        decoder.taken(&whole);
                    }
                    Ok(Step::Ping(payload)) => found.push(Found::Ping(payload)),
                    Ok(Step::Pong) => {}
                    Ok(Step::Close(_)) => {
                        found.push(Found::Over);
                        return found;
                    }
                    Err(_) => {
                        found.push(Found::Over);
                        return found;
                    }
                }
            }
        }
        found
    }

    /// Gives bytes, and takes what is written.
    struct Wire<'a>(&'a [u8]);

    impl std::io::Read for Wire<'_> {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            match std::io::Read::read(&mut self.0, buf)? {
                0 => Err(std::io::ErrorKind::WouldBlock.into()),
                len => Ok(len),
            }
        }
    }

    impl std::io::Write for Wire<'_> {
        fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
            Ok(buf.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn theirs(bytes: &[u8], role: Role) -> Vec<Found> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(300))
            .max_frame_size(Some(300));
        let role = match role {
            Role::Client => Other::Client,
            Role::Server => Other::Server,
        };
        let mut context = WebSocketContext::new(role, Some(config));
        let (mut wire, mut found) = (Wire(bytes), Vec::new());
        loop {
            match context.read(&mut wire) {
                Ok(Message::Binary(bytes)) => found.push(Found::Message(bytes.to_vec())),
                Ok(Message::Text(text)) => found.push(Found::Message(text.as_bytes().to_vec())),
                Ok(Message::Ping(payload)) => found.push(Found::Ping(payload.to_vec())),
                Ok(Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) => {
                    found.push(Found::Over);
                    return found;
                }
                Err(Error::Io(_)) => return found,
                Err(_) => {
                    found.push(Found::Over);
                    return found;
                }
            }
        }
    }

    /// Frames as a peer may send them, now and then with a wrong bit.
    fn frames(random: &mut impl FnMut(u32) -> u32, role: Role) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..random(6) {
            let opcode = [0, 0, 1, 1, 2, 2, 8, 9, 10][random(9) as usize];
            let first = opcode | if random(3) > 0 { 0x80 } else { 0 };
            let len = [0, 1, 5, 100, 125, 126, 140, 200, 301][random(9) as usize];
            let masked = if role == Role::Server { 0x80 } else { 0 };
            bytes.push(first);
            match u8::try_from(len) {
                Ok(len) if len < 126 => bytes.push(masked | len),
                _ => {
                    bytes.push(masked | 126);
                    bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
                }
            }
            if masked > 0 {
                bytes.extend([0; 4]);
            }
            let good_close = [3, 232, b'a', b'b', b'c'];
            let payload = (0..len as usize).map(|at| match opcode {
                8 => *good_close.get(at).unwrap_or(&b'x'),
                _ => b'a',
            });
            bytes.extend(payload);
            if random(8) == 0 {
                let at = random(u32::try_from(bytes.len()).unwrap()) as usize;
                // No text becomes a wrong one, which it tells before the last piece is here.
                bytes[at] ^= 1 << random(7);
            }
        }
        bytes
    }

    /// Of ten years of WebSocket in the library that most programs use.
    #[test]
    fn it_finds_what_tungstenite_finds_wherever_the_bytes_are_cut() {
        let mut state = 1_u64;
        let mut random = move |below: u32| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            u32::try_from(state >> 33).unwrap() % below
        };
        let mut ends = 0;
        for round in 0..20_000_u32 {
            let role = [Role::Client, Role::Server][(round % 2) as usize];
            let bytes = frames(&mut random, role);
            let expected = theirs(&bytes, role);
            let piece = 1 + random(40) as usize;
            let found = ours(&bytes, role, piece);
            // What ends it is seen at once: by us in a header, by it in the piece of a text.
            let until = |found: &[Found]| {
                let all = found
                    .iter()
                    .filter(|one| matches!(one, Found::Message(_)))
                    .count();
                (all, found.last() == Some(&Found::Over))
            };
            let ((ours, over), (theirs, _)) = (until(&found), until(&expected));
            assert_eq!(ours, theirs, "{role:?} {bytes:02x?}");
            let both = found
                .iter()
                .zip(&expected)
                .filter(|(a, _)| **a != Found::Over);
            for (a, b) in both.filter(|(_, b)| **b != Found::Over) {
                assert_eq!(a, b, "{role:?} {bytes:02x?}");
            }
            ends += u32::from(over);
        }
        assert!((5_000..19_000).contains(&ends), "{ends} ended");
    }

    #[test]
    fn no_claim_is_beyond_what_can_be_counted_even_without_a_bound() {
        for role in [Role::Client, Role::Server] {
            let masked = if role == Role::Server { 0x80 } else { 0 };
            for (len, fits) in [(u64::MAX, false), (1 << 63, false), ((1 << 63) - 1, true)] {
                let mut decoder = Decoder::new(role, usize::MAX, BytesMut::new());
                decoder.buf.extend([0x82, masked | 127]);
                decoder.buf.extend(len.to_be_bytes());
                decoder.buf.extend([0; 8]);
                match decoder.step() {
                    Ok(Step::Need) => assert!(fits, "{len}"),
                    Err(Violation::TooLong { .. }) => assert!(!fits, "{len}"),
                    other => panic!("{len}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_claim_reserves_nothing() {
        let mut decoder = Decoder::new(Role::Server, 1 << 20, BytesMut::new());
        // 1 MiB, of which 1 byte has come.
        decoder
            .buf
            .extend([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 1]);
        assert!(matches!(decoder.step(), Ok(Step::Need)));
        assert!(decoder.buf.capacity() < 100 && decoder.pieces.capacity() == 0);
    }
}
