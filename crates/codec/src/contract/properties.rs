//! The properties of a codec, for programs that run over any codec.

/// The guarantees of a codec that a program can rely on:
/// [`Codec::properties`](crate::Codec::properties).
///
/// The default is that of most codecs: frames of any bytes, which arrive over a stream as they were
/// sent, each encoded by itself, with no known limit.
///
/// ```
/// use socketry_codec::{BoxCodec, Codec, Content};
///
/// let codec: BoxCodec = "struct:B".parse()?;
/// let properties = codec.properties();
/// assert_eq!((properties.content, properties.max_frame), (Content::Bytes, 255));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Properties {
    /// Whether a frame that was sent over a stream arrives as one frame. Default true. Over
    /// datagrams a frame always does.
    pub boundaries: bool,
    /// The frames that it carries. Default [`Content::Bytes`].
    pub content: Content,
    /// The longest frame that it sends, in bytes. Default `usize::MAX`: no known limit.
    pub max_frame: usize,
    /// The shortest frame that it sends, in bytes. Default 0.
    pub min_frame: usize,
    /// Whether the encoding of a frame does not depend on the frames before it, so that one
    /// encoding can be sent to many peers. Default true. A codec that counts, encrypts or
    /// compresses across frames is not stateless.
    pub stateless: bool,
}

/// The frames that a codec carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Any bytes, of any length from the shortest up to the longest.
    Bytes,
    /// Any bytes but this one, which ends a frame. (A `\r` at the end of a frame may count as a
    /// part of the delimiter `\n`.)
    Delimited(u8),
    /// JSON objects, and nothing else.
    Json,
    /// Frames of a form of its own: records, numbers, some bytes only.
    Other,
}

impl Default for Properties {
    fn default() -> Self {
        Properties {
            boundaries: true,
            content: Content::Bytes,
            max_frame: usize::MAX,
            min_frame: 0,
            stateless: true,
        }
    }
}

impl Properties {
    /// The same, but frames have no boundaries on a stream.
    #[must_use]
    pub fn without_boundaries(self) -> Self {
        let boundaries = false;
        Properties { boundaries, ..self }
    }

    /// The same, but the bytes of a frame depend on the frames before it.
    #[must_use]
    pub fn stateful(self) -> Self {
        let stateless = false;
        Properties { stateless, ..self }
    }

    /// The same with this content.
    #[must_use]
    pub fn carrying(self, content: Content) -> Self {
        Properties { content, ..self }
    }

    /// The same with this longest frame in bytes.
    #[must_use]
    pub fn at_most(self, max_frame: usize) -> Self {
        Properties { max_frame, ..self }
    }

    /// The same with this shortest frame in bytes.
    #[must_use]
    pub fn at_least(self, min_frame: usize) -> Self {
        Properties { min_frame, ..self }
    }
}
