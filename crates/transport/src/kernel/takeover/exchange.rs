//! The lines that two processes exchange, and the descriptors with them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::held::Held;
use crate::contract::socket::ext::{RecvExt, SendExt};
use crate::contract::socket::{Half, Received};
use crate::kernel::os::{Descriptors, OsSocket};

const HELLO: &str = "socketry takeover 1";
const READY: &str = "ready";
const DONE: &str = "done";

/// The longest line, in bytes: the path of a Unix socket has at most 108, each written as `%XX`.
const LONGEST: usize = 1024;

/// One connection between an earlier process and a new one.
pub(super) struct Exchange {
    socket: OsSocket,
    /// Bytes that have arrived, behind the last line that was given.
    arrived: Vec<u8>,
}

impl Exchange {
    /// The most sockets of one process: as many as can be sent at once.
    pub(super) const MOST_DESCRIPTORS: usize = Descriptors::MOST_AT_ONCE;

    pub(super) fn new(socket: OsSocket) -> Self {
        Exchange {
            socket,
            arrived: Vec::new(),
        }
    }

    /// Asks for the sockets of the earlier process: the name of each listener, and its sockets.
    pub(super) async fn take(&mut self) -> io::Result<Vec<(String, Vec<OwnedFd>)>> {
        self.say(HELLO, &[]).await?;
        let count = self.line().await?;
        let count = count.strip_prefix("sockets ").ok_or_else(garbled)?;
        let count: usize = count.parse().map_err(|_| garbled())?;
        let passed = self.socket.info().get::<Descriptors>().cloned();
        let passed = passed.ok_or_else(garbled)?;
        let mut came = Vec::new();
        for _ in 0..count.min(Self::MOST_DESCRIPTORS) {
            let line = self.line().await?;
            let (count, name) = line.split_once(' ').ok_or_else(garbled)?;
            let count = count.parse().map_err(|_| garbled())?;
            came.push((name.to_owned(), passed.take(count)?));
        }
        Ok(came)
    }

    /// Gives a new process the sockets that it asks for.
    pub(super) async fn give(&mut self, held: &[Arc<Held>]) -> io::Result<()> {
        let hello = self.line().await?;
        if hello != HELLO {
            let words = format!("it said {:?} in place of {HELLO:?}", hello.escape_debug());
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        let sockets = held.iter().map(|held| held.sockets.len()).sum::<usize>();
        if sockets > Self::MOST_DESCRIPTORS {
            let most = Self::MOST_DESCRIPTORS;
            let words = format!("{sockets} sockets are more than the {most} that can be passed");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        self.say(&format!("sockets {}", held.len()), &[]).await?;
        for held in held {
            let sockets: Vec<_> = held.sockets.iter().map(AsFd::as_fd).collect();
            let line = format!("{} {}", sockets.len(), held.at());
            self.say(&line, &sockets).await?;
        }
        Ok(())
    }

    /// Waits until the new process is ready, and tells it that this one has stopped.
    pub(super) async fn wait_until_ready(&mut self) -> io::Result<()> {
        if self.line().await? != READY {
            return Err(garbled());
        }
        self.say(DONE, &[]).await
    }

    /// Tells the earlier process to stop. If it is gone, it has stopped.
    pub(super) async fn relieve(mut self) {
        let stopped = async {
            self.say(READY, &[]).await?;
            self.line().await
        };
        if let Err(error) = stopped.await {
            tracing::info!(%error, "the earlier process is gone");
        }
    }

    async fn say(&mut self, line: &str, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let bytes = format!("{line}\n").into_bytes();
        let sent = match descriptors {
            [] => 0,
            some => self.socket.send_with(&bytes, some).await?,
        };
        self.socket.send_all(&bytes[sent..]).await
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.arrived.iter().position(|byte| *byte == b'\n') {
                let line = self.arrived.drain(..=end).take(end).collect();
                return String::from_utf8(line).map_err(|_| garbled());
            }
            if self.arrived.len() > LONGEST {
                return Err(garbled());
            }
            let mut buf = [0; LONGEST];
            match self.socket.recv(&mut buf).await? {
                (len @ 1.., Received::Data) => self.arrived.extend_from_slice(&buf[..len]),
                _ => {
                    let words = "the other process closed the connection";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, words));
                }
            }
        }
    }
}

pub(super) fn garbled() -> io::Error {
    let words = "the other process does not speak the protocol of a takeover";
    io::Error::new(io::ErrorKind::InvalidData, words)
}
