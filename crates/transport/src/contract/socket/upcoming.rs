//! What a socket that puts messages together says of the next one.

/// What a socket holds of the message that its next receive gives: the answer of
/// [`RecvHalf::upcoming`](super::RecvHalf::upcoming).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upcoming {
    /// Nothing, or the socket does not know. The kernel's sockets never do.
    #[default]
    Unknown,
    /// So many bytes that arrived of one that is not whole yet. They are memory of this process.
    Part(usize),
    /// One of this length, whole: the next receive gives it, or an error.
    Whole(usize),
}

impl Upcoming {
    /// The bytes that are held of a message that is not whole.
    pub fn part(self) -> usize {
        match self {
            Upcoming::Part(bytes) => bytes,
            Upcoming::Unknown | Upcoming::Whole(_) => 0,
        }
    }
}
