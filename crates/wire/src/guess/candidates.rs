//! What is tried: the wires of the catalogue, and plain lengths and lines.

use socketry_codec::catalogue::{Form, WIRES};
use socketry_codec::{BoxCodec, CodecRegistry, Layout};

use super::content::{self, Content};
use super::evidence::SURE;
use super::records;

/// A codec, and what its protocol sends before the first frame.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) codec: BoxCodec,
    /// Of codecs that give out whole frames, to know what is payload.
    pub(super) layout: Option<Layout>,
    pub(super) content: Content,
    pub(super) opening: Option<&'static Opening>,
    /// What speaks for it before any frame is looked at, in bits.
    pub(super) spoken: f64,
}

/// What a peer sends before the frames.
pub(super) struct Opening {
    /// The protocol.
    wire: &'static str,
    pub(super) words: &'static str,
    pub(super) form: Begin,
}

pub(super) enum Begin {
    /// Always these bytes.
    Bytes(&'static [u8]),
    /// A frame or two of another codec.
    Frames(&'static str),
}

static OPENINGS: &[Opening] = &[
    // RFC 9113, section 3.4.
    Opening {
        wire: "http2",
        words: "the preface of an HTTP/2 client",
        form: Begin::Bytes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    },
    // AMQP 0-9-1, section 4.2.2.
    Opening {
        wire: "amqp",
        words: "the header of an AMQP client",
        form: Begin::Bytes(b"AMQP\x00\x00\x09\x01"),
    },
    // PostgreSQL, protocol 3.0, message flow, SSL session encryption.
    Opening {
        wire: "postgres",
        words: "the answer of a PostgreSQL server that does not encrypt",
        form: Begin::Bytes(b"N"),
    },
    Opening {
        wire: "postgres",
        words: "the first messages of a PostgreSQL client, as postgres-startup",
        form: Begin::Frames("postgres-startup"),
    },
];

/// Codecs that are no wire of the catalogue. Formats of which one is the same as a wire tell which
/// general form that has.
const GENERAL: &[&str] = &[
    "line:crlf",
    "line",
    "json:bare",
    "struct:B",
    "struct:>H",
    "struct:<H",
    "struct:>u24",
    "struct:>I",
    "struct:<I",
    "struct:>Q",
    "struct:<Q",
    "struct:varint5",
];

pub(super) fn candidates() -> impl Iterator<Item = Candidate> {
    let wires = WIRES.iter().flat_map(|wire| {
        let layout = match wire.form {
            Form::Layout(text) => text.parse::<Layout>().ok(),
            _ => None,
        };
        let whole = layout.filter(Layout::is_whole);
        let openings = OPENINGS.iter().filter(|opening| opening.wire == wire.name);
        let openings = std::iter::once(None).chain(openings.map(Some));
        openings.filter_map(move |opening| candidate(wire.name, whole.clone(), opening))
    });
    let general = GENERAL
        .iter()
        .filter_map(|name| candidate(name, None, None));
    wires.chain(general)
}

/// Records of one length, which only the bytes tell.
pub(super) fn of_records(bytes: &[u8]) -> Option<Candidate> {
    let (len, spoken) = records::length(bytes)?;
    // With no header, little speaks for a record that the capture cuts.
    let possible = bytes.len().is_multiple_of(len) || spoken >= SURE;
    let len = possible.then_some(len)?;
    let candidate = candidate(&format!("fixed:{len}"), None, None)?;
    Some(Candidate {
        spoken: spoken.min(SURE),
        ..candidate
    })
}

fn candidate(
    name: &str,
    layout: Option<Layout>,
    opening: Option<&'static Opening>,
) -> Option<Candidate> {
    Some(Candidate {
        name: name.to_owned(),
        codec: CodecRegistry::catalogue().build(name).ok()?,
        layout,
        content: content::of(name),
        opening,
        spoken: 0.0,
    })
}
