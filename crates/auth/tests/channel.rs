//! Tokens over TLS: bound to the certificate, and to the keys of the connection.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Server, line, name, say, token, tokens};
use socketry_auth::{Auth, ChannelBinding};
use socketry_tls::{Identity, Tls, TlsInfo, Trust};
use socketry_transport::{
    BoxSocket, Endpoint, ErrorKind, Half, IntoIo, Joined, Listener, ListenerExt, MemListener,
    MemSocket, MemTransport, Registry, Relabelled, Result, SendExt, Socket, Stack, Transport,
    UpgradeLimits, Upgrading, async_trait, relabel,
};

fn tls(identity: &Identity) -> Registry {
    let tls = Tls::new().identity(identity.clone());
    let tls = tls.trust(Trust::pin(identity.pin().unwrap()));
    tls.register(Registry::standard()).unwrap()
}

fn client(identity: &Identity) -> Registry {
    Auth::new()
        .token(token("ann", 1))
        .register(tls(identity))
        .unwrap()
}

async fn server(identity: &Identity) -> Server {
    let auth = Auth::new().require(tokens());
    Server::of("tls://127.0.0.1:0", auth, tls(identity)).await
}

#[tokio::test]
async fn a_token_is_proved_over_tls() {
    let identity = Identity::made(["localhost"]).unwrap();
    let mut server = server(&identity).await;
    let (registry, url) = (client(&identity), server.url());
    let (client, accepted) = tokio::join!(registry.connect(&*url), server.accept());
    let client = client.unwrap();
    assert_eq!(
        (name(&accepted), name(&client)),
        ("ann".into(), "ann".into())
    );
    assert!(accepted.info().get::<TlsInfo>().is_some());
}

/// Both ends prove that they have the keys of the connection: the mode of each is `exporter`.
#[tokio::test]
async fn both_ends_of_ours_use_the_exporter() {
    let identity = Identity::made(["localhost"]).unwrap();
    let mut server = server(&identity).await;
    let (raw, url) = (tls(&identity), server.url());
    let client = async {
        let mut raw = raw.connect(&*url).await.unwrap();
        let nonce = "0".repeat(64);
        say(&mut raw, &format!("socketry-auth 1 ann {nonce} exporter\n")).await;
        let challenge = line(&mut raw).await;
        assert!(challenge.ends_with(" exporter"), "{challenge}");
        raw.finish().await.unwrap();
    };
    let (why, ()) = tokio::join!(server.refuses(), client);
    assert!(why.contains("closed the connection"), "{why}");
}

/// A server that a client trusts, in the middle before another one: all that is said passes, and is
/// worth nothing there.
async fn relayed(client_sees: &Identity, server_shows: &Identity) -> (ErrorKind, String, String) {
    let mut server = server(server_shows).await;
    let mut middle = tls(client_sees).listen("tls://127.0.0.1:0").await.unwrap();
    let (to, registry) = (middle.local().clone(), client(client_sees));
    let connecting = tokio::spawn(async move { registry.connect(to).await });
    let outer = middle.accept().await.unwrap();
    let (below, url) = (tls(server_shows), server.url());
    let handing_on = async {
        let inner = below.connect(&*url).await.unwrap();
        pass_all(outer, inner).await;
    };
    let (why, ()) = tokio::join!(server.refuses(), handing_on);
    let error = connecting.await.unwrap().unwrap_err();
    (error.kind(), error.to_string(), why)
}

/// All bytes, both ways.
async fn pass_all(one: BoxSocket, other: BoxSocket) {
    let (mut one, mut other) = (IntoIo::new(one).unwrap(), IntoIo::new(other).unwrap());
    let _ = tokio::io::copy_bidirectional(&mut one, &mut other).await;
}

#[tokio::test]
async fn a_man_in_the_middle_with_another_certificate_gains_nothing() {
    let (middle, real) = (
        Identity::made(["a"]).unwrap(),
        Identity::made(["b"]).unwrap(),
    );
    let (kind, told, why) = relayed(&middle, &real).await;
    assert_eq!(kind, ErrorKind::Denied, "{told}");
    assert!(told.contains("its proof is wrong"), "{told}");
    assert!(
        why.contains("the proof of the token 'ann' is wrong"),
        "{why}"
    );
}

/// With a stolen key: the certificate is the same, and the connections are two.
#[tokio::test]
async fn a_man_in_the_middle_with_the_stolen_key_gains_nothing() {
    let identity = Identity::made(["a"]).unwrap();
    let (kind, told, why) = relayed(&identity, &identity).await;
    assert_eq!(kind, ErrorKind::Denied, "{told}");
    assert!(
        why.contains("the proof of the token 'ann' is wrong"),
        "{why}"
    );
}

/// One that changes what the ends say they see, so that they leave the exporter out.
#[tokio::test]
async fn nobody_talks_the_ends_out_of_the_exporter() {
    let identity = Identity::made(["a"]).unwrap();
    let mut server = server(&identity).await;
    let mut middle = tls(&identity).listen("tls://127.0.0.1:0").await.unwrap();
    let (to, registry) = (middle.local().clone(), client(&identity));
    let connecting = tokio::spawn(async move { registry.connect(to).await });
    let mut outer = middle.accept().await.unwrap();
    let (below, url) = (tls(&identity), server.url());
    let handing_on = async {
        let mut inner = below.connect(&*url).await.unwrap();
        let hello = line(&mut outer).await.replace("exporter", "tls");
        say(&mut inner, &format!("{hello}\n")).await;
        let challenge = line(&mut inner).await.replace("exporter", "tls");
        say(&mut outer, &format!("{challenge}\n")).await;
        pass_all(outer, inner).await;
    };
    let (why, ()) = tokio::join!(server.refuses(), handing_on);
    assert!(
        why.contains("the proof of the token 'ann' is wrong"),
        "{why}"
    );
    assert_eq!(
        connecting.await.unwrap().unwrap_err().kind(),
        ErrorKind::Denied
    );
}

/// A proxy that ends TLS is in the middle, too. Both ends are told what it looks like.
#[tokio::test]
async fn a_proxy_that_ends_tls_is_told() {
    let identity = Identity::made(["a"]).unwrap();
    let mut server = Server::at("tcp://127.0.0.1:0", tokens()).await;
    let mut proxy = tls(&identity).listen("tls://127.0.0.1:0").await.unwrap();
    let (to, registry) = (proxy.local().clone(), client(&identity));
    let connecting = tokio::spawn(async move { registry.connect(to).await });
    let outer = proxy.accept().await.unwrap();
    let url = server.url();
    let handing_on = async {
        let inner = socketry_transport::connect(&*url).await.unwrap();
        pass_all(outer, inner).await;
    };
    let (why, ()) = tokio::join!(server.refuses(), handing_on);
    let told = connecting.await.unwrap().unwrap_err().to_string();
    for line in [why, told] {
        assert!(line.contains("something between them ends it"), "{line}");
    }
}

/// A secure transport of a third party, whose ends know it by a binding.
struct Sealed(ChannelBinding);

type Bound<S> = Joined<Relabelled<<S as Socket>::Recv>, Relabelled<<S as Socket>::Send>>;

#[async_trait]
impl Transport for Sealed {
    type Socket = Bound<MemSocket>;
    type Listener = Upgrading<MemListener, Bound<MemSocket>>;

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let socket = MemTransport::default().connect(to).await?;
        Ok(relabel(socket, |info| info.with(self.0.clone())))
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let (listener, binding) = (MemTransport::default().listen(at).await?, self.0.clone());
        Ok(listener.upgrading(UpgradeLimits::default(), move |socket| {
            let bound = relabel(socket, |info| info.with(binding.clone()));
            async { Ok::<_, std::io::Error>(bound) }
        }))
    }
}

#[tokio::test]
async fn a_secure_transport_of_a_third_party_binds_tokens_too() {
    let plain = ChannelBinding::default;
    let seen = |byte| ChannelBinding::new([byte; 32]);
    let keyed = |byte, key| seen(byte).exporter([key; 32]);
    for (ours, theirs, fits) in [
        (plain(), plain(), true),
        (seen(1), seen(1), true),
        (keyed(1, 1), seen(1), true),
        (seen(1), keyed(1, 1), true),
        (keyed(1, 1), keyed(1, 1), true),
        (seen(1), seen(2), false),
        (seen(1), plain(), false),
        (plain(), seen(1), false),
        (keyed(1, 1), keyed(1, 2), false),
        (keyed(1, 1), keyed(2, 1), false),
    ] {
        let what = format!("{ours:?} and {theirs:?}");
        let server = Stack::new(Sealed(theirs)).with(Auth::new().require(tokens()));
        let client = Stack::new(Sealed(ours)).with(Auth::new().token(token("ann", 1)));
        let mut listener = server.listen(&"mem://*".parse().unwrap()).await.unwrap();
        let at = listener.local().clone();
        let connecting = tokio::spawn(async move { client.connect(&at).await });
        let accepting = tokio::spawn(async move { listener.accept().await });
        let connected = connecting.await.unwrap();
        assert_eq!(connected.is_ok(), fits, "{what}");
        if fits {
            assert_eq!(name(&accepting.await.unwrap().unwrap()), "ann");
        } else {
            accepting.abort();
        }
    }
}
