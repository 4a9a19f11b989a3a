//! Large files of a tree: parts that have bytes, and holes between them, which are not sent.

use std::fs::File;
use std::io;
use std::mem;
use std::os::unix::fs::FileExt;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::file::pump::CHUNK;
use crate::file::source::{Before, changed, shorter};

/// The digest of a file with holes: BLAKE3 over its parts, before each of which stands its offset
/// (8 bytes, little endian) if a hole is in front of it. Without holes that is the digest of its
/// bytes.
#[derive(Default)]
pub(super) struct Layout {
    blake3: blake3::Hasher,
    next: u64,
}

impl Layout {
    fn update(&mut self, at: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if at != self.next {
            self.blake3.update(&at.to_le_bytes());
        }
        self.blake3.update(bytes);
        self.next = at + bytes.len() as u64;
    }
}

/// A file that is read part by part, by a thread that is one part ahead.
pub(super) struct Parts {
    job: JoinHandle<io::Result<Reading>>,
    given: Vec<u8>,
}

struct Reading {
    file: File,
    before: Before,
    layout: Layout,
    buf: Vec<u8>,
    /// Where `buf` lies in the file.
    at: u64,
    /// The bytes before this were read, or are a hole.
    pos: u64,
    /// Up to here there is no hole.
    part: u64,
    len: u64,
}

impl Parts {
    pub(super) fn new(file: File, before: Before) -> Self {
        let reading = Reading {
            len: before.found().len(),
            file,
            before,
            layout: Layout::default(),
            buf: Vec::new(),
            at: 0,
            pos: 0,
            part: 0,
        };
        Parts {
            job: spawn_blocking(move || reading.next()),
            given: Vec::new(),
        }
    }

    /// The next bytes, and where they lie; none at the end. Cancel-safe.
    ///
    /// # Errors
    /// If reading fails, or if the file has become shorter.
    pub(super) async fn next(&mut self) -> io::Result<(u64, &[u8])> {
        let mut reading = (&mut self.job).await.map_err(io::Error::other)??;
        mem::swap(&mut reading.buf, &mut self.given);
        let at = reading.at;
        self.job = spawn_blocking(move || reading.next());
        Ok((at, &self.given))
    }

    /// The digest of all parts, at the end. The file may have to be read again. If this is dropped
    /// before it is done, the file must not be used any more.
    ///
    /// # Errors
    /// If the file changed since it was opened.
    pub(super) async fn finish(&mut self) -> io::Result<blake3::Hash> {
        let reading = (&mut self.job).await.map_err(io::Error::other)??;
        let checking = spawn_blocking(move || reading.check());
        checking.await.map_err(io::Error::other)?
    }
}

impl Reading {
    fn next(mut self) -> io::Result<Self> {
        self.read()?;
        self.layout.update(self.at, &self.buf);
        Ok(self)
    }

    fn read(&mut self) -> io::Result<()> {
        self.buf.clear();
        if self.pos == self.part {
            (self.pos, self.part) = part(&self.file, self.pos, self.len)?;
        }
        let left = usize::try_from(self.part - self.pos).unwrap_or(CHUNK);
        self.buf.resize(left.min(CHUNK), 0);
        self.at = self.pos;
        let read = self.file.read_exact_at(&mut self.buf, self.at);
        read.map_err(shorter)?;
        self.pos += self.buf.len() as u64;
        Ok(())
    }

    fn check(mut self) -> io::Result<blake3::Hash> {
        let blake3 = self.layout.blake3.finalize();
        let now = self.file.metadata()?;
        if self.before.differs(&now) {
            return Err(changed());
        }
        if self.before.is_unsure(&now) && self.read_again()? != blake3 {
            return Err(changed());
        }
        Ok(blake3)
    }

    fn read_again(&mut self) -> io::Result<blake3::Hash> {
        (self.pos, self.part) = (0, 0);
        let mut layout = Layout::default();
        loop {
            self.read()?;
            if self.buf.is_empty() {
                return Ok(layout.blake3.finalize());
            }
            layout.update(self.at, &self.buf);
        }
    }
}

/// Where the next bytes of a file of `len` bytes are, from `pos` on. Where holes cannot be found,
/// the file has none.
fn part(file: &File, pos: u64, len: u64) -> io::Result<(u64, u64)> {
    if pos >= len {
        return Ok((len, len));
    }
    let start = match seek(file, SeekFrom::Data(pos)) {
        Ok(start) => start.min(len),
        Err(Errno::NXIO) => len,
        Err(Errno::INVAL) => return Ok((pos, len)),
        Err(error) => return Err(error.into()),
    };
    match start < len {
        true => Ok((
            start,
            seek(file, SeekFrom::Hole(start))?.clamp(start + 1, len),
        )),
        false => Ok((len, len)),
    }
}

/// A file that is written part by part, by a thread. After an error it must not be used any more.
pub(super) struct Filling {
    job: JoinHandle<io::Result<Writing>>,
    buf: Vec<u8>,
    at: u64,
}

struct Writing {
    file: File,
    layout: Layout,
    buf: Vec<u8>,
}

impl Filling {
    pub(super) fn new(file: File) -> Self {
        let writing = Writing {
            file,
            layout: Layout::default(),
            buf: Vec::new(),
        };
        Filling {
            job: spawn_blocking(move || Ok(writing)),
            buf: Vec::new(),
            at: 0,
        }
    }

    pub(super) async fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if at != self.at + self.buf.len() as u64 {
            self.hand_over().await?;
            self.at = at;
        }
        self.buf.extend_from_slice(bytes);
        match self.buf.len() < CHUNK {
            true => Ok(()),
            false => self.hand_over().await,
        }
    }

    async fn hand_over(&mut self) -> io::Result<()> {
        let mut writing = (&mut self.job).await.map_err(io::Error::other)??;
        mem::swap(&mut writing.buf, &mut self.buf);
        let at = self.at;
        self.at += writing.buf.len() as u64;
        self.job = spawn_blocking(move || {
            writing.layout.update(at, &writing.buf);
            writing.file.write_all_at(&writing.buf, at)?;
            writing.buf.clear();
            Ok(writing)
        });
        Ok(())
    }

    /// Waits until all is written, and gives the file its length: a hole may be at its end.
    pub(super) async fn finish(mut self, len: u64) -> io::Result<(File, blake3::Hash)> {
        self.hand_over().await?;
        let writing = self.job.await.map_err(io::Error::other)??;
        let done = spawn_blocking(move || {
            let Writing { file, layout, .. } = writing;
            if layout.next < len {
                file.set_len(len)?;
            }
            Ok((file, layout.blake3.finalize()))
        });
        done.await.map_err(io::Error::other)?
    }
}
