//! A transfer: its progress, and how the last answer of the other side confirms it.

use std::time::{Duration, Instant};

use socketry_codec::FrameFault;
use tokio::time::timeout;

use super::digest::Digests;
use super::header::{Answer, Status};
use super::part::Storing;
use super::wire::{Trouble, Wire};
use crate::AppError;

/// How long to wait for the last answer of a server that may not send one.
pub(super) const LAST_WORD: Duration = Duration::from_secs(5);

/// The user's choices for transfers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// How files are stored, on both sides.
    pub(super) storing: Storing,
    /// Whether to accept a file that the server does not confirm.
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

/// Called during a transfer with the bytes so far, and with their total if it is known.
pub(super) type Progress<'a> = &'a mut (dyn FnMut(u64, Option<u64>) + Send);

/// A file that was transferred whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Transfer {
    /// Its size.
    pub bytes: u64,
    /// How long it took, from the request to the last answer.
    pub elapsed: Duration,
    /// The digest of the bytes that were sent or received.
    pub blake3: blake3::Hash,
    /// Whether the server reported the same digest. Over `raw` no server does. Simple servers do
    /// not either, and are trusted only with [`Client::unconfirmed`](super::Client::unconfirmed).
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

/// Why a file ended too early. A server that has begun to send a file can report an error only by
/// breaking off.
pub(super) fn broken_off(trouble: Trouble) -> AppError {
    match trouble {
        Trouble::Failed(error)
            if matches!(error.fault(), FrameFault::BodyCut(_) | FrameFault::Io(_)) =>
        {
            AppError::failed(format_args!(
                "{error}; the server broke it off: did it end, has it a limit of time, \
                 or did the file become shorter?"
            ))
        }
        trouble => trouble.into(),
    }
}

/// The answer after a body. `None` if the server ends the connection instead, or is silent for
/// `patience`.
pub(super) async fn last_word(
    wire: &mut Wire,
    patience: Duration,
) -> Result<Option<Answer>, AppError> {
    match timeout(patience, wire.recv_json::<Answer>()).await {
        Ok(Ok(word)) => word.map(Answer::or_error).transpose(),
        // The bytes that follow are not of this protocol.
        Ok(Err(error)) if matches!(error.fault(), FrameFault::Codec(_)) => Ok(None),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Whether the last answer confirms the digest. An error if it contradicts.
pub(super) fn confirmed(word: Answer, blake3: blake3::Hash) -> Result<bool, AppError> {
    let told = word.digest.unwrap_or_default();
    told.check(&Digests {
        blake3: Some(blake3.to_hex().to_string()),
        md5: told.md5.clone(),
        sha256: told.sha256.clone(),
    })?;
    Ok(word.status == Status::Done && told.blake3.is_some())
}
