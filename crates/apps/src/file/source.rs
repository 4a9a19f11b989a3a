//! A file that is sent. A thread reads and hashes it ahead of the task that talks to the peer, and
//! notices if it changes.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::mem;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use tokio::task::{JoinHandle, spawn_blocking};

use super::pump::CHUNK;

/// How soon a second change may leave a file's times as they are. That is a few ticks of the
/// kernel, of which the longest take 10 ms.
const TICKS: Duration = Duration::from_millis(50);

type Job = JoinHandle<io::Result<Reading>>;

/// Gives the bytes of a file. After an error it must not be used any more.
pub(super) struct Source {
    job: Job,
    given: Vec<u8>,
    len: Option<u64>,
}

impl Source {
    /// Begins to read `file` at its current position. A file that is shorter than two buffers is
    /// read at once, so that its length is the number of its bytes and not what the file system
    /// says. For a pipe, this waits as long for its end.
    ///
    /// # Errors
    /// If reading fails.
    pub(super) async fn open(file: File) -> io::Result<Self> {
        let reading = spawn_blocking(move || Reading::begin(file)).await;
        let reading = reading.map_err(io::Error::other)??;
        Ok(Source {
            len: reading.len,
            job: spawn_blocking(move || Ok(reading)),
            given: Vec::new(),
        })
    }

    /// How many bytes this will give, if that is known. It is not known of a long pipe, nor of a
    /// file that the kernel generates.
    pub(super) fn len(&self) -> Option<u64> {
        self.len
    }

    /// The next bytes; none at the end. Cancel-safe.
    ///
    /// # Errors
    /// If reading fails, or if the file has become shorter.
    pub(super) async fn next(&mut self) -> io::Result<&[u8]> {
        let mut reading = done(&mut self.job).await?;
        mem::swap(&mut reading.buf, &mut self.given);
        self.job = spawn_blocking(move || reading.next());
        Ok(&self.given)
    }

    /// The digest of all bytes, at the end. It may take as long as reading did: if the file's times
    /// cannot tell whether it has changed meanwhile, it is read again.
    ///
    /// # Errors
    /// If the file changed since it was opened, or cannot be read again.
    pub(super) async fn finish(mut self) -> io::Result<blake3::Hash> {
        let reading = done(&mut self.job).await?;
        let checked = spawn_blocking(move || reading.check()).await;
        checked.map_err(io::Error::other)?
    }
}

async fn done(job: &mut Job) -> io::Result<Reading> {
    job.await.map_err(io::Error::other)?
}

struct Reading {
    file: File,
    hasher: blake3::Hasher,
    buf: Vec<u8>,
    /// How many bytes there will be, if that is known.
    len: Option<u64>,
    given: u64,
    before: Option<Before>,
}

/// The state of a regular file when it was opened.
pub(super) struct Before {
    found: Metadata,
    opened: SystemTime,
    /// The position where reading began.
    start: u64,
}

impl Reading {
    fn begin(mut file: File) -> io::Result<Self> {
        let opened = SystemTime::now();
        let found = file.metadata()?;
        let start = match found.is_file() {
            true => file.stream_position()?,
            false => 0,
        };
        let said = found.is_file().then(|| found.len().saturating_sub(start));
        let before = found.is_file().then_some(Before {
            found,
            opened,
            start,
        });
        let mut reading = Reading {
            file,
            hasher: blake3::Hasher::new(),
            buf: Vec::new(),
            len: said,
            given: 0,
            before,
        };
        if said.is_none_or(|said| said <= CHUNK as u64) {
            reading.look_ahead()?;
        } else {
            reading = reading.next()?;
        }
        Ok(reading)
    }

    /// Reads a short file to its end, or finds out that the file is not short.
    fn look_ahead(&mut self) -> io::Result<()> {
        let most = CHUNK as u64;
        (&self.file).take(most).read_to_end(&mut self.buf)?;
        let whole = self.buf.len() < CHUNK || is_at_end(&self.file, self.said())?;
        self.len = whole.then_some(self.buf.len() as u64);
        self.took();
        Ok(())
    }

    /// The length according to the file system.
    fn said(&self) -> Option<u64> {
        let before = self.before.as_ref()?;
        Some(before.found.len().saturating_sub(before.start))
    }

    fn took(&mut self) {
        self.hasher.update(&self.buf);
        self.given += self.buf.len() as u64;
    }

    fn next(mut self) -> io::Result<Self> {
        match self.len {
            Some(len) => {
                let left = usize::try_from(len - self.given).unwrap_or(CHUNK);
                self.buf.resize(left.min(CHUNK), 0);
                self.file.read_exact(&mut self.buf).map_err(shorter)?;
            }
            None => self.read_some()?,
        }
        self.took();
        Ok(self)
    }

    /// Reads what a pipe has, or waits for that. The peer should not wait for a full buffer.
    fn read_some(&mut self) -> io::Result<()> {
        self.buf.resize(CHUNK, 0);
        let len = loop {
            match self.file.read(&mut self.buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.buf.truncate(len);
        Ok(())
    }

    /// The digest, if the file has not changed.
    fn check(mut self) -> io::Result<blake3::Hash> {
        let blake3 = self.hasher.finalize();
        let Some(before) = self.before.take() else {
            return Ok(blake3);
        };
        let now = self.file.metadata()?;
        if before.differs(&now) {
            return Err(changed());
        }
        // A file that the kernel generates may differ each time, and its length is not real.
        let made_up = self.len != Some(before.found.len().saturating_sub(before.start));
        if !made_up && before.is_unsure(&now) && self.read_again(before.start)? != blake3 {
            return Err(changed());
        }
        Ok(blake3)
    }

    fn read_again(&mut self, start: u64) -> io::Result<blake3::Hash> {
        self.file.seek(SeekFrom::Start(start))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader((&self.file).take(self.given))?;
        Ok(hasher.finalize())
    }
}

impl Before {
    /// The state of a file that is read from its beginning, and when that was found out.
    pub(super) fn new(file: &File) -> io::Result<Self> {
        let opened = SystemTime::now();
        let found = file.metadata()?;
        Ok(Before {
            found,
            opened,
            start: 0,
        })
    }

    pub(super) fn found(&self) -> &Metadata {
        &self.found
    }

    pub(super) fn differs(&self, now: &Metadata) -> bool {
        let content = |of: &Metadata| (of.size(), of.mtime(), of.mtime_nsec());
        content(&self.found) != content(now)
    }

    /// Whether the bytes may have changed without a change of the times that tell it. That is so if
    /// the name, the mode or the times were changed, or if the file was changed so shortly before
    /// that another change may not show.
    pub(super) fn is_unsure(&self, now: &Metadata) -> bool {
        let change = |of: &Metadata| (of.ctime(), of.ctime_nsec());
        change(&self.found) != change(now) || self.is_fresh()
    }

    fn is_fresh(&self) -> bool {
        let (Ok(seconds), Ok(nanos)) = (
            u64::try_from(self.found.ctime()),
            u32::try_from(self.found.ctime_nsec()),
        ) else {
            return false;
        };
        let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
        self.opened
            .duration_since(changed)
            .map_or(true, |age| age < TICKS)
    }
}

/// Whether no byte follows those that fit. A pipe is not asked, since its writer may take its time.
fn is_at_end(file: &File, said: Option<u64>) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    match said {
        Some(said) if said == CHUNK as u64 => {
            let at = (&mut &*file).stream_position()?;
            Ok(file.read_at(&mut [0], at)? == 0)
        }
        _ => Ok(false),
    }
}

pub(super) fn shorter(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return io::Error::new(error.kind(), "the file became shorter while it was sent");
    }
    error
}

pub(super) fn changed() -> io::Error {
    io::Error::other("the file was changed while it was sent; send it again")
}
