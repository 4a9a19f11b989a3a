//! A JSON header of your own types, a body that is never in memory as a whole, an error that does
//! not end the conversation, and a sender that many tasks share.

use std::error::Error;

use serde::{Deserialize, Serialize};
use socketry::codec::{Fault, Json};
use socketry::prelude::*;

#[derive(Debug, Deserialize, Serialize)]
struct Header {
    name: String,
    size: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut listener = listen("tcp://127.0.0.1:0").await?;
    let client = tokio::spawn(send(listener.local().clone()));
    let mut server = Framed::new(listener.accept().await?, Json::default().max_frame(256));
    loop {
        let header = match server.recv_json::<Header>().await {
            Ok(Some(header)) => header,
            Ok(None) => break,
            Err(error) if !error.is_fatal() => {
                assert!(matches!(error.codec_fault(), Some(Fault::TooLong { .. })));
                println!("passed over: {error}");
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        // The application takes the body's length from its header. The codec only knows headers.
        let mut body = server.body(header.size)?;
        let mut sum = 0u64;
        while let Some(piece) = body.chunk().await? {
            sum += piece.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        }
        println!("{header:?}, and the bytes of its body make {sum}");
    }
    client.await?
}

async fn send(to: Endpoint) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut client = Framed::new(connect(to).await?, Json::default());
    let payload = vec![1; 1 << 20];
    let header = Header {
        name: "a body".into(),
        size: payload.len() as u64,
    };
    client.feed_json(&header).await?;
    client.body_writer(header.size)?.write_all(&payload).await?;
    client.flush().await?;
    // Longer than the server accepts: it answers with an error, and goes on.
    client
        .send_json(&Header {
            name: "x".repeat(1000),
            size: 0,
        })
        .await?;

    let (_receiving, sending) = client.split();
    let sender = sending.into_sender().typed::<Header, Json>();
    let tasks = ["one task", "another task"].map(|name| {
        let sender = sender.clone();
        tokio::spawn(async move {
            let name = name.into();
            sender.send(&Header { name, size: 0 }).await
        })
    });
    for task in tasks {
        task.await??;
    }
    Ok(sender.into_inner().finish().await?)
}
