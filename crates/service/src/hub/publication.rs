//! One message, on its way into a hub.

use std::any::Any;
use std::sync::Arc;

use socketry_codec::CodecError;

use super::reader::Reader;

/// A value that a hub drops when no pacing reader has to take the message any more.
pub type Receipt = Arc<dyn Any + Send + Sync>;

/// A message, and what is to be known about it. [`Hub::publish`](super::Hub::publish) and
/// [`Reader::send`] are short forms.
///
/// ```
/// # use socketry_service::{Hub, HubLimits, Publication};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let hub = Hub::new(HubLimits::default());
/// // No more than 100 messages are on their way to readers that pace.
/// let pace = std::sync::Arc::new(tokio::sync::Semaphore::new(100));
/// let permit = pace.acquire_owned().await?;
/// hub.put(Publication::to_topic("prices", b"EURUSD 1.0834").receipt(permit))?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Publication<'a> {
    pub(super) to: To<'a>,
    pub(super) frame: &'a [u8],
    pub(super) except: Option<&'a Reader>,
    pub(super) receipt: Option<Receipt>,
    pub(super) mark: u8,
}

#[derive(Clone, Copy)]
pub(super) enum To<'a> {
    Topic(&'a str),
    Reader(&'a Reader),
}

impl<'a> Publication<'a> {
    /// `frame` for all readers of `topic`.
    pub fn to_topic(topic: &'a str, frame: &'a [u8]) -> Self {
        Publication::new(To::Topic(topic), frame)
    }

    /// `frame` for one reader alone.
    pub fn to_reader(reader: &'a Reader, frame: &'a [u8]) -> Self {
        Publication::new(To::Reader(reader), frame)
    }

    fn new(to: To<'a>, frame: &'a [u8]) -> Self {
        Publication {
            to,
            frame,
            except: None,
            receipt: None,
            mark: 0,
        }
    }

    /// Not for this reader, which sent it, say. It does not count as missed there.
    #[must_use]
    pub fn except(self, reader: &'a Reader) -> Self {
        Publication {
            except: Some(reader),
            ..self
        }
    }

    /// Keeps `receipt` until every reader that [paces](super::Joining::paces) has taken the
    /// message, has left, or takes too little. Without such readers it is dropped at once. The
    /// message stays for them beyond the bound of the queue: the number of receipts is its bound.
    #[must_use]
    pub fn receipt(self, receipt: impl Any + Send + Sync) -> Self {
        Publication {
            receipt: Some(Arc::new(receipt)),
            ..self
        }
    }

    /// A mark for the [filters](super::Joining::filter) of readers; default 0.
    #[must_use]
    pub fn mark(self, mark: u8) -> Self {
        Publication { mark, ..self }
    }
}

/// Why a message was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpublished {
    /// The hub has ended.
    #[error("the hub has ended")]
    Ended,
    /// The codec of some readers cannot carry it. No reader gets it.
    #[error("a reader's codec cannot carry the message: {0}")]
    Codec(#[from] CodecError),
}
