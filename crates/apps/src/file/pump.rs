//! Between a file and a socket: a thread reads or writes the file and hashes, while the task talks to the peer.

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem;

use tokio::task::{JoinHandle, spawn_blocking};

use super::digest::Hasher;
use crate::output;

/// What a thread works on at once, in bytes. Two of them are held for each transfer.
const CHUNK: usize = 256 * 1024;

/// A file with the digest of what went through it.
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

/// Takes what arrives. Memory follows what has arrived. After an error it is of no more use.
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
            // A stream may be one that does not block.
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

/// Gives the first bytes of a file, as many as were announced. After an error it is of no more use.
pub(super) struct Source {
    job: Job,
    /// Bytes that no thread was told to read yet.
    unread: u64,
    given: Vec<u8>,
}

impl Source {
    pub(super) fn new(file: File, hasher: Hasher, len: u64) -> Self {
        let work = start(file, hasher);
        let first = chunk(len);
        Source {
            job: spawn_blocking(move || work.read(first)),
            unread: len - first as u64,
            given: Vec::new(),
        }
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// As reading does, and if the file has become shorter.
    pub(super) async fn next(&mut self) -> io::Result<&[u8]> {
        let mut work = done(&mut self.job).await?;
        mem::swap(&mut work.buf, &mut self.given);
        let next = chunk(self.unread);
        self.unread -= next as u64;
        self.job = spawn_blocking(move || work.read(next));
        Ok(&self.given)
    }

    /// The digest of all that was given, at the end.
    pub(super) async fn finish(mut self) -> io::Result<Hasher> {
        Ok(done(&mut self.job).await?.hasher)
    }
}

impl Work {
    fn read(mut self, bytes: usize) -> io::Result<Work> {
        self.buf.resize(bytes, 0);
        self.file.read_exact(&mut self.buf).map_err(shorter)?;
        self.hasher.update(&self.buf);
        Ok(self)
    }
}

fn shorter(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return io::Error::new(error.kind(), "the file became shorter while it was sent");
    }
    error
}

fn chunk(left: u64) -> usize {
    usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK))
}
