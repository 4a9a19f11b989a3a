//! By hand: blocking sockets with buffers of 256 KiB, and tokio's streams with the buffers of
//! `Framed`, which reads 64 KiB at a time and writes at 256 KiB.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use socketry_codec::limits::DEFAULT_HIGH_WATER;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::{Found, Load, block_on};
use crate::tally::Tally;

const BLOCKING: usize = 256 * 1024;
const READ: usize = 64 * 1024;
const WRITTEN: usize = DEFAULT_HIGH_WATER;

/// Bytes that arrived and are not scanned yet.
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    tally: Tally,
}

impl Buffer {
    fn new(size: usize) -> Self {
        Buffer {
            bytes: vec![0; size],
            filled: 0,
            tally: Tally::default(),
        }
    }

    fn spare(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// Scans `read` more bytes, and makes room for the unfinished frame.
    fn arrived(&mut self, read: usize) {
        self.filled += read;
        let (mut at, mut whole) = (0, 0);
        while let Some(header) = self.bytes[at..self.filled].first_chunk() {
            whole = 4 + u32::from_le_bytes(*header) as usize;
            let Some(frame) = self.bytes[at..self.filled].get(4..whole) else {
                break;
            };
            self.tally.see(frame);
            at += whole;
        }
        self.bytes.copy_within(at..self.filled, 0);
        self.filled -= at;
        if self.bytes.len() < whole {
            self.bytes.resize(whole, 0);
        }
    }
}

pub(crate) fn receive(found: Found) -> Tally {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    found.send(at).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut buffer = Buffer::new(BLOCKING);
    loop {
        match stream.read(buffer.spare()).unwrap() {
            0 => return buffer.tally,
            read => buffer.arrived(read),
        }
    }
}

pub(super) fn receive_tokio(found: Found) -> Tally {
    block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        found.send(at).unwrap();
        read(listener.accept().await.unwrap().0).await
    })
}

pub(super) fn receive_unix(found: Found) -> Tally {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    block_on(async {
        let listener = UnixListener::bind(&path).unwrap();
        found.send(path.to_str().unwrap().to_owned()).unwrap();
        read(listener.accept().await.unwrap().0).await
    })
}

pub(crate) async fn read(mut stream: impl AsyncRead + Unpin) -> Tally {
    let mut buffer = Buffer::new(READ);
    loop {
        match stream.read(buffer.spare()).await.unwrap() {
            0 => return buffer.tally,
            read => buffer.arrived(read),
        }
    }
}

/// Collects frames up to this many bytes.
struct Gathered {
    bytes: Vec<u8>,
    limit: usize,
}

impl Gathered {
    fn new(limit: usize) -> Self {
        let bytes = Vec::with_capacity(limit);
        Gathered { bytes, limit }
    }

    /// Whether the collected frames have to be written before the next one.
    fn push(&mut self, frame: &[u8]) -> bool {
        self.bytes
            .extend_from_slice(&(frame.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(frame);
        self.bytes.len() + frame.len() + 4 > self.limit
    }
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    let mut stream = TcpStream::connect(to).unwrap();
    let mut gathered = Gathered::new(BLOCKING);
    let begun = Instant::now();
    for _ in 0..load.count {
        if gathered.push(&load.frame) {
            stream.write_all(&gathered.bytes).unwrap();
            gathered.bytes.clear();
        }
    }
    stream.write_all(&gathered.bytes).unwrap();
    begun
}

pub(super) fn send_tokio(to: &str, load: &Load) -> Instant {
    block_on(async {
        let stream = tokio::net::TcpStream::connect(to).await.unwrap();
        write(stream, load).await
    })
}

pub(super) fn send_unix(to: &str, load: &Load) -> Instant {
    block_on(async { write(UnixStream::connect(to).await.unwrap(), load).await })
}

pub(crate) async fn write(mut stream: impl AsyncWrite + Unpin, load: &Load) -> Instant {
    let mut gathered = Gathered::new(WRITTEN);
    let begun = Instant::now();
    for _ in 0..load.count {
        if gathered.push(&load.frame) {
            stream.write_all(&gathered.bytes).await.unwrap();
            gathered.bytes.clear();
        }
    }
    stream.write_all(&gathered.bytes).await.unwrap();
    // What wraps a socket may keep bytes, and has an end of its own.
    stream.shutdown().await.unwrap();
    begun
}
