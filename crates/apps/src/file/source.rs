//! A file that is sent: a thread reads and hashes it ahead of the task that talks to the peer, and
//! notices if it changes.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::mem;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use tokio::task::{JoinHandle, spawn_blocking};

use super::pump::CHUNK;

/// A change this soon after another one may leave a file's times as they are: a few of the kernel's
/// ticks, of which the longest have 10 ms.
const TICKS: Duration = Duration::from_millis(50);

type Job = JoinHandle<io::Result<Reading>>;

/// Gives the bytes of a file. After an error it is of no more use.
pub(super) struct Source {
    job: Job,
    given: Vec<u8>,
    len: Option<u64>,
}

impl Source {
    /// Begins to read `file`, where it stands. What is shorter than two buffers of a transfer is
    /// read at once, so that its length is what it has and not what a file system says; the end of
    /// a pipe is waited for as long.
    ///
    /// # Errors
    /// As reading does.
    pub(super) async fn open(file: File) -> io::Result<Self> {
        let reading = spawn_blocking(move || Reading::begin(file)).await;
        let reading = reading.map_err(io::Error::other)??;
        Ok(Source {
            len: reading.len,
            job: spawn_blocking(move || Ok(reading)),
            given: Vec::new(),
        })
    }

    /// How many bytes are going to be given, where that is known. Nobody knows it of a long pipe,
    /// and of a file that a kernel makes up while it is read.
    pub(super) fn len(&self) -> Option<u64> {
        self.len
    }

    /// The next bytes; none at the end. Cancel-safe.
    ///
    /// # Errors
    /// As reading does, and if the file has become shorter.
    pub(super) async fn next(&mut self) -> io::Result<&[u8]> {
        let mut reading = done(&mut self.job).await?;
        mem::swap(&mut reading.buf, &mut self.given);
        self.job = spawn_blocking(move || reading.next());
        Ok(&self.given)
    }

    /// The digest of all that was given, at the end. It may take as long as reading did: a file
    /// whose times cannot tell whether it changed meanwhile is read again.
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
    /// What is to be given, where that is known.
    len: Option<u64>,
    given: u64,
    before: Option<Before>,
}

/// What a regular file was when it was opened.
struct Before {
    found: Metadata,
    opened: SystemTime,
    /// Where reading began.
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

    /// Reads a short file to its end, or finds out that it is none.
    fn look_ahead(&mut self) -> io::Result<()> {
        let most = CHUNK as u64;
        (&self.file).take(most).read_to_end(&mut self.buf)?;
        let whole = self.buf.len() < CHUNK || is_at_end(&self.file, self.said())?;
        self.len = whole.then_some(self.buf.len() as u64);
        self.took();
        Ok(())
    }

    /// What the file system says of the length.
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

    /// What a pipe has now, or waits for it: whoever reads at the other end need not wait for more.
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

    /// The digest, if the file is still what it was.
    fn check(mut self) -> io::Result<blake3::Hash> {
        let blake3 = self.hasher.finalize();
        let Some(before) = self.before.take() else {
            return Ok(blake3);
        };
        let now = self.file.metadata()?;
        if before.differs(&now) {
            return Err(changed());
        }
        // What a kernel makes up may differ each time, and its length is none.
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
    fn differs(&self, now: &Metadata) -> bool {
        let content = |of: &Metadata| (of.size(), of.mtime(), of.mtime_nsec());
        content(&self.found) != content(now)
    }

    /// Whether bytes may have changed though the times that tell it are the same: something else
    /// did (a name, a mode, or the time of the last change was set back), or the last change before
    /// was too fresh for another one to show.
    fn is_unsure(&self, now: &Metadata) -> bool {
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

/// Whether nothing is behind as many bytes as fit. A pipe is not asked, since its writer may take
/// its time.
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

fn shorter(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return io::Error::new(error.kind(), "the file became shorter while it was sent");
    }
    error
}

fn changed() -> io::Error {
    io::Error::other("the file was changed while it was sent; send it again")
}
