//! Bodies in chunks, while a thread is busy with the file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem;
use std::time::Instant;

use socketry_codec::{Framed, Json};
use socketry_transport::{Endpoint, Listener, OsSocket, TcpTransport, Transport};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{CHUNK, Header};
use crate::stream::{Found, block_on};

pub(super) async fn accepted(found: Found) -> Framed<OsSocket, Json> {
    let at = "tcp://127.0.0.1:0".parse().unwrap();
    let mut listener = TcpTransport::default().listen(&at).await.unwrap();
    found.send(listener.local().to_string()).unwrap();
    Framed::new(listener.accept().await.unwrap(), Json::default())
}

pub(super) async fn connected(to: &str) -> Framed<OsSocket, Json> {
    let to: Endpoint = to.parse().unwrap();
    let socket = TcpTransport::default().connect(&to).await.unwrap();
    Framed::new(socket, Json::default())
}

/// A file and a buffer, which a thread uses for a while.
type Job = JoinHandle<io::Result<(File, Vec<u8>)>>;

async fn done(job: Job) -> (File, Vec<u8>) {
    job.await.unwrap().unwrap()
}

fn write(mut file: File, mut buf: Vec<u8>) -> Job {
    spawn_blocking(move || {
        file.write_all(&buf)?;
        buf.clear();
        Ok((file, buf))
    })
}

fn read(mut file: File, mut buf: Vec<u8>) -> Job {
    spawn_blocking(move || {
        buf.resize(CHUNK, 0);
        let read = file.read(&mut buf)?;
        buf.truncate(read);
        Ok((file, buf))
    })
}

pub(super) fn receive(found: Found, file: File) {
    block_on(async {
        let mut framed = accepted(found).await;
        let header: Header = framed.recv_json().await.unwrap().unwrap();
        let mut body = framed.body(header.filesize).unwrap();
        let (mut job, mut filling) = (write(file, Vec::new()), Vec::new());
        while let Some(chunk) = body.chunk().await.unwrap() {
            filling.extend_from_slice(chunk);
            if filling.len() >= CHUNK {
                let (file, empty) = done(job).await;
                job = write(file, mem::replace(&mut filling, empty));
            }
        }
        done(write(done(job).await.0, filling)).await;
    });
}

pub(super) fn send(to: &str, file: File, header: &Header) -> Instant {
    block_on(async {
        let mut framed = connected(to).await;
        let begun = Instant::now();
        framed.feed_json(header).await.unwrap();
        let mut body = framed.body_writer(header.filesize).unwrap();
        let (mut job, mut spare) = (read(file, Vec::new()), Vec::new());
        loop {
            let (file, full) = done(job).await;
            if full.is_empty() {
                break;
            }
            job = read(file, spare);
            body.write_all(&full).await.unwrap();
            spare = full;
        }
        framed.finish().await.unwrap();
        begun
    })
}
