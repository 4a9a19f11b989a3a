//! Finds the end of a JSON text of a sequence, which may arrive in many pieces.

use memchr::memchr3;

use super::RS;

/// Where a text stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// At a line feed, outside of strings, braces and brackets.
    Line(usize),
    /// At the next separator.
    Separator(usize),
}

/// The state of a scan. It allocates nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    /// How many bytes it has scanned, with those before the text.
    at: usize,
    place: Place,
    /// The braces and brackets that are open. Whether they match is for a parser to say.
    depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the text, in white space.
    Before,
    /// Between strings.
    Value,
    /// In a string.
    String,
    /// In a string, behind a backslash: the next byte is part of the string.
    Escape,
}

impl Text {
    /// Of a text that begins behind `at` bytes of the input.
    pub(super) const fn behind(at: usize) -> Self {
        Text {
            at,
            place: Place::Before,
            depth: 0,
        }
    }

    /// Continues where the last scan stopped, with the same bytes at the front.
    pub(super) fn scan(&mut self, input: &[u8]) -> Option<Stop> {
        while let Some(byte) = input.get(self.at) {
            if *byte == RS {
                return Some(Stop::Separator(self.at));
            }
            match self.place {
                Place::Before if is_white(byte) => self.at += 1,
                Place::Before => self.place = Place::Value,
                Place::Escape => self.step(Place::String),
                Place::String => self.string(input),
                Place::Value if *byte == b'\n' && self.depth == 0 => {
                    return Some(Stop::Line(self.at));
                }
                Place::Value => self.value(input),
            }
        }
        None
    }

    /// Whether nothing but white space has arrived.
    pub(super) fn is_blank(&self) -> bool {
        self.place == Place::Before
    }

    /// Whether a line feed would end the text here.
    pub(super) fn is_closed(&self) -> bool {
        self.place == Place::Value && self.depth == 0
    }

    /// Whether the text, whose last byte is this one, is whole without a line feed behind it. A
    /// number may go on, and so may `true` (RFC 7464, section 2.4).
    pub(super) fn is_whole(&self, last: u8) -> bool {
        self.is_closed() && (matches!(last, b'}' | b']' | b'"') || is_white(&last))
    }

    fn step(&mut self, place: Place) {
        self.at += 1;
        self.place = place;
    }

    /// Moves to the end of the string, to a backslash, or to a separator.
    fn string(&mut self, input: &[u8]) {
        let rest = &input[self.at..];
        let Some(n) = memchr3(b'"', b'\\', RS, rest) else {
            self.at = input.len();
            return;
        };
        self.at += n;
        match rest[n] {
            b'"' => self.step(Place::Value),
            b'\\' => self.step(Place::Escape),
            _ => {}
        }
    }

    /// Moves past the next byte that tells something, but not past a line feed or a separator.
    fn value(&mut self, input: &[u8]) {
        let telling = |byte: &u8| matches!(*byte, b'"' | b'{' | b'}' | b'[' | b']' | b'\n' | RS);
        let rest = &input[self.at..];
        let Some(n) = rest.iter().position(telling) else {
            self.at = input.len();
            return;
        };
        self.at += n;
        match rest[n] {
            b'"' => self.step(Place::String),
            b'{' | b'[' => {
                self.depth += 1;
                self.at += 1;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.at += 1;
            }
            b'\n' if self.depth > 0 => self.at += 1,
            _ => {}
        }
    }
}

/// White space of JSON (RFC 8259, section 2).
pub(super) fn is_white(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
