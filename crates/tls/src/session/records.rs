//! Where records end.

/// Follows the headers of the records in a stream of ciphertext (RFC 8446 §5.1).
#[derive(Debug, Default)]
pub(super) struct Records {
    /// The header, as far as it has come; its last two bytes are the length.
    header: [u8; Self::HEADER],
    have: usize,
    /// How much of the payload is still to come.
    left: usize,
}

impl Records {
    pub(super) const HEADER: usize = 5;

    /// The length of the payload that the header says.
    fn payload(&self) -> usize {
        u16::from_be_bytes([self.header[3], self.header[4]]).into()
    }

    /// These bytes passed by.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let pass = self.left.min(bytes.len());
                self.left -= pass;
                bytes = &bytes[pass..];
                continue;
            }
            self.header[self.have] = bytes[0];
            self.have += 1;
            bytes = &bytes[1..];
            if self.have == Self::HEADER {
                self.have = 0;
                self.left = self.payload();
            }
        }
    }

    /// How much has passed of a record that has not ended, with its header.
    pub(super) fn begun(&self) -> usize {
        match self.left {
            0 => self.have,
            left => Self::HEADER + self.payload() - left,
        }
    }

    /// Whether a record has begun and not ended.
    pub(super) fn is_inside(&self) -> bool {
        self.have > 0 || self.left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_followed_however_the_bytes_come() {
        let mut stream = vec![23, 3, 3, 0, 0, 22, 3, 1, 1, 0];
        stream.extend([7; 256]);
        stream.extend([21, 3, 3, 0, 2, 1, 0]);
        let ends = [0, 5, 266, 273];
        for step in 1..300 {
            let (mut records, mut at) = (Records::default(), 0);
            for piece in stream.chunks(step) {
                assert_eq!(
                    records.is_inside(),
                    !ends.contains(&at),
                    "at {at} by {step}"
                );
                let begun = ends.iter().rev().find(|end| **end <= at).unwrap();
                assert_eq!(records.begun(), at - begun, "at {at} by {step}");
                records.pass(piece);
                at += piece.len();
            }
            assert!(!records.is_inside());
        }
    }
}
