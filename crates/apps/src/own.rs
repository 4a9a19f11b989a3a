//! The chosen codec, and the questions that the apps ask of it.

use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, CodecRegistry, Content, Framed, NamedCodec, Properties};
use socketry_transport::{BoxSocket, Encoding};

/// A frame that each codec carries which an app runs over, but for one that is delimited by a
/// brace.
const SAMPLE: &[u8] = b"{}";

/// A codec with its name and properties.
#[derive(Debug)]
pub(crate) struct Own {
    /// In its shortest form.
    pub(crate) name: String,
    /// To be cloned: a codec is `Send`, and not `Sync`.
    codec: Mutex<BoxCodec>,
    pub(crate) properties: Properties,
    /// Among which it was chosen.
    pub(crate) codecs: CodecRegistry,
    /// How text is written in its frames, where they are no JSON.
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

    /// The codec, as new.
    pub(crate) fn codec(&self) -> BoxCodec {
        let codec = self.codec.lock().unwrap_or_else(PoisonError::into_inner);
        codec.clone()
    }

    /// The byte that ends its frames, and that none of them holds.
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

    /// Whether its frames are JSON objects and nothing stands around them, so that a program
    /// without a codec speaks it, too.
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

    /// A frame as it goes on the wire; nothing, if the codec cannot carry it.
    pub(crate) fn encoded(&self, frame: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        // A refused frame leaves no trace.
        let _ = self.codec().encode(frame, &mut out);
        out.to_vec()
    }

    /// How many bytes it puts around a frame of up to `len` bytes.
    pub(crate) fn around(&self, len: usize) -> usize {
        let len = len.min(self.properties.max_frame);
        let filler = if self.delimiter() == Some(b' ') {
            b'.'
        } else {
            b' '
        };
        self.encoded(&vec![filler; len]).len().saturating_sub(len)
    }

    /// The first `len` bytes that a peer has sent for `frame`, which this codec found.
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
    fn what_stands_around_a_frame_is_measured() {
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
