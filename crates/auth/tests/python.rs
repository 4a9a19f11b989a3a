//! The scripts of `docs/auth.md`, run by CPython in both roles, over TCP and TLS.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::path::Path;
use std::process::Stdio;

use common::{DEADLINE, Server, name, read_all, token, tokens};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair};
use socketry_auth::Auth;
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{ErrorKind, Registry, SendExt};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What a script does around the documented one.
const AROUND: &str = r#"
import socket, ssl, sys

role, version, port, folder, name, secret = sys.argv[1:]
name, secret = name.encode(), bytes.fromhex(secret)
cert, key = folder + "/cert.pem", folder + "/key.pem"
versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

def context(purpose):
    made = ssl.create_default_context(purpose, cafile=cert)
    made.minimum_version = made.maximum_version = versions[version]
    return made

if role == "client":
    sock = socket.create_connection(("127.0.0.1", int(port)))
    if version != "tcp":
        made = context(ssl.Purpose.SERVER_AUTH)
        sock = made.wrap_socket(sock, server_hostname="localhost")
    prove(sock, name, secret)
    sock.sendall(b"from python")
    print(sock.recv(99).decode())
    sock.close()
else:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    sock, der = listener.accept()[0], b""
    if version != "tcp":
        made = context(ssl.Purpose.CLIENT_AUTH)
        made.load_cert_chain(cert, key)
        sock = made.wrap_socket(sock, server_side=True)
        der = ssl.PEM_cert_to_DER_cert(open(cert).read())
    print(check(sock, {name: secret}, der).decode(), flush=True)
    sock.sendall(b"from python")
    print(sock.recv(99).decode())
    sock.close()
"#;

/// The blocks of Python in the documentation.
fn documented() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/auth.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("```python\n").skip(1);
    let blocks: Vec<_> = blocks
        .map(|block| block.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 2);
    blocks.concat()
}

/// A certificate of a server that everybody here trusts, in files.
fn certificate() -> (TempDir, Identity) {
    let directory = TempDir::new().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![
        rcgen::KeyUsagePurpose::DigitalSignature,
        rcgen::KeyUsagePurpose::KeyCertSign,
    ];
    let certificate = params.self_signed(&key).unwrap();
    let at = |name| directory.path().join(name);
    std::fs::write(at("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(at("key.pem"), key.serialize_pem()).unwrap();
    private(&at("key.pem"));
    let identity = Identity::from_files([(at("cert.pem"), at("key.pem"))]).unwrap();
    (directory, identity)
}

#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_path: &Path) {}

fn start(role: &str, version: &str, port: u16, folder: &Path, secret: u8) -> Child {
    let script = documented() + AROUND;
    let secret = format!("{secret:02x}").repeat(32);
    Command::new("python3")
        .arg("-c")
        .arg(script)
        .args([role, version, &port.to_string()])
        .arg(folder)
        .args(["ann", &secret])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn ended(child: Child) -> (String, String) {
    let ended = timeout(DEADLINE, child.wait_with_output()).await;
    let ended = ended.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(ended.stdout), text(ended.stderr))
}

const VERSIONS: [&str; 3] = ["tcp", "1.2", "1.3"];

fn scheme(version: &str) -> &'static str {
    if version == "tcp" { "tcp" } else { "tls" }
}

fn below(identity: &Identity) -> Registry {
    let trust = Trust::pin(identity.pin().unwrap());
    let tls = Tls::new().identity(identity.clone()).trust(trust);
    tls.register(Registry::standard()).unwrap()
}

#[tokio::test]
async fn cpython_proves_a_token() {
    if !tools::has("python3") {
        return;
    }
    let (folder, identity) = certificate();
    for version in VERSIONS {
        let url = format!("{}://127.0.0.1:0", scheme(version));
        let auth = Auth::new().require(tokens());
        let mut server = Server::of(&url, auth, below(&identity)).await;
        let port = server.listener_port();
        let child = start("client", version, port, folder.path(), 1);
        let mut socket = server.accept().await;
        assert_eq!(name(&socket), "ann", "{version}");
        socket.send_all(b"from rust").await.unwrap();
        assert_eq!(read_all(&mut socket).await, b"from python");
        assert_eq!(
            ended(child).await,
            ("from rust\n".to_owned(), String::new())
        );

        let child = start("client", version, port, folder.path(), 9);
        let why = server.refuses().await;
        assert!(
            why.contains("the proof of the token 'ann' is wrong"),
            "{why}"
        );
        let (out, error) = ended(child).await;
        assert!(
            out.is_empty() && error.contains("PermissionError"),
            "{error}"
        );
        assert!(
            error.contains("is not known here, or its proof is wrong"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn cpython_checks_a_token() {
    if !tools::has("python3") {
        return;
    }
    let (folder, identity) = certificate();
    for version in VERSIONS {
        for (secret, good) in [(1, true), (9, false)] {
            let mut child = start("server", version, 0, folder.path(), secret);
            let mut out = BufReader::new(child.stdout.take().unwrap());
            let mut port = String::new();
            timeout(DEADLINE, out.read_line(&mut port))
                .await
                .unwrap()
                .unwrap();
            let auth = Auth::new().token(token("ann", 1));
            let registry = auth.register(below(&identity)).unwrap();
            let url = format!("{}://127.0.0.1:{}", scheme(version), port.trim());
            let connected = timeout(DEADLINE, registry.connect(&*url)).await.unwrap();
            if good {
                let mut socket = connected.unwrap();
                socket.send_all(b"from rust").await.unwrap();
                assert_eq!(read_all(&mut socket).await, b"from python");
            } else {
                let error = connected.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Denied, "{version}: {error}");
                assert!(
                    error.to_string().contains("refuses: no such token"),
                    "{error}"
                );
            }
            let mut rest = String::new();
            timeout(DEADLINE, out.read_to_string(&mut rest))
                .await
                .unwrap()
                .unwrap();
            let expected = if good { "ann\nfrom rust\n" } else { "" };
            assert_eq!(rest, expected, "{version}");
            ended(child).await;
        }
    }
}
