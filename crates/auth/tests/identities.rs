//! Certificates of clients, and users at Unix sockets.
#![cfg(all(feature = "tls", unix))]
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use common::{Server, name, token, tokens};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use socketry_auth::{Auth, Certificates, FirstOf, Identity as Peer, Proof, Users};
use socketry_tls::rustls::pki_types::PrivatePkcs8KeyDer;
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{Half, Registry, connect};
use tempfile::TempDir;

/// An authority that signs for clients.
struct Authority {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Authority { directory, issuer }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    fn trust(&self) -> Trust {
        Trust::authorities_in(self.file()).unwrap()
    }

    fn sign(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Identity::from_der(vec![certificate.der().clone()], key.into()).unwrap()
    }
}

/// A TLS server that asks clients for certificates of `trust`, and a registry of a client that has
/// `identity`.
async fn meets(trust: Trust, who: FirstOf, identity: Option<Identity>) -> (Server, Registry) {
    let ours = Identity::made(["localhost"]).unwrap();
    let mut client = Tls::new().trust(Trust::pin(ours.pin().unwrap()));
    if let Some(identity) = identity {
        client = client.identity(identity);
    }
    let below = Tls::new().identity(ours).ask_clients(trust);
    let below = below.register(Registry::standard()).unwrap();
    let server = Server::of("tls://127.0.0.1:0", Auth::new().require(who), below).await;
    (server, client.register(Registry::standard()).unwrap())
}

#[tokio::test]
async fn a_client_is_known_by_its_key() {
    let (ann, eve) = (
        Identity::made(["x"]).unwrap(),
        Identity::made(["x"]).unwrap(),
    );
    let (pin, other) = (ann.pin().unwrap(), eve.pin().unwrap());
    let trust = || Trust::pins([pin, other]);
    let who = || FirstOf::new().or(Certificates::new().key(pin, "ann"));
    let peer = let_in(trust(), who(), Some(ann)).await;
    let proof = Proof::Certificate {
        pin: pin.to_string(),
    };
    assert_eq!(peer, Peer::new("ann", proof));
    // TLS lets her through, and the authenticator does not.
    let why = refused(trust(), who(), Some(eve)).await;
    assert!(why.contains("no key sha256:"), "{why}");
    let why = refused(trust(), who(), None).await;
    assert!(why.contains("a client certificate is needed"), "{why}");
}

async fn let_in(trust: Trust, who: FirstOf, identity: Option<Identity>) -> Peer {
    let (mut server, registry) = meets(trust, who, identity).await;
    let url = server.url();
    let (client, accepted) = tokio::join!(registry.connect(&*url), server.accept());
    drop(client.unwrap());
    Peer::of(accepted.info()).unwrap().clone()
}

async fn refused(trust: Trust, who: FirstOf, identity: Option<Identity>) -> String {
    let (mut server, registry) = meets(trust, who, identity).await;
    let url = server.url();
    let client = async { drop(registry.connect(&*url).await) };
    tokio::join!(server.refuses(), client).0
}

#[tokio::test]
async fn a_client_is_known_by_authority_and_name() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let any = || Certificates::new().authority(&ours.trust()).unwrap();
    let peer = let_in(
        ours.trust(),
        FirstOf::new().or(any()),
        Some(ours.sign("ann.example")),
    )
    .await;
    assert_eq!(peer.name(), "ann.example");
    let certificates = any()
        .name("ann.example")
        .unwrap()
        .name("192.0.2.1")
        .unwrap();
    let named = || FirstOf::new().or(certificates.clone());
    for name in ["ann.example", "192.0.2.1"] {
        let peer = let_in(ours.trust(), named(), Some(ours.sign(name))).await;
        assert_eq!(peer.name(), name);
    }
    let why = refused(ours.trust(), named(), Some(ours.sign("eve.example"))).await;
    assert!(why.contains("for none of the names"), "{why}");
    // A certificate that TLS has accepted by its key says of itself what it likes.
    let eve = theirs.sign("ann.example");
    let pinned = Trust::pin(eve.pin().unwrap());
    let why = refused(pinned, named(), Some(eve)).await;
    assert!(why.contains("invalid peer certificate"), "{why}");
    assert!(Certificates::new().authority(&Trust::system()).is_err());
    assert!(any().name("no name").is_err());
}

fn own_uid(directory: &Path) -> u32 {
    std::fs::metadata(directory).unwrap().uid()
}

#[tokio::test]
async fn a_user_is_known_by_the_kernels_word() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| format!("unix://{}", directory.path().join(name).display());
    let uid = own_uid(directory.path());
    let who = Users::new().user(uid, "me").unwrap();
    let mut server = Server::at(&at("a"), FirstOf::new().or(who)).await;
    let url = server.url();
    let (client, accepted) = tokio::join!(connect(&*url), server.accept());
    drop(client.unwrap());
    let peer = Peer::of(accepted.info()).unwrap();
    assert_eq!(peer.name(), "me");
    let Proof::User(user) = peer.proof() else {
        panic!("{peer}");
    };
    assert_eq!(
        (user.uid, user.pid.map(i32::unsigned_abs)),
        (uid, Some(std::process::id()))
    );

    let another = Users::new().uid(uid + 1).unwrap();
    let mut server = Server::at(&at("b"), FirstOf::new().or(another)).await;
    let _client = connect(&*server.url()).await.unwrap();
    let why = server.refuses().await;
    assert!(why.contains(&format!("uid {uid} is not let in")), "{why}");
    let mut server = Server::at("tcp://127.0.0.1:0", Users::new().uid(uid).unwrap()).await;
    let _client = connect(&*server.url()).await.unwrap();
    assert!(server.refuses().await.contains("a Unix socket is needed"));
}

/// A user may prove a token instead, and is known by the better proof.
#[tokio::test]
async fn a_token_comes_before_the_user() {
    let directory = TempDir::new().unwrap();
    let url = format!("unix://{}", directory.path().join("s").display());
    let users = Users::new().uid(own_uid(directory.path())).unwrap();
    let who = FirstOf::new().or(users).or(tokens());
    let mut server = Server::at(&url, who).await;
    let registry = common::with(token("ann", 1));
    let (client, accepted) = tokio::join!(registry.connect(&*url), server.accept());
    drop(client.unwrap());
    assert_eq!(name(&accepted), "ann");
    // Without one, it is not waited for: the first byte decides.
    let mut client = connect(&*url).await.unwrap();
    common::say(&mut client, "x").await;
    assert!(name(&server.accept().await).starts_with("uid:"));
}
