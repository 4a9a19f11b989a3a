//! Frames to be sent, one after another.

/// The source of frames for [`Codec::encode_many`](crate::Codec::encode_many): an iterator that
/// lends them.
pub trait FrameSource {
    /// The next frame; `None` if there is no other one to encode now.
    fn next_frame(&mut self) -> Option<&[u8]>;
}
