//! tokio's streams, by hand.

use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::FRAME;
use crate::stream::{Found, block_on};
use crate::tally::frame;

/// With its header.
const WHOLE: usize = 4 + FRAME;
const BUFFER: usize = 64 * 1024;

pub(crate) fn echo_tcp(found: Found) {
    block_on(async { echo(accept_tcp(found).await).await });
}

pub(crate) fn echo_unix(found: Found) {
    block_on(async { echo(accept_unix(found).await).await });
}

pub(crate) fn ask_tcp(to: &str, times: usize) -> Instant {
    block_on(async { ask(connect_tcp(to).await, times).await })
}

pub(crate) fn ask_unix(to: &str, times: usize) -> Instant {
    block_on(async { ask(connect_unix(to).await, times).await })
}

pub(crate) async fn accept_tcp(found: Found) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    found.send(at).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub(crate) async fn accept_unix(found: Found) -> UnixStream {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    found.send(path.to_str().unwrap().to_owned()).unwrap();
    listener.accept().await.unwrap().0
}

pub(crate) async fn connect_tcp(to: &str) -> TcpStream {
    let stream = TcpStream::connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub(crate) async fn connect_unix(to: &str) -> UnixStream {
    UnixStream::connect(to).await.unwrap()
}

async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = vec![0; BUFFER];
    while let Some(frame) = read(&mut stream, &mut buffer).await {
        stream.write_all(frame).await.unwrap();
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, times: usize) -> Instant {
    let mut question = (FRAME as u32).to_le_bytes().to_vec();
    question.extend(frame(FRAME));
    let mut buffer = vec![0; BUFFER];
    let begun = Instant::now();
    for _ in 0..times {
        stream.write_all(&question).await.unwrap();
        let answer = read(&mut stream, &mut buffer).await;
        assert_eq!(answer, Some(&question[..]));
    }
    begun
}

/// One frame with its header, or the end.
async fn read<'a>(stream: &mut (impl AsyncRead + Unpin), buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut filled = 0;
    while filled < WHOLE {
        match stream.read(&mut buffer[filled..]).await.unwrap() {
            0 => return None,
            read => filled += read,
        }
    }
    assert_eq!(buffer[..4], (FRAME as u32).to_le_bytes());
    Some(&buffer[..filled])
}
