//! Frames to be sent, one after another.

/// Where [`Codec::encode_many`](crate::Codec::encode_many) takes frames from: an iterator that
/// lends them.
pub trait FrameSource {
    /// The next frame; `None` if there is none, or none that is to be encoded with these.
    fn next_frame(&mut self) -> Option<&[u8]>;
}
