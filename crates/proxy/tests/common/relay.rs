//! A small proxy for tests: SOCKS5 and CONNECT at one port, told apart by their first byte.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy that runs until this is dropped. It carries half-closes, and makes an end of a reset.
pub(crate) struct Relay {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    running: JoinHandle<()>,
}

impl Relay {
    /// One without a password.
    pub(crate) async fn start() -> Self {
        Relay::with_password(None).await
    }

    /// One for this user with this password.
    pub(crate) async fn with_password(user: Option<(&'static str, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let address = listener.local_addr().unwrap();
        let told = Arc::clone(&asked);
        let running = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let told = Arc::clone(&told);
                tokio::spawn(async move { serve(client, user, &told).await });
            }
        });
        Relay {
            address,
            asked,
            running,
        }
    }

    /// Its URL.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// What it was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn serve(
    mut client: TcpStream,
    user: Option<(&str, &str)>,
    asked: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut first = [0; 1];
    client.peek(&mut first).await?;
    let (target, socks) = match first {
        [5] => (socks5(&mut client, user).await?, true),
        _ => (connect(&mut client, user).await?, false),
    };
    let Some(target) = target else {
        return Ok(());
    };
    asked.lock().unwrap().push(target.clone());
    let server = TcpStream::connect(target).await;
    let answer: &[u8] = match (&server, socks) {
        (Ok(_), true) => b"\x05\x00\x00\x03\x05where\x00\x50",
        (Err(_), true) => b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00",
        (Ok(_), false) => b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n",
        (Err(_), false) => b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
    };
    client.write_all(answer).await?;
    let (from, to) = server?.into_split();
    let (read, write) = client.into_split();
    tokio::try_join!(pump(read, to), pump(from, write)).map(|_| ())
}

/// Copies up to the end or a reset, and ends the other side. An error is one of the other side.
async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut buf = [0; 16 << 10];
    while let Ok(len @ 1..) = from.read(&mut buf).await {
        to.write_all(&buf[..len]).await?;
    }
    // It may be gone.
    let _ = to.shutdown().await;
    Ok(())
}

async fn socks5(client: &mut TcpStream, user: Option<(&str, &str)>) -> io::Result<Option<String>> {
    let mut head = [0; 2];
    client.read_exact(&mut head).await?;
    let mut methods = vec![0; usize::from(head[1])];
    client.read_exact(&mut methods).await?;
    let method = if user.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        client.write_all(&[5, 0xff]).await?;
        return Ok(None);
    }
    client.write_all(&[5, method]).await?;
    if let Some((user, password)) = user {
        let version = client.read_u8().await?;
        let said = (field(client).await?, field(client).await?);
        let is_right = said == (user.into(), password.into());
        client.write_all(&[version, u8::from(!is_right)]).await?;
        if !is_right {
            return Ok(None);
        }
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => {
            let mut ip = [0; 4];
            client.read_exact(&mut ip).await?;
            Ipv4Addr::from(ip).to_string()
        }
        3 => String::from_utf8(field(client).await?).unwrap(),
        _ => {
            let mut ip = [0; 16];
            client.read_exact(&mut ip).await?;
            format!("[{}]", Ipv6Addr::from(ip))
        }
    };
    let port = client.read_u16().await?;
    Ok(Some(format!("{host}:{port}")))
}

async fn field(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let len = client.read_u8().await?;
    let mut bytes = vec![0; usize::from(len)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn connect(client: &mut TcpStream, user: Option<(&str, &str)>) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    // "ann:secret" in base64, which is all that the tests use.
    let proof = "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n";
    if user.is_some() && !head.contains(proof) {
        let refusal = b"HTTP/1.1 407 Who is there\r\n\r\n";
        client.write_all(refusal).await?;
        return Ok(None);
    }
    let target = head.split(' ').nth(1).unwrap();
    assert!(head.contains(&format!("\r\nHost: {target}\r\n")), "{head}");
    Ok(Some(target.to_owned()))
}
