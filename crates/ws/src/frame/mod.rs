//! Frames: the bytes that stand before a payload (RFC 6455, section 5.2).

pub(crate) mod decoder;
pub(crate) mod mask;
mod violation;

use bytes::{BufMut, BytesMut};
pub(crate) use violation::Violation;

/// The longest payload of a control frame (section 5.5).
pub(crate) const CONTROL_MAX: usize = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return None,
        })
    }

    fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// The end of a connection that this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Its frames are masked, and its peer's are not.
    Client,
    /// The other way round.
    Server,
}

impl Role {
    pub(crate) fn peer(self) -> &'static str {
        match self {
            Role::Client => "the server",
            Role::Server => "the client",
        }
    }
}

/// A header that has arrived.
#[derive(Clone, Copy, Debug)]
struct Header {
    last: bool,
    opcode: Opcode,
    mask: Option<[u8; 4]>,
    /// The length of the payload.
    len: u64,
    /// The length of the header itself.
    size: usize,
}

impl Header {
    /// Whether it is that of a message of one frame.
    fn begins_and_ends(&self) -> bool {
        self.last && matches!(self.opcode, Opcode::Text | Opcode::Binary)
    }

    /// Reads the header at the front of `bytes`, of a frame for `role`. `None` if bytes are
    /// missing.
    fn read(bytes: &[u8], role: Role) -> Result<Option<Self>, Violation> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(Violation::Reserved);
        }
        let opcode = Opcode::of(first & 0x0f).ok_or(Violation::Opcode(first & 0x0f))?;
        let last = first & 0x80 != 0;
        let masked = second & 0x80 != 0;
        if masked != (role == Role::Server) {
            return Err(Violation::Mask);
        }
        let short = second & 0x7f;
        if opcode.is_control() && (!last || usize::from(short) > CONTROL_MAX) {
            return Err(Violation::Control);
        }
        let (len, rest, wide) = match short {
            126 => match rest.split_first_chunk::<2>() {
                Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), rest, 2),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((len, rest)) => (u64::from_be_bytes(*len), rest, 8),
                None => return Ok(None),
            },
            short => (u64::from(short), rest, 0),
        };
        let mask = match (masked, rest.first_chunk::<4>()) {
            (false, _) => None,
            (true, Some(mask)) => Some(*mask),
            (true, None) => return Ok(None),
        };
        let size = 2 + wide + if masked { 4 } else { 0 };
        Ok(Some(Header {
            last,
            opcode,
            mask,
            len,
            size,
        }))
    }
}

/// Appends the header of a whole message or of a control frame.
pub(crate) fn put_header(out: &mut BytesMut, opcode: Opcode, len: usize, mask: Option<[u8; 4]>) {
    out.put_u8(0x80 | opcode as u8);
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) if len < 126 => out.put_u8(masked | len),
        (_, Ok(len)) => {
            out.put_u8(masked | 126);
            out.put_u16(len);
        }
        _ => {
            out.put_u8(masked | 127);
            out.put_u64(len as u64);
        }
    }
    if let Some(mask) = mask {
        out.put_slice(&mask);
    }
}

/// Appends a whole frame.
pub(crate) fn put<'a>(
    out: &mut BytesMut,
    opcode: Opcode,
    parts: impl IntoIterator<Item = &'a [u8]> + Clone,
    mask: Option<[u8; 4]>,
) {
    let len = parts.clone().into_iter().map(<[u8]>::len).sum();
    out.reserve(14 + len);
    put_header(out, opcode, len, mask);
    let begin = out.len();
    for part in parts {
        out.put_slice(part);
    }
    if let Some(mask) = mask {
        mask::apply(&mut out[begin..], mask);
    }
}
