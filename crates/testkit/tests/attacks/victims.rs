//! The targets of the attacks: `Framed` after a listener of each stream transport, and the three
//! apps.

use std::sync::LazyLock;

use socketry_apps::matrix::{self, App};
use socketry_apps::{AppError, Service, chat, command, file};
use socketry_codec::{BoxCodec, CodecSpec, Framed};
use socketry_testkit::{Places, in_time};
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{BoxListener, BoxSocket, Endpoint, Listener, RecvExt, Registry, SendExt};

/// The transports that carry streams.
pub(crate) const STREAMS: [&str; 5] = ["tcp", "unix", "mem", "tls", "tls+unix"];

/// Those that reach another process, of which each behaves differently.
pub(crate) const REMOTE: [&str; 3] = ["tcp", "tls", "tls+unix"];

/// One key for all servers of this process, and each client accepts that key alone, unless its URL
/// has a pin.
pub(crate) static TLS: LazyLock<Tls> = LazyLock::new(|| {
    let identity = Identity::made(["localhost"]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    Tls::new().identity(identity).trust(trust)
});

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| registry(&TLS));

/// The transports of the apps, and `tls` over each that carries streams.
pub(crate) fn registry(tls: &Tls) -> Registry {
    let registry = tls.register(matrix::transports()).unwrap();
    registry.layer_as("tls+mem", "mem", tls.clone()).unwrap()
}

/// A free endpoint, over TLS where the scheme says so.
pub(crate) fn free(places: &Places, scheme: &str) -> Endpoint {
    match scheme.strip_prefix("tls") {
        Some("") => places.free("tcp").with_scheme(scheme).unwrap(),
        Some(over) => places.free(&over[1..]).with_scheme(scheme).unwrap(),
        None => places.free(scheme),
    }
}

pub(crate) async fn connect(to: &Endpoint) -> socketry_transport::Result<BoxSocket> {
    REGISTRY.connect(to).await
}

pub(crate) async fn listen(at: &Endpoint) -> socketry_transport::Result<BoxListener> {
    REGISTRY.listen(at).await
}

/// Each of these over each transport that reaches another process.
pub(crate) fn over_each<T: Copy, const N: usize>(
    attacked: [T; N],
) -> impl Iterator<Item = (&'static str, T)> {
    let over = move |scheme| attacked.map(|one| (scheme, one));
    REMOTE.into_iter().flat_map(over)
}

/// Both ends of a connection. The attacker's end has no codec.
pub(crate) async fn pair(at: &Endpoint) -> (BoxSocket, BoxSocket) {
    let mut listener = listen(at).await.unwrap();
    let to = listener.local().clone();
    let (attacker, victim) = tokio::join!(connect(&to), listener.accept());
    (attacker.unwrap(), victim.unwrap())
}

/// Asserts that bytes pass both ways.
pub(crate) async fn served_once(mut client: BoxSocket, mut server: BoxSocket) {
    let mut buf = [0; 8];
    client.send_all(b"ask").await.unwrap();
    assert_eq!(server.recv(&mut buf).await.unwrap().0, 3);
    server.send_all(b"tell").await.unwrap();
    assert_eq!(client.recv(&mut buf).await.unwrap().0, 4);
}

/// Both ends, where the attacked one has this codec.
pub(crate) async fn framed(at: &Endpoint, codec: BoxCodec) -> (BoxSocket, Framed<BoxSocket>) {
    let (attacker, socket) = pair(at).await;
    (attacker, Framed::new(socket, codec))
}

/// The codec of this name, with frames of `most` bytes. It passes over frames up to 64 KiB.
pub(crate) fn limited(name: &str, most: usize) -> BoxCodec {
    let mut spec = CodecSpec::new(name);
    (spec.max_frame, spec.max_discard) = (Some(most), Some(64 << 10));
    spec.build().unwrap()
}

pub(crate) fn service(codec: &str) -> Service {
    Service {
        registry: REGISTRY.clone(),
        ..Service::with_codec(codec).unwrap()
    }
}

/// Asserts that the app at `at` serves a well-behaved client.
pub(crate) async fn serves(app: App, service: &Service, at: &Endpoint) {
    let served = async {
        match app {
            App::Chat => talk(service, at).await,
            App::Command => run(service, at).await,
            App::File => list(service, at).await,
        }
    };
    let what = format!("{app} with {} at {at}", service.codec.name);
    in_time(&what, served)
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"));
}

async fn talk(service: &Service, at: &Endpoint) -> Result<(), AppError> {
    let mut ann = chat::Client::connect(service, at, Some("ann")).await?;
    let mut bob = chat::Client::connect(service, at, Some("bob")).await?;
    // The server may not have accepted the other yet.
    ann.send("are you there?").await?;
    bob.send("yes").await?;
    while let Some(message) = ann.recv().await? {
        if message.to_string() == "bob : yes" {
            return Ok(());
        }
        bob.send("yes").await?;
    }
    Err(AppError::failed("nobody answers"))
}

async fn run(service: &Service, at: &Endpoint) -> Result<(), AppError> {
    let mut client = command::Client::connect(service, at).await?;
    let mut said = Vec::new();
    let exit = client
        .run("echo here", |_, bytes| {
            said.extend_from_slice(bytes);
            Ok(())
        })
        .await?;
    assert_ne!(exit, command::Exit::Signal(9));
    assert_eq!(said.trim_ascii(), b"here");
    Ok(())
}

async fn list(service: &Service, at: &Endpoint) -> Result<(), AppError> {
    let mut client = file::Client::connect(service, at).await?;
    client.list("/").await.map(drop)
}
