//! The sticky packet: two sends on TCP can arrive as one read, but never on UDP. The codecs are the
//! cure.

use std::error::Error;

use socketry::prelude::*;
use socketry::transport::Received;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    println!("two sends, {:?} and {:?}:", "{\"n\":1}", "{\"n\":2}");
    for url in ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"] {
        let (mut client, mut server) = pair(url).await?;
        client.send_all(b"{\"n\":1}").await?;
        client.send_all(b"{\"n\":2}").await?;
        println!(
            "  {:14} one read brings {:?}",
            scheme(url),
            read(&mut server).await?
        );
    }

    for name in ["line", "struct", "json", "json:bare"] {
        let codec: BoxCodec = name.parse()?;
        let (client, server) = pair("tcp://127.0.0.1:0").await?;
        let (mut client, mut server) = (
            Framed::new(client, codec.clone()),
            Framed::new(server, codec),
        );
        // Both in one write, on purpose. The codec separates them again.
        client.feed(b"{\"n\":1}").await?;
        client.send(b"{\"n\":2}").await?;
        let first = String::from_utf8_lossy(server.recv().await?.ok_or("closed")?).into_owned();
        let second = String::from_utf8_lossy(server.recv().await?.ok_or("closed")?).into_owned();
        println!("  tcp, {name:9} two frames {first:?} and {second:?}");
    }
    Ok(())
}

fn scheme(url: &str) -> String {
    format!("{}, bare", &url[..3])
}

/// One read, after both sends have had the time to arrive. A peek at TCP's buffer would show the
/// same.
async fn read(socket: &mut BoxSocket) -> Result<String, Box<dyn Error + Send + Sync>> {
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let mut buf = [0; 64];
    let (len, received) = socket.recv(&mut buf).await?;
    assert_eq!(received, Received::Data);
    Ok(String::from_utf8_lossy(&buf[..len]).into_owned())
}

/// Two ends of one conversation. A datagram listener learns of a client by its first datagram, so
/// one is sent.
async fn pair(url: &str) -> Result<(BoxSocket, BoxSocket), Box<dyn Error + Send + Sync>> {
    let mut listener = listen(url).await?;
    let mut client = connect(listener.local()).await?;
    client.send_all(b"hello").await?;
    let mut server = listener.accept().await?;
    read(&mut server).await?;
    Ok((client, server))
}
