//! Hello, world, with nothing but `socketry` and `tokio`: two tasks that greet each other.
//!
//! ```sh
//! cargo run -p socketry --example hello                       # tcp and line
//! cargo run -p socketry --example hello -- mem://hello json
//! ```
#![allow(clippy::print_stdout, reason = "that is what an example is for")]

use socketry::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "tcp://127.0.0.1:0".into());
    let codec: BoxCodec = arguments.next().unwrap_or_else(|| "line".into()).parse()?;

    let mut listener = listen(url.as_str()).await?;
    let server = listener.local().clone();
    println!("listening on {server}");

    let asked = async {
        let mut client = Framed::new(connect(&server).await?, codec.clone());
        client.send(br#"{"hello":"world"}"#).await?;
        if let Some(answer) = client.recv().await? {
            println!("the client hears {}", String::from_utf8_lossy(answer));
        }
        client.close().await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    let answered = async {
        let mut peer = Framed::new(listener.accept().await?, codec.clone());
        while let Some(frame) = peer.recv_bytes().await? {
            println!("the server hears {}", String::from_utf8_lossy(&frame));
            peer.send(&frame).await?;
        }
        peer.close().await?;
        Ok(())
    };
    tokio::try_join!(asked, answered)?;
    Ok(())
}
