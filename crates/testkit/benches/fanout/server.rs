//! A server in a process of its own, and the words that its clients say.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::redis;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hub,
    Chat,
    Broadcast,
    Redis,
}

/// It ends when this is dropped.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) at: SocketAddr,
    process: Child,
    _directory: Option<tempfile::TempDir>,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        if kind == Kind::Redis {
            let (process, at, directory) = redis::start();
            return Server {
                kind,
                at,
                process,
                _directory: Some(directory),
            };
        }
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--serve", &format!("{kind:?}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut at = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut at)
            .unwrap();
        Server {
            kind,
            at: at.trim().parse().unwrap(),
            process,
            _directory: None,
        }
    }

    /// What a subscriber says first.
    pub(crate) fn subscription(&self) -> Vec<u8> {
        match self.kind {
            Kind::Redis => b"SUBSCRIBE t\r\n".to_vec(),
            Kind::Chat => Vec::new(),
            Kind::Hub | Kind::Broadcast => framed(b"sub"),
        }
    }

    /// What the publisher says first.
    pub(crate) fn introduction(&self) -> Vec<u8> {
        match self.kind {
            Kind::Redis | Kind::Chat => Vec::new(),
            Kind::Hub | Kind::Broadcast => framed(b"pub"),
        }
    }

    /// What the publisher says for a message.
    pub(crate) fn publication(&self, text: &[u8]) -> Vec<u8> {
        match self.kind {
            Kind::Redis => {
                let head = format!("*3\r\n$7\r\nPUBLISH\r\n$1\r\nt\r\n${}\r\n", text.len());
                [head.as_bytes(), text, b"\r\n"].concat()
            }
            Kind::Chat | Kind::Hub | Kind::Broadcast => framed(text),
        }
    }

    /// How many bytes a subscriber gets for a message of this length.
    pub(crate) fn delivered(&self, len: usize) -> usize {
        match self.kind {
            Kind::Redis => format!("*3\r\n$7\r\nmessage\r\n$1\r\nt\r\n${len}\r\n").len() + len + 2,
            Kind::Chat | Kind::Hub | Kind::Broadcast => 4 + len,
        }
    }

    /// The processor time of all its threads.
    pub(crate) fn processor_time(&self) -> Duration {
        let tasks = format!("/proc/{}/task", self.process.id());
        let times = std::fs::read_dir(tasks).unwrap().map(|task| {
            let stat = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            stat.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(times.sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `struct:<I`, as all of ours speak.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    [&len[..], bytes].concat()
}
