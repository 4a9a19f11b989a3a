//! curl, which has pins of its own.

use socketry_tls::{Identity, Tls};
use socketry_transport::{BoxSocket, Listener, RecvExt, SendExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::process::Peer;
use super::scripts::VERSIONS;
use super::tools;
use super::{AUTHORITY, DEADLINE, SERVER, has_version, listen, pattern, shown};

fn curl(port: u16, more: &[&str]) -> Peer {
    let mut arguments: Vec<_> = ["-sS", "--http1.1", "--noproxy", "*", "--cacert"]
        .map(str::to_owned)
        .into();
    arguments.push(shown(&AUTHORITY.file()));
    arguments.push("--resolve".to_owned());
    arguments.push(format!("server.example:{port}:127.0.0.1"));
    arguments.extend(more.iter().map(|word| (*word).to_owned()));
    arguments.push(format!("https://server.example:{port}/"));
    Peer::start("curl", &arguments)
}

/// Reads a request with a body, and answers with the same body.
async fn answer(mut socket: BoxSocket) {
    let (mut request, mut buf) = (Vec::new(), vec![0; 65_536]);
    let body = loop {
        let (len, _) = socket.recv(&mut buf).await.unwrap();
        assert!(len > 0, "the request ended");
        request.extend_from_slice(&buf[..len]);
        let Some(at) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let body = &request[at + 4..];
        if body.len() == pattern().len() {
            break body.to_vec();
        }
    };
    let len = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n");
    socket.send_all(head.as_bytes()).await.unwrap();
    socket.send_all(&body).await.unwrap();
    socket.finish().await.unwrap();
}

#[tokio::test]
async fn curl_uploads_and_downloads() {
    if !tools::has("curl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("body");
    std::fs::write(&file, pattern()).unwrap();
    let body = format!("@{}", file.display());
    for version in VERSIONS {
        let mut listener = listen(Tls::new(), "alpn=http/1.1").await;
        let port = listener.local().port().unwrap();
        let low = format!("--tlsv{version}");
        // "Expect: 100-continue" would wait for an answer that nobody gives.
        let more = [
            &low,
            "--tls-max",
            version,
            "--data-binary",
            &body,
            "-H",
            "Expect:",
        ];
        let peer = curl(port, &more);
        let socket = timeout(DEADLINE, listener.accept()).await.unwrap().unwrap();
        has_version(&socket, version);
        let ((come, errors), ()) = tokio::join!(peer.end(), answer(socket));
        assert_eq!(errors, "");
        assert!(come == pattern(), "{} bytes came", come.len());
    }
}

#[tokio::test]
async fn curl_and_this_crate_mean_the_same_by_a_pin() {
    if !tools::has("curl") {
        return;
    }
    let pin = Identity::from_files([(&SERVER.cert, &SERVER.key)])
        .unwrap()
        .pin()
        .unwrap();
    let base64 = pin.to_string()[7..].replace('-', "+").replace('_', "/");
    for (pin, fits) in [
        (format!("sha256//{base64}="), true),
        (format!("sha256//{}=", "A".repeat(43)), false),
    ] {
        let (line, mut lines) = mpsc::unbounded_channel();
        let tls = Tls::new().on_failure(move |failure| {
            let _ = line.send(failure.to_string());
        });
        let mut listener = listen(tls, "alpn=http/1.1").await;
        let port = listener.local().port().unwrap();
        let peer = curl(port, &["--pinnedpubkey", &pin, "-d", "x"]);
        let serving = tokio::spawn(async move {
            while let Ok(mut socket) = listener.accept().await {
                let _ = socket.recv(&mut [0; 4096]).await;
                let _ = socket
                    .send_all(b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n")
                    .await;
                let _ = socket.finish().await;
            }
        });
        let (_, errors) = peer.end().await;
        assert_eq!(errors.is_empty(), fits, "{errors}");
        serving.abort();
        drop(lines.try_recv());
    }
}

/// curl names the protocols of the web. A server of ours does not speak them, and says so.
#[tokio::test]
async fn curl_is_refused_where_no_web_server_is() {
    if !tools::has("curl") {
        return;
    }
    let (line, mut lines) = mpsc::unbounded_channel();
    let tls = Tls::new().on_failure(move |failure| {
        let _ = line.send(failure.to_string());
    });
    let mut listener = listen(tls, "").await;
    let port = listener.local().port().unwrap();
    let accepting = tokio::spawn(async move { listener.accept().await.map(drop) });
    let (_, errors) = curl(port, &["-d", "x"]).end().await;
    assert!(errors.contains("alert no application protocol"), "{errors}");
    let line = timeout(DEADLINE, lines.recv()).await.unwrap().unwrap();
    assert!(
        line.contains("http/1.1") && line.contains("socketry/1"),
        "{line}"
    );
    accepting.abort();
}
