//! The first frame of a peer, with a look at whether the peer speaks another codec.

use std::future::Future;
use std::time::Duration;

use socketry_codec::{CodecName, Fault, FrameError, Framed};
use socketry_transport::RecvHalf;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::wrong_codec::{self, PATIENCE};

/// From this length on, in bytes, a line may take its time.
const LONG: usize = 4096;

/// From here on a peer that says nothing is not looked at any more, until it says something.
const SILENT: Duration = Duration::from_secs(120);

/// What `receiving` comes to, but after `patience` nothing.
async fn within<T>(patience: Duration, receiving: impl Future<Output = T>) -> Result<T, Elapsed> {
    match patience < SILENT {
        true => timeout(patience, receiving).await,
        false => Ok(receiving.await),
    }
}

/// What a peer begins with.
#[derive(Debug)]
pub(crate) enum First {
    /// A frame, or the end.
    Frame(Option<Vec<u8>>),
    /// Bytes that are no frame, and the codec that they look like, if any. The conversation may go on
    /// unless the error is fatal.
    Refused(FrameError, Option<CodecName>),
    /// Another codec. The conversation is over.
    Foreign(CodecName),
    /// A line that does not end. The frame may still come.
    Unfinished,
}

/// Waits for the first frame of a peer.
pub(crate) struct Opening {
    own: CodecName,
    /// The keys of which each JSON frame has one.
    keys: &'static [&'static str],
    patience: Duration,
    told: bool,
}

impl Opening {
    pub(crate) fn new(own: CodecName, keys: &'static [&'static str]) -> Self {
        Opening {
            own,
            keys,
            patience: PATIENCE,
            told: false,
        }
    }

    /// What comes first; after [`First::Unfinished`], what comes then. Cancel-safe.
    pub(crate) async fn next<R: RecvHalf>(&mut self, frames: &mut Framed<R>) -> First {
        loop {
            match within(self.patience, frames.recv()).await {
                Ok(Ok(Some(frame))) => {
                    return match self.inside(frame) {
                        Some(theirs) => First::Foreign(theirs),
                        None => First::Frame(Some(frame.to_vec())),
                    };
                }
                Ok(Ok(None)) => return First::Frame(None),
                Ok(Err(error)) => return self.refused(error),
                Err(_) => {
                    // A peer that says nothing is looked at less and less often.
                    self.patience *= 2;
                    if let Some(first) = self.stuck(frames.unread()) {
                        return first;
                    }
                }
            }
        }
    }

    /// A server's words about what was no frame; none about a frame.
    pub(crate) fn words(&self, first: &First) -> String {
        match first {
            First::Frame(_) => String::new(),
            First::Refused(_, Some(theirs)) | First::Foreign(theirs) => {
                wrong_codec::refusal(self.own, *theirs)
            }
            First::Refused(error, None) => error.fault().to_string(),
            First::Unfinished => wrong_codec::unfinished(self.own),
        }
    }

    /// The codec that a frame shows which this one carried.
    fn inside(&self, frame: &[u8]) -> Option<CodecName> {
        match self.own {
            // Their frames are objects anyway, and a line that ends is one.
            CodecName::Json(_) | CodecName::BareJson | CodecName::Line(_) => None,
            // A text may begin with a brace.
            CodecName::Raw => wrong_codec::looks_like(frame, self.own)
                .filter(|theirs| *theirs != CodecName::BareJson)
                .or_else(|| wrong_codec::json_inside(frame, self.own, self.keys)),
            _ => wrong_codec::json_inside(frame, self.own, self.keys),
        }
    }

    fn refused(&self, error: FrameError) -> First {
        // A frame of ours that has no end looks like a text.
        let endless = matches!(error.codec_fault(), Some(Fault::TooLong { len: None, .. }));
        let theirs = match endless {
            true => None,
            false => wrong_codec::looks_like(error.found(), self.own),
        };
        First::Refused(error, theirs)
    }

    /// What to make of a beginning that is followed by nothing.
    fn stuck(&mut self, unread: &[u8]) -> Option<First> {
        if !matches!(self.own, CodecName::Line(_)) {
            return wrong_codec::looks_like(unread, self.own).map(First::Foreign);
        }
        let theirs = wrong_codec::looks_like(unread, self.own)
            // A text may begin with a brace.
            .filter(|theirs| !matches!(theirs, CodecName::BareJson | CodecName::Raw))
            .or_else(|| wrong_codec::json_inside(unread, self.own, self.keys));
        if let Some(theirs) = theirs {
            return Some(First::Foreign(theirs));
        }
        // Somebody may be typing, or speak raw.
        let is_news = (1..LONG).contains(&unread.len()) && !self.told;
        self.told |= is_news;
        is_news.then_some(First::Unfinished)
    }
}
