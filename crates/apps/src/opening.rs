//! The first frame of a client, with a look at whether the client speaks another codec.

use std::time::Duration;

use socketry_codec::{CodecName, Fault, FrameError, Framed};
use socketry_transport::RecvHalf;
use tokio::time::timeout;

use crate::wrong_codec::{self, PATIENCE};

/// From this length on, in bytes, a line may take its time.
const LONG: usize = 4096;

/// What a client begins with.
#[derive(Debug)]
pub(crate) enum First {
    /// A frame, or the end.
    Frame(Option<Vec<u8>>),
    /// Bytes that are no frame, and words for the client. The conversation may go on unless the error
    /// is fatal.
    Refused(String, FrameError),
    /// Another codec. The words are the last that the client is told.
    Foreign(String),
    /// A text that does not end. The words are for the client, and the frame may still come.
    Unfinished(String),
}

/// Waits for the first frame of a client.
pub(crate) struct Opening {
    own: CodecName,
    /// The keys of which each JSON request of the app has one.
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
            match timeout(self.patience, frames.recv()).await {
                Ok(Ok(Some(frame))) => match self.inside(frame) {
                    Some(theirs) => return First::Foreign(self.words(theirs)),
                    None => return First::Frame(Some(frame.to_vec())),
                },
                Ok(Ok(None)) => return First::Frame(None),
                Ok(Err(error)) => return First::Refused(self.refusal(&error), error),
                Err(_) => {
                    // A client that says nothing is looked at less and less often.
                    self.patience = self.patience.saturating_mul(2);
                    if let Some(first) = self.stuck(frames.unread()) {
                        return first;
                    }
                }
            }
        }
    }

    /// The codec that a frame shows which this one carried.
    fn inside(&self, frame: &[u8]) -> Option<CodecName> {
        match self.own {
            // Their frames are objects anyway.
            CodecName::Json(_) | CodecName::BareJson => None,
            // A text may begin with a brace.
            CodecName::Raw => wrong_codec::looks_like(frame, self.own)
                .filter(|theirs| *theirs != CodecName::BareJson)
                .or_else(|| wrong_codec::json_inside(frame, self.own, self.keys)),
            _ => wrong_codec::json_inside(frame, self.own, self.keys),
        }
    }

    /// What to make of a beginning that is followed by nothing.
    fn stuck(&mut self, unread: &[u8]) -> Option<First> {
        let theirs = match self.own {
            CodecName::Line(_) => wrong_codec::looks_like(unread, self.own)
                .filter(|theirs| *theirs != CodecName::BareJson)
                .or_else(|| wrong_codec::json_inside(unread, self.own, self.keys))
                .or_else(|| (1..LONG).contains(&unread.len()).then_some(CodecName::Raw))?,
            _ => wrong_codec::looks_like(unread, self.own)?,
        };
        if !matches!((self.own, theirs), (CodecName::Line(_), CodecName::Raw)) {
            return Some(First::Foreign(self.words(theirs)));
        }
        // Somebody may be typing.
        let first_time = !std::mem::replace(&mut self.told, true);
        let notice = wrong_codec::notice(self.own);
        first_time.then(|| First::Unfinished(format!("{notice}: a line ends with its delimiter")))
    }

    fn words(&self, theirs: CodecName) -> String {
        wrong_codec::refusal(self.own, format_args!("this looks like the codec {theirs}"))
    }

    /// Words about a first frame that was refused: the codec that it is of, or else what is wrong.
    fn refusal(&self, error: &FrameError) -> String {
        // A frame of ours that has no end looks like a text.
        let endless = matches!(error.codec_fault(), Some(Fault::TooLong { len: None, .. }));
        match wrong_codec::looks_like(error.found(), self.own) {
            Some(theirs) if !endless => self.words(theirs),
            _ => error.fault().to_string(),
        }
    }
}
