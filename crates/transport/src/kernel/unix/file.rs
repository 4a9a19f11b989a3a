//! The file that a bound Unix socket leaves: its mode, taking over a stale one, and its removal.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::kernel::addr;
use crate::kernel::hint;
use crate::options::SocketOptions;

/// How long to wait for another process that is taking over a socket in the same directory.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// The file of a bound socket. Dropping this removes it, if it is still the file that was bound
/// here.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    /// The file that is at `path` now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        let path = std::path::absolute(path)?;
        Ok(SocketFile {
            path,
            identity: (found.dev(), found.ino()),
        })
    }

    /// Leaves it to another process to remove the file.
    pub(crate) fn leave(self) {
        // Nothing is lost but the memory of a path.
        std::mem::forget(self);
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let now = fs::symlink_metadata(&self.path).map(|found| (found.dev(), found.ino()));
        if now.is_ok_and(|identity| identity == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Binds `socket` at `at`, and replaces a stale file. The mode of the file is set before any
/// process can open it.
pub(crate) async fn bind(
    socket: &Socket,
    at: &Endpoint,
    options: &SocketOptions,
) -> Result<Option<SocketFile>> {
    let address = addr::unix_sockaddr(at, "listen at")?;
    let failed = |error| hint::failed("listen at", at, error);
    if let Some(mode) = options.mode {
        chmod_unbound(socket, mode).map_err(failed)?;
    }
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match at.socket_path() {
            Some(path) if options.reclaim.unwrap_or(true) => {
                reclaim_and_bind(socket, &path, &address, at).await?;
            }
            _ => return Err(in_use(at, error)),
        },
        done => done.map_err(failed)?,
    }
    let Some(path) = at.socket_path() else {
        return Ok(None);
    };
    let file = SocketFile::of(&path).map_err(failed)?;
    if let Some(mode) = options.mode {
        // The umask took bits away when the file was made. This can only add bits.
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)?;
    }
    Ok(Some(file))
}

fn in_use(at: &Endpoint, error: io::Error) -> Error {
    hint::failed("listen at", at, error)
        .hint("a server listens there, or a stale file is in the way and reclaim=false")
}

/// The file that `bind` makes gets the mode of the socket itself, less the umask. So there is no
/// moment in which other users could connect.
fn chmod_unbound(socket: &Socket, mode: u32) -> io::Result<()> {
    let duplicate: OwnedFd = socket.as_fd().try_clone_to_owned()?;
    File::from(duplicate).set_permissions(Permissions::from_mode(mode))
}

/// Removes the file at `path` if it is a socket without a listener, and binds in its place.
///
/// The directory is locked meanwhile. Otherwise, of two servers that find the same stale file, one
/// could remove the new file of the other.
async fn reclaim_and_bind(
    socket: &Socket,
    path: &Path,
    address: &SockAddr,
    at: &Endpoint,
) -> Result<()> {
    let failed = |error| hint::failed("listen at", at, error);
    // It is no reason to refuse if the directory cannot be locked (it cannot be read, or another
    // process holds the lock): the lock only prevents the race of two servers.
    let _lock = lock_directory(path).await;
    let found = match fs::symlink_metadata(path) {
        // The server that had the file has removed it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return socket.bind(address).map_err(failed);
        }
        found => found.map_err(failed)?,
    };
    if !found.file_type().is_socket() {
        return Err(Error::new(ErrorKind::InUse, "listen at", at)
            .because("a file that is no socket has that name; it was left alone")
            .hint("choose another path, or remove the file yourself"));
    }
    if !is_stale(address).map_err(failed)? {
        return Err(Error::new(ErrorKind::InUse, "listen at", at)
            .because("another server listens there")
            .hint("choose another path, or stop that server"));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    socket.bind(address).map_err(failed)
}

async fn lock_directory(path: &Path) -> io::Result<File> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = File::open(parent.unwrap_or(Path::new(".")))?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match directory.try_lock() {
            Ok(()) => return Ok(directory),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() > deadline => {
                return Err(io::Error::new(
                    io::ErrorKind::AddrInUse,
                    "another process holds the directory's lock",
                ));
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_RETRY).await,
        }
    }
}

/// Whether no server listens at the socket: a connection is refused then.
///
/// The probe is a datagram socket. To it, a stream server between `bind` and `listen` is a socket
/// of another kind (EPROTOTYPE). A stream socket would be refused, as if the file were stale.
fn is_stale(address: &SockAddr) -> io::Result<bool> {
    let probe = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    probe.set_nonblocking(true)?;
    let answer = probe.connect(address);
    Ok(answer.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}
