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

    /// How many bytes it adds to a frame of up to `len` bytes.
    pub(crate) fn around(&self, len: usize) -> usize {
        let len = len.min(self.properties.max_frame);
        let filler = if self.delimiter() == Some(b' ') {
            b'.'
        } else {
            b' '
        };
        self.encoded(&vec![filler; len]).len().saturating_sub(len)
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

#[cfg(test)]
mod tests {
    use crate::Service;

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
            assert_eq!(own.around(1000), around, "{codec}");
            assert_eq!(own.is_bare_json(), codec == "json:bare");
            let front = [header, b"{}"].concat();
            assert_eq!(own.front(b"{}", 16), front, "{codec}");
            assert_eq!(own.front(b"{}", 1), front[..1], "{codec}");
        }
    }
}
