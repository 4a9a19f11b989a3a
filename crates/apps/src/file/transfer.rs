//! A file that goes over: how it is told, and how the other side's last word confirms it.

use std::time::{Duration, Instant};

use socketry_codec::FrameFault;
use tokio::time::timeout;

use super::digest::Digests;
use super::header::{Answer, Status};
use super::wire::Wire;
use crate::AppError;

/// How long the last word of a server is waited for that may not know that there is one.
pub(super) const LAST_WORD: Duration = Duration::from_secs(10);

/// What is told of a transfer while it goes on: the bytes so far, and all of them where that is known.
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
    /// Whether the server told the same digest. Servers of few lines, and `raw`, have none.
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

/// The answer behind a body; `None` from a server that ends, or is silent, instead.
pub(super) async fn last_word(wire: &mut Wire) -> Result<Option<Answer>, AppError> {
    match timeout(LAST_WORD, wire.recv_json::<Answer>()).await {
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
