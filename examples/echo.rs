//! An echo server and its client, over any transport and with any codec.
//!
//! ```sh
//! cargo run --example echo                                  # tcp and struct
//! cargo run --example echo -- unix:///tmp/echo.sock line
//! cargo run --example echo -- udp://127.0.0.1:0 raw
//! cargo run --example echo -- wss://127.0.0.1:0/echo raw    # a certificate made for this run
//! cargo run --example echo -- quic://127.0.0.1:0
//! cargo run --example echo -- exec:///bin/cat line          # the child is the server
//! cargo run --example echo -- serial:///dev/ttyUSB0 line    # the server is at the other end
//! cargo run --example echo -- 'tcp://127.0.0.1:0?via=socks5://127.0.0.1:1080'
//! ```
//!
//! With the feature `names`, the URL may be one of a service, whose servers are running elsewhere:
//!
//! ```sh
//! cargo run --example echo --features names -- tcp+srv://_echo._tcp.example.org
//! ```

use std::error::Error;

use socketry::prelude::*;
use socketry::proxy::Via;
use socketry::quic::Quic;
use socketry::tls::{Identity, Tls, Trust};
use socketry::transport::{BoxListener, ExecTransport, Listener, Registry};
use socketry::ws::Ws;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or("tcp://127.0.0.1:0".to_owned());
    let codec = arguments.next().unwrap_or("struct".to_owned());
    run(url.parse()?, codec.parse()?).await
}

async fn run(url: Endpoint, codec: BoxCodec) -> Result<()> {
    let registry = registry()?;
    let (server, to) = served(&registry, url).await?;
    let serving = server.map(|listener| tokio::spawn(echo(listener, codec.clone())));
    let mut client = Framed::new(registry.connect(&to).await?, codec);

    // A JSON object is a frame that every codec carries, also json.
    for text in [r#"{"say":"hello"}"#, r#"{"say":"你好"}"#] {
        client.send(text.as_bytes()).await?;
        let echo = client.recv().await?.ok_or("the server closed early")?;
        println!("{text} came back as {}", String::from_utf8_lossy(echo));
    }
    // Nothing tells the other end of a serial line that this one has finished.
    if client.shape().is_reliable() && to.scheme() != "serial" {
        client.finish().await?;
        // The server ends too: a child process exits.
        while client.recv().await?.is_some() {}
        if let Some(serving) = serving {
            serving.await??;
        }
    }
    Ok(())
}

/// All transports. Where there is TLS, the server's certificate is made now, and it is the only one
/// that the client accepts.
fn registry() -> Result<Registry> {
    let identity = Identity::made(["localhost"])?;
    let trust = Trust::pin(identity.pin()?);
    let tls = Tls::new().identity(identity).trust(trust);
    let registry = Via::new().register(Registry::standard())?;
    let registry = Quic::new()
        .tls(tls.clone())
        .register(tls.register(registry)?);
    let registry = services(Ws::new().register(registry)?);
    #[cfg(target_os = "linux")]
    let registry = registry.with("serial", socketry::transport::SerialTransport::default());
    // A URL of this one starts a program, so it is in no registry by itself.
    Ok(registry.with("exec", ExecTransport::default()))
}

#[cfg(feature = "names")]
fn services(registry: Registry) -> Registry {
    use socketry::names::{Names, Srv};

    Srv::new(Names::system()).register(registry)
}

#[cfg(not(feature = "names"))]
fn services(registry: Registry) -> Registry {
    registry
}

/// The server at `url`, and where its client connects.
async fn served(registry: &Registry, url: Endpoint) -> Result<(Option<BoxListener>, Endpoint)> {
    if is_elsewhere(url.scheme()) {
        return Ok((None, url));
    }
    // The proxies are on the client's way only.
    let proxies: Vec<_> = url.query().filter(|(key, _)| *key == "via").collect();
    let listener = registry.listen(url.clone().without_key("via")).await?;
    println!("listening on {}", listener.local());
    let to = listener.local().clone();
    let to = proxies.iter().fold(to, |to, (key, via)| to.with(key, via));
    Ok((Some(listener), to))
}

/// Whether the server is a child process, at the other end of a line, or one that a service names.
fn is_elsewhere(scheme: &str) -> bool {
    matches!(scheme, "exec" | "serial") || scheme.ends_with("+srv")
}

async fn echo(mut listener: BoxListener, codec: BoxCodec) -> Result<()> {
    let mut server = Framed::new(listener.accept().await?, codec);
    while let Some(frame) = server.recv_bytes().await? {
        server.send(&frame).await?;
    }
    // A WebSocket is closed from both sides already.
    let _ = server.finish().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use socketry_testkit::{Places, in_time};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn echoes(url: &str, codec: &str) {
        let running = run(url.parse().unwrap(), codec.parse().unwrap());
        let ran = in_time(url, running).await;
        ran.unwrap_or_else(|error| panic!("{url} {codec}: {error}"));
    }

    /// The schemes whose sockets a URL opens. Not among them: those of a child process, of a device,
    /// and of sockets that a process was started with.
    const SCHEMES: [&str; 13] = [
        "tcp",
        "udp",
        "unix",
        "unix-dgram",
        "unix-seqpacket",
        "mem",
        "mem-mux",
        "tls",
        "tls+unix",
        "ws",
        "wss",
        "ws+unix",
        "quic",
    ];
    const OTHERS: [&str; 5] = ["exec", "fd", "serial", "systemd", "stdio"];

    #[tokio::test]
    async fn every_scheme_echoes() {
        let places = Places::new();
        for scheme in SCHEMES {
            for codec in ["struct", "line", "json"] {
                let url = match scheme {
                    "mem-mux" => "mem-mux://*".to_owned(),
                    scheme => places.free(scheme).without_key("identity").to_string(),
                };
                echoes(&url, codec).await;
            }
        }
    }

    #[test]
    fn every_scheme_of_the_registry_is_tried() {
        for scheme in registry().unwrap().schemes() {
            // A service has its servers already.
            let is_service = scheme.ends_with("+srv");
            let known = is_service || SCHEMES.contains(&scheme) || OTHERS.contains(&scheme);
            assert!(known, "{scheme} is tried by no test here");
        }
    }

    #[tokio::test]
    async fn a_child_process_echoes() {
        echoes("exec:///bin/cat", "line").await;
    }

    /// A proxy for one client (CONNECT, RFC 9110, section 9.3.6).
    async fn proxy(listener: TcpListener) {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(client.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let to = request.split(' ').nth(1).unwrap();
        let mut server = TcpStream::connect(to).await.unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }

    #[tokio::test]
    async fn a_client_behind_a_proxy_echoes() {
        for scheme in ["tcp", "tls", "ws", "wss"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let via = format!("http://{}", listener.local_addr().unwrap());
            let proxying = tokio::spawn(proxy(listener));
            echoes(&format!("{scheme}://127.0.0.1:0?via={via}"), "line").await;
            proxying.await.unwrap();
        }
    }
}
