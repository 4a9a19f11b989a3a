//! A pseudo terminal: its master is the other end of the line.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use socketry_transport::{Endpoint, Error, SerialSocket, SerialTransport, Transport};

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) struct Pty {
    master: OwnedFd,
    path: PathBuf,
}

impl Pty {
    pub(crate) fn new() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let path = PathBuf::from(OsString::from_vec(name.into_bytes()));
        Pty { master, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn url(&self) -> String {
        format!("serial://{}", self.path.display())
    }

    pub(crate) async fn open(&self, query: &str) -> SerialSocket {
        self.try_open(query).await.unwrap()
    }

    pub(crate) async fn try_open(&self, query: &str) -> Result<SerialSocket, Error> {
        connect(&format!("{}{query}", self.url())).await
    }

    /// The settings of the line.
    pub(crate) fn termios(&self) -> Termios {
        tcgetattr(&self.master).unwrap()
    }

    /// Changes the settings of the line, as another program might.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Termios)) {
        let mut termios = self.termios();
        change(&mut termios);
        tcsetattr(&self.master, OptionalActions::Now, &termios).unwrap();
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        assert_eq!(rustix::io::write(&self.master, bytes).unwrap(), bytes.len());
    }

    /// Waits until `bytes` have come.
    pub(crate) fn expect(&self, bytes: &[u8]) {
        let mut found = Vec::new();
        while found.len() < bytes.len() {
            let time = Timespec::try_from(DEADLINE).unwrap();
            let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
            assert_eq!(poll(&mut fds, Some(&time)).unwrap(), 1, "nothing came");
            let mut buf = vec![0; bytes.len() - found.len()];
            let len = rustix::io::read(&self.master, &mut buf).unwrap();
            found.extend_from_slice(&buf[..len]);
        }
        assert_eq!(found, bytes);
    }
}

pub(crate) async fn connect(url: &str) -> Result<SerialSocket, Error> {
    let to: Endpoint = url.parse().unwrap();
    SerialTransport::default().connect(&to).await
}

pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    let done = tokio::time::timeout(DEADLINE, future).await;
    done.unwrap_or_else(|_| panic!("{what}: nothing happened"))
}

/// Termios as far as they can be compared.
pub(crate) fn modes(of: &Termios) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        (
            of.input_modes,
            of.output_modes,
            of.control_modes,
            of.local_modes,
        ),
        (of.input_speed(), of.output_speed()),
    )
}

pub(crate) fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> io::ErrorKind {
    result.unwrap_err().kind()
}

impl Pty {
    /// What a program has written to the line, as text.
    pub(crate) async fn read_some(&self) -> String {
        let master = self.master.try_clone().unwrap();
        let reading = tokio::task::spawn_blocking(move || {
            let time = Timespec::try_from(DEADLINE).unwrap();
            let mut fds = [PollFd::new(&master, PollFlags::IN)];
            assert_eq!(poll(&mut fds, Some(&time)).unwrap(), 1, "nothing came");
            let mut buf = [0; 4096];
            let len = rustix::io::read(&master, &mut buf).unwrap();
            String::from_utf8_lossy(&buf[..len]).into_owned()
        });
        reading.await.unwrap()
    }
}
