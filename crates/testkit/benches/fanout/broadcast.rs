//! The chat that everybody writes: `tokio::sync::broadcast`, and a task for each connection.

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// So many that nobody misses a message of this bench.
const CAPACITY: usize = 1 << 16;

pub(crate) async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let (sender, _) = broadcast::channel(CAPACITY);
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(converse(stream, sender.clone()));
    }
}

async fn converse(stream: TcpStream, sender: broadcast::Sender<Bytes>) {
    let codec = LengthDelimitedCodec::builder().little_endian().new_codec();
    let mut framed = Framed::new(stream, codec);
    let first = framed.next().await.unwrap().unwrap();
    if &first[..] == b"sub" {
        let mut receiver = sender.subscribe();
        while let Ok(message) = receiver.recv().await {
            let head = (message.len() as u32).to_le_bytes();
            let whole = [&head[..], &message].concat();
            if framed.get_mut().write_all(&whole).await.is_err() {
                return;
            }
        }
    }
    while let Some(Ok(frame)) = framed.next().await {
        let _ = sender.send(frame.freeze());
    }
}
