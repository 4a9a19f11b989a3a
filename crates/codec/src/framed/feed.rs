//! Feeding many frames in one call.

use std::future::poll_fn;

use socketry_transport::SendHalf;

use super::send::LARGE;
use super::{FrameError, Framed};
use crate::Codec;

/// Not all frames of [`Framed::feed_many`] were fed: how many were, and why not the next.
///
/// As a [`FrameError`], which `?` makes of it where that is what a function gives, it says the
/// reason alone.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct FeedError {
    /// How many frames were fed. The next one was taken from the iterator, and was not.
    pub fed: usize,
    /// What is the matter with the next.
    #[source]
    pub error: FrameError,
}

impl From<FeedError> for FrameError {
    fn from(error: FeedError) -> Self {
        error.error
    }
}

impl<S: SendHalf, C: Codec> Framed<S, C> {
    /// [Feeds](Framed::feed) all frames that `frames` gives, and says how many those were. [`flush`](Framed::flush) writes what
    /// is left of them.
    ///
    /// ```
    /// use socketry_codec::{Framed, Line};
    /// use socketry_transport::{Listener, connect, listen};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut server = listen("tcp://127.0.0.1:0").await?;
    /// let mut client = Framed::new(connect(server.local()).await?, Line::new());
    /// let mut frames = ["one", "two", "this\none is refused", "three"].iter();
    ///
    /// let refused = client.feed_many(&mut frames).await.unwrap_err();
    /// assert_eq!(refused.fed, 2);
    /// assert_eq!(client.feed_many(frames).await?, 1); // "three" was still to come
    /// client.flush().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// Cancel-safe, if `frames` is a `&mut` of an iterator that you keep: a frame is taken from it
    /// only when there is room, and is then fed at once, so that those it still has when the future
    /// was dropped are those that were not fed. Where it waits it has taken a frame only to write
    /// that from where it lies (128 KiB or more), and such a frame goes out whole or not at all, as
    /// with [`send`](Framed::send).
    ///
    /// # Errors
    /// As [`feed`](Framed::feed), about one frame; those before it are fed.
    pub async fn feed_many<F: AsRef<[u8]>>(
        &mut self,
        frames: impl IntoIterator<Item = F>,
    ) -> Result<usize, FeedError> {
        let (mut frames, mut fed) = (frames.into_iter(), 0);
        let full = self.feed_all(&mut frames, &mut fed).await;
        full.map_err(|error| FeedError { fed, error })?;
        Ok(fed)
    }

    async fn feed_all<F: AsRef<[u8]>>(
        &mut self,
        frames: &mut impl Iterator<Item = F>,
        fed: &mut usize,
    ) -> Result<(), FrameError> {
        loop {
            match self.feed_here(frames, fed)? {
                Stop::End => return Ok(()),
                Stop::Full => poll_fn(|cx| self.poll_drain(cx)).await?,
                Stop::Large(frame) => {
                    self.feed_waiting(frame.as_ref()).await?;
                    *fed += 1;
                }
            }
        }
    }

    /// Feeds as many frames as there is room for.
    fn feed_here<F: AsRef<[u8]>>(
        &mut self,
        frames: &mut impl Iterator<Item = F>,
        fed: &mut usize,
    ) -> Result<Stop<F>, FrameError> {
        while self.has_room() {
            let Some(frame) = frames.next() else {
                return Ok(Stop::End);
            };
            if frame.as_ref().len() >= LARGE {
                return Ok(Stop::Large(frame));
            }
            self.encode(frame.as_ref())?;
            *fed += 1;
        }
        Ok(Stop::Full)
    }
}

/// Why feeding stops.
enum Stop<F> {
    /// There is no other frame.
    End,
    /// There is no room for another.
    Full,
    /// This one is not gathered with others.
    Large(F),
}
