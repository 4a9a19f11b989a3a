//! The targets of the attacks: `Framed` after a listener of each stream transport, and the three
//! apps.

use socketry_apps::matrix::App;
use socketry_apps::{AppError, Service, chat, command, file};
use socketry_codec::{BoxCodec, CodecSpec, Framed};
use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, Endpoint, Listener, connect, listen};

/// The transports that carry streams.
pub(crate) const STREAMS: [&str; 3] = ["tcp", "unix", "mem"];

/// Both ends of a connection. The attacker's end has no codec.
pub(crate) async fn pair(at: &Endpoint) -> (BoxSocket, BoxSocket) {
    let mut listener = listen(at).await.unwrap();
    let attacker = connect(listener.local()).await.unwrap();
    (attacker, listener.accept().await.unwrap())
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
    Service::with_codec(codec).unwrap()
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
