//! A peer on the left, a relay, and a peer on the right.

use std::sync::Arc;
use std::time::Duration;

use socketry_codec::{BoxCodec, Framed};
use socketry_service::{Relay, RelayError, Traffic};
use socketry_testkit::Places;
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{BoxSocket, Listener, Registry};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A side of the relay: the scheme, and the codec.
pub(crate) type Side<'a> = (&'a str, &'a str);

pub(crate) type Peer = Framed<BoxSocket>;

pub(crate) type Relaying = Relay<BoxSocket, BoxSocket>;

pub(crate) struct Line {
    pub(crate) left: Peer,
    pub(crate) right: Peer,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) relaying: JoinHandle<Result<(), RelayError>>,
    _places: Places,
}

/// Transports of all schemes, where clients trust the certificate of the servers, and no end of TLS
/// is one without its `close_notify`.
fn transports() -> Registry {
    let identity = Identity::made(["localhost"]).unwrap();
    let tls = Tls::new().require_close_notify(true);
    let tls = tls.trust(Trust::pin(identity.pin().unwrap()));
    tls.identity(identity)
        .register(Registry::standard())
        .unwrap()
}

/// Lines them up, and sends `first` from the left: some transports know no client before that.
pub(crate) async fn line(
    near: Side<'_>,
    far: Side<'_>,
    first: &[u8],
    tuned: impl FnOnce(Relaying) -> Relaying,
) -> Line {
    let (transports, places) = (transports(), Places::new());
    let codec = |name: &str| name.parse::<BoxCodec>().unwrap();
    let free = |scheme: &str| match scheme {
        // Not with an identity of its own.
        "tls" => "tls://127.0.0.1:0".parse().unwrap(),
        _ => places.free(scheme),
    };
    let mut at_near = transports.listen(free(near.0)).await.unwrap();
    let mut at_far = transports.listen(free(far.0)).await.unwrap();
    let (to_near, to_far) = (at_near.local().clone(), at_far.local().clone());
    let left = async {
        let mut left = Framed::new(transports.connect(to_near).await.unwrap(), codec(near.1));
        left.send(first).await.unwrap();
        left
    };
    let (left, accepted) = tokio::join!(left, at_near.accept());
    let accepted = Framed::new(accepted.unwrap(), codec(near.1));
    let relay = async {
        let dialled = transports.connect(to_far).await.unwrap();
        let relay = tuned(Relay::new(accepted, Framed::new(dialled, codec(far.1))));
        let traffic = relay.traffic();
        (traffic, tokio::spawn(relay.run()))
    };
    let ((traffic, relaying), right) = tokio::join!(relay, at_far.accept());
    let mut right = Framed::new(right.unwrap(), codec(far.1));
    assert_eq!(
        soon(right.recv()).await.unwrap(),
        Some(first),
        "{near:?} to {far:?}"
    );
    Line {
        left,
        right,
        traffic,
        relaying,
        _places: places,
    }
}

/// What must happen in a time that no busy machine needs.
pub(crate) async fn soon<T>(step: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), step).await.unwrap()
}

/// Sends `frame` from one peer, and receives it at the other.
pub(crate) async fn carried(from: &mut Peer, to: &mut Peer, frame: &[u8]) {
    let (sent, received) = soon(async { tokio::join!(from.send(frame), to.recv()) }).await;
    sent.unwrap();
    assert!(received.unwrap() == Some(frame), "{from:?} to {to:?}");
}
