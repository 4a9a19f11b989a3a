//! Alerts that programs of others get from us.

use socketry_tls::Tls;
use socketry_transport::{Listener, RecvExt, Socket};
use tokio::time::timeout;

use super::process::Peer;
use super::programs::is_here;
use super::scripts::VERSIONS;
use super::{AUTHORITY, DEADLINE, listen, shown};

/// A client that sends a record which was changed on the way, and prints why its read failed.
const CHANGED: &str = r#"
import socket, ssl, sys

version, port, ca = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.minimum_version = context.maximum_version = ssl.TLSVersion["TLSv" + version.replace(".", "_")]
context.load_verify_locations(ca)
plain = socket.create_connection(("127.0.0.1", int(port)))
come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(come, go, server_hostname="server.example")


def until_done(step):
    while True:
        try:
            return step()
        except ssl.SSLWantReadError:
            plain.sendall(go.read())
            if data := plain.recv(65536):
                come.write(data)
            else:
                come.write_eof()


until_done(tls.do_handshake)
plain.sendall(go.read())
tls.write(b"hello")
record = bytearray(go.read())
record[-1] ^= 1
plain.sendall(record)
try:
    print("came:", until_done(lambda: tls.read(1)))
except ssl.SSLError as error:
    print(error.reason)
"#;

/// It leaves though our end sends nothing, and keeps its sending half.
#[tokio::test]
async fn a_peer_is_told_why_our_receiving_half_has_failed() {
    if !is_here("sync") {
        return;
    }
    let ca = shown(&AUTHORITY.file());
    for version in VERSIONS {
        let mut listener = listen(Tls::new(), "").await;
        let port = listener.local().port().unwrap().to_string();
        let words = ["-c", CHANGED, version, &port, &ca].map(str::to_owned);
        let mut peer = Peer::start("python3", &words).lines();
        let socket = timeout(DEADLINE, listener.accept()).await.unwrap().unwrap();
        let (mut recv, send) = socket.split();
        let received = timeout(DEADLINE, recv.recv(&mut [0; 8])).await.unwrap();
        let error = received.unwrap_err().to_string();
        assert!(error.contains("was changed on the way"), "{error}");
        let told = peer.next().await;
        assert!(told.ends_with("ALERT_BAD_RECORD_MAC"), "{version}: {told}");
        drop((recv, send));
    }
}
