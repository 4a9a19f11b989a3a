//! The chosen codec, and the questions that the apps ask of it.

use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, CodecRegistry, Content, Framed, NamedCodec, Properties};
use socketry_transport::{BoxSocket, Encoding};

/// A frame that is carried by each codec that an app runs over, except one that is delimited by a
/// brace.
const SAMPLE: &[u8] = b"{}";

/// A codec with its name and properties.
#[derive(Debug)]
pub(crate) struct Own {
    /// The shortest form of its name.
    pub(crate) name: String,
    /// Only cloned. A mutex, since a codec is `Send` but not `Sync`.
    codec: Mutex<BoxCodec>,
    /// The last answer of [`fits`](Own::fits), which takes a while, and for which datagram.
    fitted: Mutex<Option<(usize, usize)>>,
    pub(crate) properties: Properties,
    /// The registry that it was chosen from.
    pub(crate) codecs: CodecRegistry,
    /// The encoding of text in its frames, if they are not JSON.
    pub(crate) encoding: Encoding,
}

impl Own {
    pub(crate) fn new(named: NamedCodec, codecs: &CodecRegistry, encoding: Encoding) -> Self {
        let name = named.name().to_owned();
        let codec = named.into_codec();
        Own {
            name,
            properties: codec.properties(),
            codec: Mutex::new(codec),
            fitted: Mutex::default(),
            codecs: codecs.clone(),
            encoding,
        }
    }

    /// A socket with this codec.
    pub(crate) fn framed(&self, socket: BoxSocket) -> Framed<BoxSocket> {
        Framed::new(socket, self.codec())
    }

    /// A clone of the codec in its initial state.
    pub(crate) fn codec(&self) -> BoxCodec {
        let codec = self.codec.lock().unwrap_or_else(PoisonError::into_inner);
        codec.clone()
    }

    /// The byte that ends its frames, if it has one. No frame contains it.
    pub(crate) fn delimiter(&self) -> Option<u8> {
        match self.properties.content {
            Content::Delimited(byte) => Some(byte),
            _ => None,
        }
    }

    /// Whether its frames are JSON objects.
    pub(crate) fn is_json(&self) -> bool {
        self.properties.content == Content::Json
    }

    /// Whether its frames are JSON objects without any other bytes, so that a program can speak it
    /// without a codec.
    pub(crate) fn is_bare_json(&self) -> bool {
        self.is_json() && self.encoded(SAMPLE) == SAMPLE
    }

    /// The bytes that it writes before a short frame.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut wire = self.encoded(SAMPLE);
        let mut places = wire.windows(SAMPLE.len());
        let at = places.position(|place| place == SAMPLE);
        wire.truncate(at.unwrap_or(wire.len()));
        wire
    }

    /// An encoded frame; empty if the codec cannot carry it.
    pub(crate) fn encoded(&self, frame: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        // A refused frame leaves no trace.
        let _ = self.codec().encode(frame, &mut out);
        out.to_vec()
    }

    /// The longest frame whose encoding fits in `room` bytes, whatever the frame holds.
    ///
    /// It is measured: with the byte that grows most, and with noise, which no codec compresses.
    pub(crate) fn fits(&self, room: usize) -> usize {
        let mut fitted = self.fitted.lock().unwrap_or_else(PoisonError::into_inner);
        match *fitted {
            Some((before, longest)) if before == room => longest,
            _ => {
                let longest = self.measured(room);
                *fitted = Some((room, longest));
                longest
            }
        }
    }

    fn measured(&self, room: usize) -> usize {
        const SHORT: usize = 64;
        let grown = |byte: &u8| self.encoded(&[*byte; SHORT]).len();
        let worst = (0..=u8::MAX).max_by_key(grown).unwrap_or_default();
        let most = room.min(self.properties.max_frame);
        let noise = noise(most);
        let fits = |len: usize| {
            let samples = [&vec![worst; len][..], &noise[..len]];
            samples
                .iter()
                .all(|frame| self.encoded(frame).len() <= room)
        };
        // The longest one is between the two. An empty frame is taken to fit.
        let (mut least, mut above) = (0, most + 1);
        while above - least > 1 {
            let middle = least + (above - least) / 2;
            match fits(middle) {
                true => least = middle,
                false => above = middle,
            }
        }
        least
    }

    /// The first `len` bytes that a peer has sent for `frame`, which this codec decoded.
    pub(crate) fn front(&self, frame: &[u8], len: usize) -> Vec<u8> {
        let mut wire = match self.codec().envelope(frame) {
            Ok(Some((before, _))) => [&before, &frame[..frame.len().min(len)]].concat(),
            Ok(None) => self.encoded(frame),
            Err(_) => Vec::new(),
        };
        if wire.is_empty() {
            wire.extend_from_slice(&frame[..frame.len().min(len)]);
        }
        wire.truncate(len);
        wire
    }
}

/// Bytes that no codec compresses, the same ones each time (Marsaglia's xorshift).
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::noise;
    use crate::Service;

    /// Over datagrams a frame of this length, of the worst bytes, is one datagram.
    #[test]
    fn the_longest_frame_that_fits_is_measured_whatever_it_holds() {
        use socketry_codec::{Codec, CodecRegistry};

        for codec in [
            "struct:>I+zstd",
            "struct:>I+lz4",
            "struct:>I+deflate",
            "cobs",
            "slip",
        ] {
            let service = Service {
                codecs: CodecRegistry::catalogue(),
                codec: codec.into(),
                ..Service::default()
            };
            let own = service.own().unwrap();
            for room in [100, 1_472, 65_507] {
                let longest = own.fits(room);
                assert!(longest >= room / 2 - 32, "{codec}: {longest} of {room}");
                let zeros = vec![0; longest];
                let ends = vec![0xc0; longest];
                for frame in [noise(longest), zeros, ends] {
                    let mut wire = bytes::BytesMut::new();
                    own.codec().encode(&frame, &mut wire).unwrap();
                    assert!(wire.len() <= room, "{codec}: {longest} of {room}");
                }
            }
        }
    }

    #[test]
    fn the_bytes_around_a_frame_are_measured() {
        for (codec, header, around) in [
            ("raw", &b""[..], 0),
            ("line", b"", 1),
            ("line:crlf", b"", 2),
            (r"line:\x20", b"", 1),
            ("struct:>H", b"\0\x02", 2),
            ("struct:B", b"\x02", 1),
            ("json:>I", b"\0\0\0\x02", 0),
            ("json:bare", b"", 0),
        ] {
            let own = Service::with_codec(codec).unwrap().own().unwrap();
            assert_eq!(own.header(), header, "{codec}");
            // Spaces are no object.
            assert_eq!(
                own.fits(1000),
                (1000 - around).min(own.properties.max_frame),
                "{codec}"
            );
            assert_eq!(own.is_bare_json(), codec == "json:bare");
            let front = [header, b"{}"].concat();
            assert_eq!(own.front(b"{}", 16), front, "{codec}");
            assert_eq!(own.front(b"{}", 1), front[..1], "{codec}");
        }
    }
}
