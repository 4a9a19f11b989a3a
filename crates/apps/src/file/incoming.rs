//! Arriving bytes on their way to where they are stored.

use std::fs::File;
use std::io;

use super::attributes::Attributes;
use super::digest::{Digests, Hasher};
use super::limits::Allowance;
use super::part::Part;
use super::place::{not_stored, problem};
use super::pump::Sink;
use crate::AppError;

/// Where arriving bytes are stored.
pub(super) enum Target {
    /// In a part file, which gets its name once it is whole.
    Part(Part),
    /// In a stream that passes each byte on: a FIFO, a terminal, `/dev/null`.
    Stream,
}

/// A file that arrives. If it is dropped, it leaves nothing behind.
pub(super) struct Incoming {
    target: Target,
    sink: Sink,
    shown: String,
    allowance: Allowance,
}

/// A file that has arrived whole, to be checked and then kept.
pub(super) struct Arrived {
    target: Target,
    file: File,
    hasher: Hasher,
    shown: String,
    allowance: Allowance,
}

impl Incoming {
    /// The bytes are written to `file`, which errors call `shown`. All digests in `claimed` are
    /// computed.
    pub(super) fn new(target: Target, file: File, claimed: &Digests, shown: String) -> Self {
        Incoming {
            target,
            sink: Sink::new(file, Hasher::for_claim(claimed)),
            shown,
            allowance: Allowance::default(),
        }
    }

    /// It takes no more than that.
    pub(super) fn within(self, allowance: Allowance) -> Self {
        Incoming { allowance, ..self }
    }

    /// Writes the next bytes. After an error it must not be used any more.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), AppError> {
        let allowed = self.allowance.add(bytes.len()).await;
        allowed.map_err(|error| problem(&self.shown, error))?;
        let written = self.sink.write(bytes).await;
        written.map_err(|error| failed(&self.target, &self.shown, &error))
    }

    /// Waits until all has been written.
    pub(super) async fn finish(self) -> Result<Arrived, AppError> {
        let Incoming {
            target,
            sink,
            shown,
            allowance,
        } = self;
        match sink.finish().await {
            Ok((file, hasher)) => Ok(Arrived {
                target,
                file,
                hasher,
                shown,
                allowance,
            }),
            Err(error) => Err(failed(&target, &shown, &error)),
        }
    }
}

impl Arrived {
    pub(super) fn blake3(&self) -> blake3::Hash {
        self.hasher.blake3()
    }

    /// The digests that were computed.
    pub(super) fn digests(&self) -> Digests {
        self.hasher.digests()
    }

    /// Adds to an error about the bytes that a stream has them nevertheless.
    pub(super) fn spoilt(&self, error: AppError) -> AppError {
        match self.target {
            Target::Part(_) => error,
            Target::Stream => problem(
                &self.shown,
                format_args!("what was written there is not to be trusted: {error}"),
            ),
        }
    }

    /// Gives the file its attributes and its name, and returns its length in bytes.
    pub(super) async fn keep(self, with: Attributes) -> Result<u64, AppError> {
        let len = self.hasher.len();
        let (Target::Part(part), file) = (self.target, self.file) else {
            return Ok(len);
        };
        let kept = tokio::task::spawn_blocking(move || part.keep(&file, len, with)).await;
        kept.map_err(AppError::failed)??;
        self.allowance.keep();
        Ok(len)
    }
}

fn failed(target: &Target, shown: &str, error: &io::Error) -> AppError {
    match target {
        Target::Part(_) => not_stored(shown, error),
        Target::Stream => problem(shown, format_args!("it takes no more: {error}")),
    }
}
