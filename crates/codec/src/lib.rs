//! Frames: codecs by name, which find where a frame begins and ends, and `Framed`, which joins a
//! codec with a socket.
//!
//! | codec | names | a frame is |
//! |---|---|---|
//! | [`Raw`] | `raw` | one read of a stream, or one datagram |
//! | [`Line`] | `line`, `line:crlf`, `line:\0` | the bytes before a delimiter |
//! | [`Delimited`] | `line:0x0d0a2e0d0a` | the bytes before a delimiter of several bytes |
//! | [`Fixed`] | `fixed:16` | that many bytes |
//! | [`Struct`] | `struct`, `struct:<i`, `struct:>H`, … | a Python `struct` integer, then that many bytes |
//! | [`Syslog`] | `syslog` | a message, counted or in a line |
//! | [`JsonSeq`] | `json-seq` | a JSON text behind a separator of its own |
//! | [`Slip`], [`Cobs`] | `slip`, `cobs` | bytes between delimiters, stuffed so that they hold none |
//! | [`Json`], [`BareJson`] | `json`, `json:>I`, `json:bare` | a JSON object, after its length or ending at its own brace |
//!
//! Behind a `+` stands a [`Transform`]: a checksum, as in `cobs+crc16:ibm-sdlc` ([`Crc`]), or a
//! compression, as in `struct:>I+zstd`, `+lz4`, `+deflate` and `+zlib`.
//!
//! A [`Codec`] does no I/O, and copies a frame only where its bytes are not those of the wire: it
//! gets the bytes that arrived, and gives the position of a frame in them. The error for bad bytes
//! has [the number of bytes to pass over](CodecError::skip), so that one bad frame need not end a
//! connection. Each length has a [limit](limits).
//!
//! ```
//! use socketry_codec::{BoxCodec, Reader};
//!
//! let codec: BoxCodec = "struct:>H".parse()?;
//! let mut reader = Reader::new(codec);
//! reader.push(b"\x00\x05hello\x00\x05wor");
//! assert_eq!(reader.next_frame()?, Some(&b"hello"[..]));
//! assert_eq!(reader.next_frame()?, None); // the rest of the second one is still to come
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Choosing a codec
//!
//! | you want | name | a frame may hold | know that |
//! |---|---|---|---|
//! | any bytes, and speed | `struct:>I`; other formats for other peers | any bytes, up to 8 MiB | Python packs and unpacks it in one line; `struct` alone is Python's `i` |
//! | a peer with a header of its own | `struct:1x,varint4` (MQTT), `struct:0x0300,>H=frame` (TPKT), `struct:digits,0x3a,data,0x2c` (netstring): a [`Layout`]; many have [names](catalogue): `lsp`, `mqtt`, `netstring` | its payload or the whole frame, up to 8 MiB | [`LayoutCodec`] writes and checks what the layout knows |
//! | text that a person, `nc` or a log can read | `line`, `line:crlf` | anything but its delimiter, up to 8 MiB | JSON in lines is [`Line`] with values in [`Json`] |
//! | a header that describes the file or stream after it | `json`, `json:>I` | a JSON object of at most 64 KiB | the body after it has no limit: `Framed::body` |
//! | a peer that writes JSON objects and no lengths | `json:bare` | a JSON object of at most 8 MiB, nested up to 128 levels | every byte is looked at, so large frames cost more than with a length |
//! | frames on a serial line, with noise | `slip+crc16:ibm-sdlc`, `cobs+crc32:iso-hdlc` | any bytes, up to 8 MiB | after damage the next frame is found; `slip` alone carries no empty frame |
//! | datagrams as they are, or a stream as it comes | `raw` | a datagram; over a stream, the bytes of one read | **over a stream it keeps no boundaries**: two sends may arrive as one |
//!
//! The limits are defaults. Each codec but `raw` has `max_frame`, and `max_discard` for frames that
//! are passed over. Over datagrams each frame is sent as one datagram, with any codec.
//! `Framed::typed` sends and receives values of your own types over any codec, in JSON or in
//! another [format](Pack). A program reads a [`BoxCodec`] or a [`CodecSpec`] from its
//! configuration.
//!
//! # Features
//!
//! * `net` (default): `Framed`, bodies and `Sender`, over `socketry-transport` and tokio. Without
//!   it this crate depends on no runtime, and has only the codecs.
//! * `serde` (default): [`CodecSpec`] from configuration files.
//! * `json` (default): frames as values of your own types: the format [`Json`] of `Framed::typed`,
//!   `Framed::recv_json` and `Framed::send_json`. Other formats need no feature, only [`Pack`] and
//!   [`Unpack`].
//! * `zstd`, `lz4`, `deflate`: frames that are compressed one by one, behind a `+` in the name of
//!   any codec that carries any bytes: `struct:>I+zstd`. The last one also brings `zlib`.
//! * `tokio-util`: the same codecs as that crate's `Decoder` and `Encoder`, through `Compat`.
#![forbid(unsafe_code)]

mod codecs;
#[cfg(feature = "tokio-util")]
mod compat;
mod contract;
#[cfg(feature = "net")]
mod framed;
mod reader;
mod registry;
mod value;

#[cfg(feature = "deflate")]
pub use codecs::Deflate;
#[cfg(feature = "lz4")]
pub use codecs::Lz4;
#[cfg(feature = "zstd")]
pub use codecs::Zstd;
pub use codecs::{
    BareJson, Cobs, ContentLength, Counts, Crc, Delimited, Delimiter, Ending, Fixed, Format, Json,
    JsonSeq, Layout, LayoutBuilder, LayoutCodec, LayoutError, Length, Line, Part, Plus, Raw, Slip,
    Struct, Syslog, UnknownCrc, UnknownEnding, UnknownFormat,
};
#[cfg(feature = "tokio-util")]
pub use compat::Compat;
pub use contract::{
    Affix, Ahead, BoxCodec, BoxTransform, Cause, CloneCodec, CloneTransform, Codec, CodecError,
    Content, Decoded, End, Fault, FrameSource, Properties, Transform, limits,
};
#[cfg(feature = "net")]
pub use framed::{
    Body, BodyWriter, FeedError, FrameError, FrameFault, Framed, FramedParts, Frames, Meter,
    MidFrame, Sender, Strangers, Typed, TypedSender, Waiting, Watch,
};
pub use reader::Reader;
pub use registry::{CodecRegistry, CodecSpec, NamedCodec, Parameters, SpecError, catalogue};
pub use value::{BoxError, Pack, Unpack};

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
