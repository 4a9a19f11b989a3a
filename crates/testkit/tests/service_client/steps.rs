//! What the tests share: places, and servers that follow the orders of a test.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use socketry_codec::{Framed, Struct};
use socketry_service::{CallError, Client, ClientBuilder, ClientState, IntegerField, Lost};
use socketry_testkit::{Places, in_time};
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{BoxListener, BoxSocket, Endpoint, Error, Listener, Registry};
use tokio::sync::watch;

/// The schemes of streams.
pub(crate) const STREAMS: [&str; 4] = ["tcp", "unix", "mem", "tls"];
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The server's end of one connection.
pub(crate) type Peer = Framed<BoxSocket, Struct>;

/// One key for all servers of this process, and each client accepts that key alone.
static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let identity = Identity::made(["localhost"]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    let tls = Tls::new().identity(identity).trust(trust);
    tls.register(Registry::standard()).unwrap()
});

pub(crate) async fn listen<E>(at: E) -> Result<BoxListener, Error>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    REGISTRY.listen(at).await
}

/// A listener of `scheme` in a place of its own.
pub(crate) async fn listening(places: &Places, scheme: &str) -> BoxListener {
    let at = match scheme {
        "tls" => places.free("tcp").with_scheme(scheme).unwrap(),
        _ => places.free(scheme),
    };
    listen(at).await.unwrap()
}

/// The settings of a client that speaks TLS too.
pub(crate) fn builder(at: &Endpoint) -> ClientBuilder {
    Client::builder(at).unwrap().registry(REGISTRY.clone())
}

/// A listener where an earlier one was.
pub(crate) async fn listening_again(at: &Endpoint) -> BoxListener {
    in_time("the address becomes free", async {
        loop {
            match listen(at).await {
                Ok(listener) => return listener,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await
}

/// The next client.
pub(crate) async fn accept(listener: &mut BoxListener) -> Peer {
    let socket = in_time("a client connects", listener.accept()).await;
    Framed::new(socket.unwrap(), Struct::default())
}

/// A client in memory, and its first connection.
pub(crate) async fn pair() -> (Client, Peer, BoxListener) {
    let mut listener = listen("mem://*").await.unwrap();
    let client = client(listener.local());
    let peer = accept(&mut listener).await;
    (client, peer, listener)
}

/// The same with ids in the first two bytes of each frame.
pub(crate) async fn pair_with_ids() -> (Client, Peer, BoxListener) {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let client = builder.correlate(ids()).start().unwrap();
    let peer = accept(&mut listener).await;
    (client, peer, listener)
}

pub(crate) fn client(at: &Endpoint) -> Client {
    builder(at).start().unwrap()
}

pub(crate) fn ids() -> IntegerField<u16> {
    IntegerField::at(0)
}

/// A request with room for an id.
pub(crate) fn with_id(words: &str) -> Bytes {
    [b"\0\0", words.as_bytes()].concat().into()
}

/// The next frame that arrives at the server.
pub(crate) async fn hear(peer: &mut Peer) -> Vec<u8> {
    let frame = in_time("a request arrives", peer.recv()).await.unwrap();
    frame.expect("a frame, and not the end").to_vec()
}

/// The client's end.
pub(crate) async fn hear_end(peer: &mut Peer) {
    let frame = in_time("the client ends", peer.recv()).await.unwrap();
    assert_eq!(frame, None);
}

pub(crate) async fn say(peer: &mut Peer, frame: impl AsRef<[u8]>) {
    in_time("an answer leaves", peer.send(frame.as_ref()))
        .await
        .unwrap();
}

/// Answers each frame with itself in upper case, until the client ends.
pub(crate) async fn shout(mut peer: Peer) {
    while let Ok(Some(frame)) = peer.recv().await {
        let answer = frame.to_ascii_uppercase();
        if peer.send(&answer).await.is_err() {
            return;
        }
    }
}

/// Serves all clients so.
pub(crate) async fn shout_to_all(mut listener: BoxListener) {
    while let Ok(socket) = listener.accept().await {
        tokio::spawn(shout(Framed::new(socket, Struct::default())));
    }
}

/// The first state that is `wanted`.
pub(crate) async fn reaches(
    state: &mut watch::Receiver<ClientState>,
    wanted: impl Fn(&ClientState) -> bool,
) -> ClientState {
    let reached = in_time("the state", state.wait_for(wanted)).await;
    reached.unwrap().clone()
}

/// Waits until it has no connection.
pub(crate) async fn lost(client: &Client) -> Lost {
    let waits = |state: &ClientState| matches!(state, ClientState::Waiting { .. });
    match reaches(&mut client.state(), waits).await {
        ClientState::Waiting { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

/// The answer, in time.
pub(crate) async fn answer(
    call: impl Future<Output = Result<Bytes, CallError>>,
) -> Result<Bytes, CallError> {
    in_time("a call", call).await
}
