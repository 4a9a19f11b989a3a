//! A file that goes over: how it is told, and how the other side's last word confirms it.

use std::time::{Duration, Instant};

use socketry_codec::FrameFault;
use tokio::time::timeout;

use super::digest::Digests;
use super::header::{Answer, Status};
use super::part::Storing;
use super::wire::{Trouble, Wire};
use crate::AppError;

/// How long the last word of a server is waited for that may not know that there is one.
pub(super) const LAST_WORD: Duration = Duration::from_secs(5);

/// What a user allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// How files are stored, here and there.
    pub(super) storing: Storing,
    /// To do without the word of a server that the file is whole.
    pub(super) unconfirmed: bool,
}

impl Default for Allowed {
    fn default() -> Self {
        let replace = false;
        Allowed {
            storing: Storing {
                replace,
                ..Storing::default()
            },
            unconfirmed: false,
        }
    }
}

/// What is told of a transfer while it goes on: the bytes so far, and all of them where that is
/// known.
pub(super) type Progress<'a> = &'a mut (dyn FnMut(u64, Option<u64>) + Send);

/// A file that went over, whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Transfer {
    /// Its size.
    pub bytes: u64,
    /// How long it took, from the request to the last word.
    pub elapsed: Duration,
    /// The digest of what was sent or received.
    pub blake3: blake3::Hash,
    /// Whether the server told the same digest. Over `raw` nobody does; servers of few lines
    /// neither, and they are believed only by who says so
    /// ([`Client::unconfirmed`](super::Client::unconfirmed)).
    pub confirmed: bool,
}

impl Transfer {
    pub(super) fn whole(bytes: u64, blake3: blake3::Hash, confirmed: bool) -> Self {
        Transfer {
            bytes,
            elapsed: Duration::ZERO,
            blake3,
            confirmed,
        }
    }

    pub(super) fn took(self, since: Instant) -> Self {
        Transfer {
            elapsed: since.elapsed(),
            ..self
        }
    }
}

/// Why a file did not come to its end. A server that has begun to send a file can say only so that
/// something is wrong with it.
pub(super) fn broken_off(trouble: Trouble) -> AppError {
    match trouble {
        Trouble::Failed(error)
            if matches!(error.fault(), FrameFault::BodyCut(_) | FrameFault::Io(_)) =>
        {
            AppError::failed(format_args!(
                "{error}; the server broke it off: did it end, or the file become shorter?"
            ))
        }
        trouble => trouble.into(),
    }
}

/// The answer behind a body; `None` from a server that ends, or is silent for so long, instead.
pub(super) async fn last_word(
    wire: &mut Wire,
    patience: Duration,
) -> Result<Option<Answer>, AppError> {
    match timeout(patience, wire.recv_json::<Answer>()).await {
        Ok(Ok(word)) => word.map(Answer::or_error).transpose(),
        // What follows is not of this protocol.
        Ok(Err(error)) if matches!(error.fault(), FrameFault::Codec(_)) => Ok(None),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Whether the last word confirms the digest; an error if it contradicts.
pub(super) fn confirmed(word: Answer, blake3: blake3::Hash) -> Result<bool, AppError> {
    let told = word.digest.unwrap_or_default();
    told.check(&Digests {
        blake3: Some(blake3.to_hex().to_string()),
        md5: told.md5.clone(),
        sha256: told.sha256.clone(),
    })?;
    Ok(word.status == Status::Done && told.blake3.is_some())
}
