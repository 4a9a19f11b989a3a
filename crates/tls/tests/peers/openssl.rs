//! OpenSSL's own client and server.

use socketry_tls::{Identity, Tls};
use socketry_transport::{Listener, RecvHalf, SendExt, Socket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::process::Peer;
use super::scripts::VERSIONS;
use super::tools;
use super::{AUTHORITY, COUNT, DEADLINE, SERVER, connect, has_version, listen, pattern, shown};

/// How often it is asked whether a program listens by now, which does not say so.
const POLL: std::time::Duration = std::time::Duration::from_millis(10);

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn flag(version: &str) -> String {
    format!("-tls{}", version.replace('.', "_"))
}

async fn read_pattern(recv: &mut impl RecvHalf) {
    use socketry_transport::RecvExt;
    let (mut all, mut buf) = (Vec::new(), vec![0; 65_536]);
    while all.len() < COUNT {
        let (len, _) = recv.recv(&mut buf).await.unwrap();
        assert!(len > 0, "it ended after {} bytes", all.len());
        all.extend_from_slice(&buf[..len]);
    }
    assert!(all == pattern());
}

/// Much both ways at once, and then our end.
async fn exchange(mut peer: Peer, socket: impl Socket) {
    let (mut recv, mut send) = socket.split();
    let (mut stdin, bytes) = (peer.stdin.take().unwrap(), pattern());
    let talk = async {
        let mut come = vec![0; COUNT];
        let ours = async { send.send_all(&bytes).await.unwrap() };
        let theirs = async { stdin.write_all(&bytes).await.unwrap() };
        let read = async { peer.stdout.read_exact(&mut come).await.unwrap() };
        tokio::join!(ours, theirs, read, read_pattern(&mut recv));
        assert!(come == bytes, "what {} bytes are", come.len());
        send.finish().await.unwrap();
    };
    timeout(DEADLINE, talk).await.unwrap();
    // It ends at our close_notify, though its input is open.
    let mut rest = Vec::new();
    timeout(DEADLINE, peer.stdout.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    drop(stdin);
}

#[tokio::test]
async fn s_server_serves() {
    if !tools::has("openssl") {
        return;
    }
    for version in VERSIONS {
        let port = free_port();
        let arguments = format!(
            "s_server -quiet -naccept 1 {} -accept 127.0.0.1:{port} -cert {} -key {}",
            flag(version),
            shown(&SERVER.cert),
            shown(&SERVER.key),
        );
        let peer = Peer::start("openssl", &words(&arguments));
        let ca = format!("ca={}", AUTHORITY.file().display());
        let socket = loop {
            match connect(port, &ca).await {
                Ok(socket) => break socket,
                // It does not say when it listens.
                Err(error) if error.kind() == socketry_transport::ErrorKind::Refused => {
                    tokio::time::sleep(POLL).await;
                }
                Err(error) => panic!("{error}"),
            }
        };
        has_version(&socket, version);
        exchange(peer, socket).await;
    }
}

#[tokio::test]
async fn s_client_connects() {
    if !tools::has("openssl") {
        return;
    }
    for version in VERSIONS {
        let mut listener = listen(Tls::new(), "").await;
        let arguments = format!(
            "s_client -quiet {} -connect 127.0.0.1:{} -CAfile {} -verify_return_error \
             -x509_strict -verify_hostname server.example -servername server.example",
            flag(version),
            listener.local().port().unwrap(),
            shown(&AUTHORITY.file()),
        );
        let peer = Peer::start("openssl", &words(&arguments));
        let socket = listener.accept().await.unwrap();
        has_version(&socket, version);
        exchange(peer, socket).await;
    }
}

/// Tickets that our client does not read do not destroy what it sent: `close` reads them.
#[tokio::test]
async fn what_was_sent_to_a_server_with_tickets_arrives() {
    if !tools::has("openssl") {
        return;
    }
    for _ in 0..5 {
        let port = free_port();
        let arguments = format!(
            "s_server -quiet -naccept 1 -num_tickets 2 -accept 127.0.0.1:{port} -cert {} -key {}",
            shown(&SERVER.cert),
            shown(&SERVER.key),
        );
        let peer = Peer::start("openssl", &words(&arguments));
        let ca = format!("ca={}", AUTHORITY.file().display());
        let mut socket = loop {
            if let Ok(socket) = connect(port, &ca).await {
                break socket;
            }
            tokio::time::sleep(POLL).await;
        };
        let sending = async {
            socket.send_all(&pattern()).await.unwrap();
            socketry_transport::close(socket, 65_536, DEADLINE)
                .await
                .unwrap();
        };
        let mut come = Vec::new();
        let mut peer = peer;
        let ((), read) = tokio::join!(sending, peer.stdout.read_to_end(&mut come));
        read.unwrap();
        assert!(come == pattern(), "{} bytes came", come.len());
    }
}

/// The pin is the hash of the key as OpenSSL writes it.
#[tokio::test]
async fn the_pin_is_what_openssl_computes() {
    if !tools::has("openssl") {
        return;
    }
    let pin = Identity::from_files([(&SERVER.cert, &SERVER.key)])
        .unwrap()
        .pin()
        .unwrap();
    let command = format!(
        "openssl x509 -in {} -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256",
        shown(&SERVER.cert)
    );
    let (out, _) = Peer::start("sh", &["-c".to_owned(), command]).end().await;
    let out = String::from_utf8(out).unwrap();
    let hex = out.trim().rsplit(' ').next().unwrap();
    assert_eq!(format!("sha256:{hex}").parse(), Ok(pin));
}

/// A port that was free a moment ago: `s_server` does not tell which it takes.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
