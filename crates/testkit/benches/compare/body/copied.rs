//! Bodies through tokio's traits, and the same by hand.

use std::fs::File;
use std::time::Instant;

use tokio::fs;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_buf};
use tokio::net::{TcpListener, TcpStream};

use super::{CHUNK, Header, pumped};
use crate::stream::{Found, block_on};

pub(super) fn receive(found: Found, file: File) {
    block_on(async {
        let mut framed = pumped::accepted(found).await;
        let header: Header = framed.recv_json().await.unwrap().unwrap();
        let mut file = fs::File::from_std(file);
        let body = framed.body(header.filesize).unwrap();
        // A `Body` has a buffer of its own. This one collects bytes for the file.
        copy_buf(&mut BufReader::with_capacity(CHUNK, body), &mut file)
            .await
            .unwrap();
        file.flush().await.unwrap();
    });
}

pub(super) fn send(to: &str, file: File, header: &Header) -> Instant {
    block_on(async {
        let mut framed = pumped::connected(to).await;
        let mut file = BufReader::with_capacity(CHUNK, fs::File::from_std(file));
        let begun = Instant::now();
        framed.feed_json(header).await.unwrap();
        let mut body = framed.body_writer(header.filesize).unwrap();
        copy_buf(&mut file, &mut body).await.unwrap();
        framed.finish().await.unwrap();
        begun
    })
}

pub(super) fn receive_raw(found: Found, file: File) {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        found
            .send(listener.local_addr().unwrap().to_string())
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::with_capacity(CHUNK, stream);
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line).await.unwrap();
        let header: Header = serde_json::from_slice(&line).unwrap();
        let mut file = fs::File::from_std(file);
        copy_buf(&mut stream.take(header.filesize), &mut file)
            .await
            .unwrap();
        file.flush().await.unwrap();
    });
}

pub(super) fn send_raw(to: &str, file: File, header: &Header) -> Instant {
    block_on(async {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let mut file = BufReader::with_capacity(CHUNK, fs::File::from_std(file));
        let begun = Instant::now();
        let mut line = serde_json::to_vec(header).unwrap();
        line.push(b'\n');
        stream.write_all(&line).await.unwrap();
        copy_buf(&mut file, &mut stream).await.unwrap();
        stream.shutdown().await.unwrap();
        begun
    })
}
