//! Feeding many frames in one call.

use std::future::poll_fn;

use socketry_transport::SendHalf;

use super::send::LARGE;
use super::{FrameError, Framed, Output};
use crate::{Codec, CodecError, FrameSource};

/// [`Framed::feed_many`] could not feed all frames: the number of those that it fed, and the error
/// of the next.
///
/// In a function that gives a [`FrameError`], `?` turns it into its `error` alone.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct FeedError {
    /// The number of frames that were fed. If the error [is not fatal](FrameError::is_fatal), it is
    /// about the next one, which was taken from the iterator.
    pub fed: usize,
    /// The error.
    #[source]
    pub error: FrameError,
}

impl From<FeedError> for FrameError {
    fn from(error: FeedError) -> Self {
        error.error
    }
}

impl<S: SendHalf, C: Codec> Framed<S, C> {
    /// [Feeds](Framed::feed) all frames that `frames` gives, and gives their number.
    /// [`flush`](Framed::flush) writes those that still wait.
    ///
    /// ```
    /// use socketry_codec::{Framed, Line};
    /// use socketry_transport::{Listener, connect, listen};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
    /// Cancel-safe, if `frames` is a `&mut` of an iterator that you keep. A frame is taken from it
    /// only when there is room, and is then fed at once. So after the future was dropped, the
    /// iterator still has the frames that were not fed. One exception is a frame of 128 KiB or
    /// more, which is taken and then written without a copy: it is sent whole or not at all, as
    /// with [`send`](Framed::send).
    ///
    /// # Errors
    /// As [`feed`](Framed::feed), about one frame. Those before it are fed.
    pub async fn feed_many<F: AsRef<[u8]>>(
        &mut self,
        frames: impl IntoIterator<Item = F>,
    ) -> Result<usize, FeedError> {
        let mut source = Source::new(frames.into_iter());
        match self.feed_all(&mut source).await {
            Ok(()) => Ok(source.fed),
            Err(error) => Err(FeedError {
                fed: source.fed,
                error,
            }),
        }
    }

    async fn feed_all<F, I>(&mut self, source: &mut Source<I, F>) -> Result<(), FrameError>
    where
        F: AsRef<[u8]>,
        I: Iterator<Item = F>,
    {
        loop {
            self.feed_here(source)?;
            match source.stop.take() {
                None => poll_fn(|cx| self.poll_drain(cx)).await?,
                Some(Stop::End) => return Ok(()),
                Some(Stop::Large(frame)) => {
                    self.feed_waiting(frame.as_ref()).await?;
                    source.fed += 1;
                }
            }
        }
    }

    /// Feeds as many frames as there is room for.
    fn feed_here(&mut self, source: &mut impl Counted) -> Result<(), FrameError> {
        self.may_send()?;
        if self.output.takes_bytes() {
            let Output {
                buf, high_water, ..
            } = &mut self.output;
            let before = source.given();
            let encoded = self.codec.encode_many(source, buf, *high_water);
            let stuck = source.given() == before && source.goes_on() && self.has_room();
            return match encoded {
                // The loop would never end.
                Ok(()) if stuck => Err(self.codec_refused(CodecError::unsound())),
                Ok(()) => Ok(()),
                Err(error) => {
                    if source.given() > before {
                        source.refuse();
                    }
                    Err(self.codec_refused(error))
                }
            };
        }
        while self.has_room() {
            let Some(frame) = source.next_frame() else {
                break;
            };
            if let Err(error) = self.encode(frame) {
                source.refuse();
                return Err(error);
            }
        }
        Ok(())
    }
}

/// The frames of an iterator, lent one at a time.
struct Source<I, F> {
    frames: I,
    /// The frame that is lent.
    lent: Option<F>,
    /// The number of frames that were lent and not refused.
    fed: usize,
    /// The reason for which no other frame is lent, if there is one.
    stop: Option<Stop<F>>,
}

enum Stop<F> {
    /// The iterator has ended.
    End,
    /// This frame is not gathered with others.
    Large(F),
}

trait Counted: FrameSource {
    /// The last one was not fed.
    fn refuse(&mut self);
    /// The number of frames that were given out and not refused.
    fn given(&self) -> usize;
    /// Whether it may have more frames for the codec.
    fn goes_on(&self) -> bool;
}

impl<I, F> Source<I, F> {
    fn new(frames: I) -> Self {
        Source {
            frames,
            lent: None,
            fed: 0,
            stop: None,
        }
    }
}

impl<F: AsRef<[u8]>, I: Iterator<Item = F>> FrameSource for Source<I, F> {
    #[inline]
    fn next_frame(&mut self) -> Option<&[u8]> {
        if self.stop.is_some() {
            return None;
        }
        let Some(frame) = self.frames.next() else {
            self.stop = Some(Stop::End);
            return None;
        };
        if frame.as_ref().len() >= LARGE {
            self.stop = Some(Stop::Large(frame));
            return None;
        }
        self.fed += 1;
        let lent: &F = self.lent.insert(frame);
        Some(lent.as_ref())
    }
}

impl<F: AsRef<[u8]>, I: Iterator<Item = F>> Counted for Source<I, F> {
    fn refuse(&mut self) {
        self.fed -= 1;
    }
    fn given(&self) -> usize {
        self.fed
    }
    fn goes_on(&self) -> bool {
        self.stop.is_none()
    }
}
