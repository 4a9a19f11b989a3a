//! Finds the brace that closes an object, which may arrive in many pieces.

use memchr::memchr2;

use crate::Fault;

/// The state of a scan. It allocates nothing, at any depth of the object.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanner {
    /// How many bytes it has scanned.
    at: usize,
    place: Place,
    depth: usize,
    /// One bit a level, the innermost lowest: whether that level is a bracket. 128 levels:
    /// `limits::MAX_DEPTH`.
    brackets: u128,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// Before the first brace.
    #[default]
    Outside,
    /// Between strings.
    Value,
    /// In a string.
    Text,
    /// In a string, behind a backslash: the next byte is part of the string.
    Escape,
}

impl Scanner {
    /// Continues where the last scan stopped. `input` begins with the bytes of that scan. Gives the
    /// end of the object, one past its brace, or `None` if the input does not have it.
    pub(super) fn scan(&mut self, input: &[u8], max_depth: usize) -> Result<Option<usize>, Fault> {
        while let Some(byte) = input.get(self.at) {
            match self.place {
                Place::Text => self.text(input),
                Place::Escape => self.step(Place::Text),
                Place::Value => self.value(input, max_depth)?,
                Place::Outside => self.first(*byte)?,
            }
            if self.depth == 0 {
                return Ok(Some(self.at));
            }
        }
        Ok(None)
    }

    /// The caller has dropped the scanned bytes from the front of the input.
    pub(super) fn rebase(&mut self) {
        self.at = 0;
    }

    /// The fewest bytes that can close the object: one for each level, and one to end a string.
    pub(super) fn missing(&self) -> usize {
        match self.place {
            Place::Outside => 2,
            Place::Value => self.depth,
            Place::Text => self.depth + 1,
            Place::Escape => self.depth + 2,
        }
    }

    fn step(&mut self, place: Place) {
        self.at += 1;
        self.place = place;
    }

    fn first(&mut self, byte: u8) -> Result<(), Fault> {
        if byte != b'{' {
            return Err(not_an_object());
        }
        self.depth = 1;
        self.step(Place::Value);
        Ok(())
    }

    /// Moves to the next quote or backslash.
    fn text(&mut self, input: &[u8]) {
        let rest = &input[self.at..];
        match memchr2(b'"', b'\\', rest) {
            None => self.at = input.len(),
            Some(n) => {
                self.at += n;
                let escape = rest[n] == b'\\';
                self.step(if escape { Place::Escape } else { Place::Value });
            }
        }
    }

    /// Moves to the next string, brace or bracket, and past it.
    fn value(&mut self, input: &[u8], max_depth: usize) -> Result<(), Fault> {
        let telling = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']');
        let rest = &input[self.at..];
        let Some(n) = rest.iter().position(telling) else {
            self.at = input.len();
            return Ok(());
        };
        self.at += n;
        match rest[n] {
            b'"' => self.place = Place::Text,
            b'{' => self.open(false, max_depth)?,
            b'[' => self.open(true, max_depth)?,
            byte => self.close(byte == b']')?,
        }
        self.at += 1;
        Ok(())
    }

    fn open(&mut self, bracket: bool, max_depth: usize) -> Result<(), Fault> {
        if self.depth >= max_depth {
            return Err(Fault::TooDeep { max: max_depth });
        }
        self.depth += 1;
        self.brackets = self.brackets << 1 | u128::from(bracket);
        Ok(())
    }

    fn close(&mut self, bracket: bool) -> Result<(), Fault> {
        if (self.brackets & 1 == 1) != bracket {
            return Err(mismatch(bracket));
        }
        self.depth -= 1;
        self.brackets >>= 1;
        Ok(())
    }
}

#[cold]
fn not_an_object() -> Fault {
    Fault::NotJson("the first byte is not '{'; the peer may speak `json` or `raw`".into())
}

#[cold]
fn mismatch(bracket: bool) -> Fault {
    let (has, wants) = if bracket { (']', '}') } else { ('}', ']') };
    Fault::NotJson(format!("'{has}' stands where '{wants}' is due"))
}
