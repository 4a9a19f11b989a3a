//! A TOML file chooses the transport, its options and the codec; the program does not change.
//!
//! ```sh
//! cargo run --example pick_by_config                  # the two configurations below
//! cargo run --example pick_by_config -- service.toml  # yours
//! ```

use std::error::Error;

use serde::Deserialize;
use socketry::codec::{CodecRegistry, CodecSpec, Framed};
use socketry::transport::{
    Endpoint, Listener, Registry, SocketOptions, TcpTransport, UnixTransport,
};

const TCP: &str = r#"
    listen = "tcp://127.0.0.1:0?backlog=16"
    codec = "line:crlf"
    [options]
    nodelay = true
    keepalive = "30s"
    recv_buffer = "256KiB"
"#;

const UNIX: &str = r#"
    listen = "unix://@socketry-pick-by-config"
    codec = { name = "struct:>H", max_frame = 1024 }
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    listen: Endpoint,
    codec: CodecSpec,
    #[serde(default)]
    options: SocketOptions,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1) {
        Some(path) => run(&std::fs::read_to_string(path)?).await,
        None => {
            run(TCP).await?;
            run(UNIX).await
        }
    }
}

async fn run(text: &str) -> Result<(), Box<dyn Error>> {
    let config: Config = toml::from_str(text)?;
    // Options belong to sockets, so the transports that make the sockets have them.
    let registry = Registry::standard()
        .with("tcp", TcpTransport::new(config.options.clone()))
        .with("unix", UnixTransport::new(config.options));

    let mut listener = registry.listen(config.listen).await?;
    let at = listener.local().clone();
    // A codec of your own is `.with("mycodec", |parameters| …)` here, and `codec = "mycodec:x=1"`
    // there.
    let codec = CodecRegistry::standard().named(&config.codec)?;
    let name = codec.name().to_owned();
    let mut client = Framed::new(registry.connect(&at).await?, codec.codec().clone());
    let mut server = Framed::new(listener.accept().await?, codec.into_codec());
    client.send(b"chosen by a file").await?;
    let frame = server.recv().await?.ok_or("closed")?;
    println!("{at} with {name}: {:?}", String::from_utf8_lossy(frame));
    Ok(())
}
