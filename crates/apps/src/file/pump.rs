//! Between a socket and a file: a thread hashes and writes, while the task talks to the peer.

use std::fs::File;
use std::io::{self, Write};
use std::mem;

use tokio::task::{JoinHandle, spawn_blocking};

use super::digest::Hasher;
use crate::output;

/// How many bytes the thread works on at once. Each transfer holds two such buffers.
pub(super) const CHUNK: usize = 256 * 1024;

/// A file, with the digest of the bytes that went through it.
struct Work {
    file: File,
    hasher: Hasher,
    buf: Vec<u8>,
}

type Job = JoinHandle<io::Result<Work>>;

fn start(file: File, hasher: Hasher) -> Work {
    Work {
        file,
        hasher,
        buf: Vec::new(),
    }
}

async fn done(job: &mut Job) -> io::Result<Work> {
    job.await.map_err(io::Error::other)?
}

/// Writes arriving bytes. Its memory follows the bytes that have arrived. After an error it must
/// not be used any more.
pub(super) struct Sink {
    job: Job,
    filling: Vec<u8>,
}

impl Sink {
    pub(super) fn new(file: File, hasher: Hasher) -> Self {
        Sink {
            job: spawn_blocking(move || Ok(start(file, hasher))),
            filling: Vec::new(),
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.filling.extend_from_slice(bytes);
        if self.filling.len() < CHUNK {
            return Ok(());
        }
        self.hand_over().await
    }

    async fn hand_over(&mut self) -> io::Result<()> {
        let mut work = done(&mut self.job).await?;
        mem::swap(&mut work.buf, &mut self.filling);
        self.job = spawn_blocking(move || {
            work.hasher.update(&work.buf);
            // A stream may be in non-blocking mode.
            output::patient(&work.file).write_all(&work.buf)?;
            work.buf.clear();
            Ok(work)
        });
        Ok(())
    }

    /// Waits until everything has been written.
    pub(super) async fn finish(mut self) -> io::Result<(File, Hasher)> {
        self.hand_over().await?;
        let work = done(&mut self.job).await?;
        Ok((work.file, work.hasher))
    }
}
