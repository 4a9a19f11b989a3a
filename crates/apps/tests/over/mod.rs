//! The same test over a plain transport and over TLS, plain scripts included.
#![allow(dead_code, clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use socketry_apps::matrix;
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{BoxListener, BoxSocket, Endpoint, IntoIo, Listener, Registry};
use tokio::io::copy_bidirectional;

/// Streams to another process, of which each behaves differently.
pub(crate) const OVER: [&str; 3] = ["tcp", "tls", "tls+unix"];

/// A URL for a server over `scheme`, with its socket and its certificate in `directory`.
pub(crate) fn url(scheme: &str, directory: &Path) -> String {
    let within = |name: &str| directory.join(name).display().to_string();
    let place = match scheme.ends_with("unix") {
        true => within("s"),
        false => "127.0.0.1:0".to_owned(),
    };
    match scheme.starts_with("tls") {
        true => format!("{scheme}://{place}?identity={}", within("identity")),
        false => format!("{scheme}://{place}"),
    }
}

/// Where plain scripts reach the server at `at`, whatever it speaks.
pub(crate) async fn script_port(at: &Endpoint) -> u16 {
    if let ("tcp", Some((_, port))) = (at.scheme(), at.host_port()) {
        return port;
    }
    let registry = matrix::transports();
    let listener = registry.listen("tcp://127.0.0.1:0").await.unwrap();
    let (_, port) = listener.local().host_port().unwrap();
    tokio::spawn(relay(registry, listener, at.clone()));
    port
}

/// Where a client reaches the plain server at `to` over `scheme`.
pub(crate) async fn before(scheme: &str, directory: &Path, to: Endpoint) -> Endpoint {
    let identity = Identity::made(["localhost"]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    let tls = Tls::new().identity(identity).trust(trust);
    let registry = tls.register(matrix::transports()).unwrap();
    let at: Endpoint = url(scheme, directory).parse().unwrap();
    let listener = registry.listen(&at.without_query()).await.unwrap();
    let local = listener.local().clone();
    tokio::spawn(relay(registry, listener, to));
    tls.pinned(&local).unwrap_or(local)
}

/// Hands on each connection to `to`.
async fn relay(registry: Registry, mut listener: BoxListener, to: Endpoint) {
    while let Ok(socket) = listener.accept().await {
        let (registry, to) = (registry.clone(), to.clone());
        tokio::spawn(async move {
            let other = registry.connect(&to).await.unwrap();
            let io = |socket: BoxSocket| IntoIo::new(socket).unwrap();
            // Either may be gone at any time.
            let _ = copy_bidirectional(&mut io(socket), &mut io(other)).await;
        });
    }
}
