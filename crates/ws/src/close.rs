//! Why a connection ends, as the peers tell each other (RFC 6455, section 7.4).

use std::fmt;

use crate::frame::{CONTROL_MAX, Violation};

/// The code of a close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The peer has said all that it has to say. It is an end.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// A server stops, or a browser leaves the page. It is an end.
    pub const AWAY: CloseCode = CloseCode(1001);
    /// Frames that break the protocol.
    pub const PROTOCOL_ERROR: CloseCode = CloseCode(1002);
    /// A kind of data that this end does not take.
    pub const UNSUPPORTED: CloseCode = CloseCode(1003);
    /// There was no code. It is never sent, and it is an end.
    pub const NONE: CloseCode = CloseCode(1005);
    /// There was no close frame at all. It is never sent, and it is a reset.
    pub const ABNORMAL: CloseCode = CloseCode(1006);
    /// A text that is not UTF-8.
    pub const INVALID_TEXT: CloseCode = CloseCode(1007);
    /// A rule of the application.
    pub const POLICY: CloseCode = CloseCode(1008);
    /// A message above the bound.
    pub const TOO_LONG: CloseCode = CloseCode(1009);

    /// Whether the peer just finished.
    pub fn is_end(self) -> bool {
        matches!(self, CloseCode::NORMAL | CloseCode::AWAY | CloseCode::NONE)
    }

    /// Whether a close frame may have it: those of RFC 6455 and the registry of IANA, and 3000 to
    /// 4999, which belong to libraries and applications.
    fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    fn words(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1005 => "no code",
            1006 => "no close frame",
            1007 => "invalid text",
            1008 => "policy violation",
            1009 => "message too long",
            1010 => "a missing extension",
            1011 => "an error of the server",
            1012 => "the server restarts",
            1013 => "try again later",
            1014 => "bad gateway",
            3000..=3999 => "a code of a library",
            4000..=4999 => "a code of the application",
            _ => "an unknown code",
        }
    }
}

/// The number and its meaning.
impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.words())
    }
}

/// A close frame of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) code: CloseCode,
    pub(crate) reason: String,
}

impl Close {
    /// Reads the payload of a close frame (section 5.5.1).
    pub(crate) fn read(payload: &[u8]) -> Result<Self, Violation> {
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            return match payload {
                [] => Ok(Close {
                    code: CloseCode::NONE,
                    reason: String::new(),
                }),
                _ => Err(Violation::CloseCode),
            };
        };
        let code = CloseCode(u16::from_be_bytes(*code));
        if !code.may_be_sent() {
            return Err(Violation::CloseCode);
        }
        let reason = std::str::from_utf8(reason).map_err(|_| Violation::Utf8)?;
        Ok(Close {
            code,
            reason: reason.to_owned(),
        })
    }
}

/// The payload of a close frame of ours. The reason is cut where it does not fit.
pub(crate) fn payload(code: CloseCode, reason: &str) -> Vec<u8> {
    if !code.may_be_sent() {
        return Vec::new();
    }
    let most = CONTROL_MAX - 2;
    let fits = (0..=most.min(reason.len())).rfind(|end| reason.is_char_boundary(*end));
    let reason = &reason.as_bytes()[..fits.unwrap_or(0)];
    [&code.0.to_be_bytes()[..], reason].concat()
}
