//! The tutorial's `MySocket`: a UDP socket that carries an encoding and speaks text.
//!
//! In Python it was `MySocket(encoding='gbk')` with `my_sendto(text, addr)` and `my_recvfrom(n)`.

use std::error::Error;

use socketry::transport::{PeerAddr, TextPolicy, TextSocket};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = TextSocket::udp_at("udp://127.0.0.1:0", "gbk").await?;
    let client = TextSocket::udp("gbk").await?;
    let to = PeerAddr::try_from(server.local())?;

    client.send_to("在吗? Is anybody there?", &to).await?;
    let (text, from) = server.recv_from(1024).await?;
    println!("server got {text:?} from {from}");
    server.send_to("在", &from).await?;
    println!("client got {:?}", client.recv_from(1024).await?.0);

    // A character that the encoding lacks is refused, and nothing is sent.
    match client.send_to("smile 🙂", &to).await {
        Err(error) => println!("refused: {error}"),
        Ok(()) => return Err("GBK has no emoji".into()),
    }

    // By default, bytes in another encoding are an error that names the encoding. Other policies
    // can be chosen.
    let utf8 = TextSocket::udp("utf-8").await?;
    utf8.send_to("你在吗", &to).await?;
    println!("strict: {:?}", server.recv_from(1024).await);
    let server = server.with_policy(TextPolicy::Detect);
    utf8.send_to("你在吗", &to).await?;
    println!("detect: {:?}", server.recv_from(1024).await?.0);
    Ok(())
}
