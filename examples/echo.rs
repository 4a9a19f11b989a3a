//! An echo server and its client, over any transport and with any codec.
//!
//! ```sh
//! cargo run --example echo                                  # tcp and struct
//! cargo run --example echo -- unix:///tmp/echo.sock line
//! cargo run --example echo -- udp://127.0.0.1:0 raw
//! ```
//!
//! With the feature `names`, the URL may be one of a service, whose servers are running elsewhere:
//!
//! ```sh
//! cargo run --example echo --features names -- tcp+srv://_echo._tcp.example.org
//! ```

use std::error::Error;

use socketry::prelude::*;
use socketry::transport::Registry;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or("tcp://127.0.0.1:0".to_owned());
    let codec: BoxCodec = arguments.next().unwrap_or("struct".to_owned()).parse()?;

    let registry = transports();
    let at: Endpoint = url.parse()?;
    // A service has its servers already.
    let (at, serving) = match at.scheme().ends_with("+srv") {
        true => (at, None),
        false => {
            let mut listener = registry.listen(at).await?;
            let at = listener.local().clone();
            println!("listening on {at}");
            let codec = codec.clone();
            let serving = tokio::spawn(async move {
                let mut server = Framed::new(listener.accept().await?, codec);
                while let Some(frame) = server.recv_bytes().await? {
                    server.send(&frame).await?;
                }
                Ok::<_, Failure>(())
            });
            (at, Some(serving))
        }
    };
    let mut client = Framed::new(registry.connect(&at).await?, codec);

    // A JSON object is a frame that every codec carries, also json.
    for text in [r#"{"say":"hello"}"#, r#"{"say":"你好"}"#] {
        client.send(text.as_bytes()).await?;
        let echo = client.recv().await?.ok_or("the server closed early")?;
        println!("{text} came back as {}", String::from_utf8_lossy(echo));
    }
    if client.shape().is_reliable() {
        client.finish().await?;
        if let Some(serving) = serving {
            serving.await??;
        }
    }
    Ok(())
}

#[cfg(feature = "names")]
fn transports() -> Registry {
    use socketry::names::{Names, Srv};

    Srv::new(Names::system()).register(Registry::standard())
}

#[cfg(not(feature = "names"))]
fn transports() -> Registry {
    Registry::standard()
}
