//! An echo server and its client, over any transport and with any codec.
//!
//! ```sh
//! cargo run --example echo                                  # tcp and struct
//! cargo run --example echo -- unix:///tmp/echo.sock line
//! cargo run --example echo -- udp://127.0.0.1:0 raw
//! ```

use std::error::Error;

use socketry::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or("tcp://127.0.0.1:0".to_owned());
    let codec: BoxCodec = arguments.next().unwrap_or("struct".to_owned()).parse()?;

    let mut listener = listen(&url).await?;
    let at = listener.local().clone();
    println!("listening on {at}");

    let mut client = Framed::new(connect(&at).await?, codec.clone());
    let serving = tokio::spawn(async move {
        let mut server = Framed::new(listener.accept().await?, codec);
        while let Some(frame) = server.recv_bytes().await? {
            server.send(&frame).await?;
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    });

    // A JSON object is a frame that every codec carries, also json.
    for text in [r#"{"say":"hello"}"#, r#"{"say":"你好"}"#] {
        client.send(text.as_bytes()).await?;
        let echo = client.recv().await?.ok_or("the server closed early")?;
        println!("{text} came back as {}", String::from_utf8_lossy(echo));
    }
    if client.shape().is_reliable() {
        client.finish().await?;
        serving.await??;
    }
    Ok(())
}
