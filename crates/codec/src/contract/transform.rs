//! Another form of a frame, between a codec and its user: checked, stuffed, compressed.

use std::fmt;
use std::ops::Range;

use bytes::BytesMut;

use crate::Fault;

/// Turns a frame into another form before a codec sends it, and back behind a codec.
///
/// [`Plus`](crate::Plus) puts one on any codec: `struct:>I+lz4` is a length and that many
/// compressed bytes. A transform does no I/O and knows no position in a stream: it gets one whole
/// frame. The codec below finds the frames and bounds what arrives, and `Plus` bounds what comes
/// out.
///
/// ```
/// use bytes::BytesMut;
/// use socketry_codec::{Codec, Fault, Plus, Reader, Struct, Transform};
///
/// /// Each byte xor another: no protection from anybody.
/// #[derive(Clone)]
/// struct Xor(u8);
///
/// impl Transform for Xor {
///     fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
///         out.extend(frame.iter().map(|byte| byte ^ self.0));
///         Ok(())
///     }
///     fn restore(&mut self, coded: &[u8], _: usize, out: &mut BytesMut) -> Result<(), Fault> {
///         self.apply(coded, out)
///     }
///     fn longest(&self, frame: usize) -> usize {
///         frame
///     }
/// }
///
/// let mut codec = Plus::new(Struct::new(">H".parse()?), Xor(0x20));
/// let mut wire = BytesMut::new();
/// codec.encode(b"HELLO", &mut wire)?;
/// assert_eq!(&wire[..], b"\0\x05hello");
/// let mut reader = Reader::new(codec);
/// reader.push(&wire);
/// assert_eq!(reader.next_frame()?, Some(&b"HELLO"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Compression and secrets
///
/// Encryption hides what is said, and not how long it is. Where a frame holds a secret and text
/// that a stranger chooses, the compressed length tells the stranger, guess by guess, what the
/// secret is like (CRIME and BREACH did so with cookies). So do not compress such frames, or keep
/// the two in frames of their own: each is compressed by itself, and none tells anything of another
/// one.
pub trait Transform: CloneTransform + Send + 'static {
    /// Appends the form of `frame` to `out`.
    ///
    /// # Errors
    /// If the frame has none. What was appended is dropped.
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault>;

    /// Appends the frame whose form is `coded`, any bytes of a peer.
    ///
    /// A frame of more than `max` bytes is a fault, before more bytes than that are appended. `out`
    /// grows with the bytes that are restored, and never to a length that is only claimed.
    ///
    /// # Errors
    /// The fault in these bytes. What was appended is dropped.
    fn restore(&mut self, coded: &[u8], max: usize, out: &mut BytesMut) -> Result<(), Fault>;

    /// Where the frame stands in `coded` as it is, so that no byte has to be copied: before a
    /// checksum, say. `None`, the default, is always right: [`restore`](Transform::restore) is
    /// asked then.
    ///
    /// # Errors
    /// As [`restore`](Transform::restore).
    fn find(&self, coded: &[u8]) -> Result<Option<Range<usize>>, Fault> {
        let _ = coded;
        Ok(None)
    }

    /// The most bytes that the form of a frame of `frame` bytes can have, as a peer may write it. A
    /// longer frame has no less. `usize::MAX` where that would overflow.
    fn longest(&self, frame: usize) -> usize;

    /// Whether the form of a frame does not depend on the frames before it; by default it does not.
    fn is_stateless(&self) -> bool {
        true
    }
}

/// Cloning a boxed transform. Every `Clone` transform has it.
pub trait CloneTransform {
    /// A transform of the same kind and in the same state.
    fn clone_transform(&self) -> BoxTransform;
}

impl<T: Transform + Clone> CloneTransform for T {
    fn clone_transform(&self) -> BoxTransform {
        Box::new(self.clone())
    }
}

/// A transform of any kind, chosen when the program runs.
pub type BoxTransform = Box<dyn Transform>;

impl Clone for BoxTransform {
    fn clone(&self) -> Self {
        (**self).clone_transform()
    }
}

impl fmt::Debug for BoxTransform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxTransform")
    }
}

impl Transform for BoxTransform {
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        (**self).apply(frame, out)
    }
    fn restore(&mut self, coded: &[u8], max: usize, out: &mut BytesMut) -> Result<(), Fault> {
        (**self).restore(coded, max, out)
    }
    fn find(&self, coded: &[u8]) -> Result<Option<Range<usize>>, Fault> {
        (**self).find(coded)
    }
    fn longest(&self, frame: usize) -> usize {
        (**self).longest(frame)
    }
    fn is_stateless(&self) -> bool {
        (**self).is_stateless()
    }
}
