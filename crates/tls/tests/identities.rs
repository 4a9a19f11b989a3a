//! Certificates: made, kept, several, and reloaded.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use common::{Authority, Files};
use socketry_tls::{Identity, Pin, Tls, TlsInfo, Trust};
use socketry_transport::{
    BoxListener, ErrorKind, Half, Listener, RecvExt, Registry, Result, SendExt, Stack,
    TcpTransport, Transport,
};

/// The pin of the key that a listener shows a client which asks for `name`. Both ends know the
/// certificate by the same fingerprint.
async fn shown(listener: &mut BoxListener, trust: Trust, name: &str) -> Result<Pin> {
    let registry = Tls::new().trust(trust).register(Registry::standard())?;
    let to = listener.local().clone().with("name", name);
    let (client, server) = tokio::join!(registry.connect(to), listener.accept());
    let (client, server) = (client?, server?);
    let tls: &TlsInfo = client.info().get().unwrap();
    let theirs: &TlsInfo = server.info().get().unwrap();
    assert!(tls.server_fingerprint().is_some());
    assert_eq!(tls.server_fingerprint(), theirs.server_fingerprint());
    Ok(tls.peer_pin().unwrap())
}

fn pin_of(files: &Files) -> Pin {
    Identity::from_files([(&files.cert, &files.key)])
        .unwrap()
        .pin()
        .unwrap()
}

#[tokio::test]
async fn an_identity_is_made_at_the_first_start_and_found_at_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("deep/inside");
    let registry = Tls::new().register(Registry::standard()).unwrap();
    let url = format!("tls://127.0.0.1:0?identity={}", place.display());
    let mut first = registry.listen(url.as_str()).await.unwrap();
    let pin = Identity::kept_in(&place, ["x"]).unwrap().pin().unwrap();
    assert_eq!(
        shown(&mut first, Trust::pin(pin), "any").await.unwrap(),
        pin
    );
    let mut second = registry.listen(url.as_str()).await.unwrap();
    assert_eq!(
        shown(&mut second, Trust::pin(pin), "any").await.unwrap(),
        pin
    );

    // The certificate may be made anew, and the key stays.
    std::fs::remove_file(place.join("cert.pem")).unwrap();
    assert_eq!(
        Identity::kept_in(&place, ["y"]).unwrap().pin().unwrap(),
        pin
    );
    let mut left: Vec<_> = std::fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    left.sort_by_key(std::fs::DirEntry::file_name);
    let names: Vec<_> = left.iter().map(std::fs::DirEntry::file_name).collect();
    assert_eq!(names, ["cert.pem", "key.pem"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(place.join("key.pem")), 0o600);
        assert_eq!(mode(place.join("cert.pem")), 0o600);
        assert_eq!(mode(place.clone()), 0o700);
    }
}

#[tokio::test]
async fn many_that_start_at_once_have_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let kept = |_| {
        let place = directory.path().to_owned();
        std::thread::spawn(move || Identity::kept_in(place, ["x"]).unwrap().pin().unwrap())
    };
    let threads: Vec<_> = (0..8).map(kept).collect();
    let pins: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert!(pins.iter().all(|pin| *pin == pins[0]), "{pins:?}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let authority = Authority::new();
    let files = authority.sign("localhost");
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o604)).unwrap();
    let error = Identity::from_files([(&files.cert, &files.key)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let line = error.to_string();
    assert!(
        line.contains("others may read") && line.contains("chmod o="),
        "{line}"
    );
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let authority = Authority::new();
    let (one, other) = (authority.sign("one"), authority.sign("other"));
    // The authority first, and its certificate behind it.
    let chain = authority.path("chain.pem");
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let whole = text(&authority.file()) + &text(&one.cert);
    std::fs::write(&chain, whole).unwrap();
    for (cert, key, words) in [
        (&chain, &one.key, "not the key of the first certificate"),
        (&one.cert, &other.key, "not the key of the certificate"),
        (&one.key, &one.key, "there is none"),
        (&one.cert, &one.cert, "the key in"),
    ] {
        common::private(key);
        let line = Identity::from_files([(cert, key)]).unwrap_err().to_string();
        assert!(line.contains(words), "{line}");
        assert!(line.contains(".pem") || line.contains(".key"), "{line}");
    }
}

#[tokio::test]
async fn each_name_has_its_certificate() {
    let authority = Authority::new();
    let (a, b) = (authority.sign("a.example"), authority.sign("b.example"));
    let registry = Tls::new().register(Registry::standard()).unwrap();
    let certs = format!("{},{}", a.cert.display(), b.cert.display());
    let keys = format!("{},{}", a.key.display(), b.key.display());
    let url = format!("tls://127.0.0.1:0?cert={certs}&key={keys}");
    let mut listener = registry.listen(url.as_str()).await.unwrap();
    let trust = Trust::authorities_in(authority.file()).unwrap();
    for (name, files) in [("a.example", &a), ("b.example", &b)] {
        let pin = shown(&mut listener, trust.clone(), name).await.unwrap();
        assert_eq!(pin, pin_of(files), "{name}");
    }
    // A name that none has gets the first.
    let pin = shown(&mut listener, Trust::pin(pin_of(&a)), "c.example")
        .await
        .unwrap();
    assert_eq!(pin, pin_of(&a));
}

#[tokio::test]
async fn certificates_are_reloaded_without_a_restart() {
    let authority = Authority::new();
    let (old, new) = (authority.sign("a.example"), authority.sign("a2.example"));
    let (old_pin, new_pin) = (pin_of(&old), pin_of(&new));
    let tls = Tls::new();
    let registry = tls.register(Registry::standard()).unwrap();
    let url = format!("tls://127.0.0.1:0?{}", old.query());
    let mut listener = registry.listen(url.as_str()).await.unwrap();
    let both = || Trust::pins([old_pin, new_pin]);
    assert_eq!(shown(&mut listener, both(), "x").await.unwrap(), old_pin);

    // A key without its certificate changes nothing.
    std::fs::copy(&new.key, &old.key).unwrap();
    assert!(tls.reload().is_err());
    assert_eq!(shown(&mut listener, both(), "x").await.unwrap(), old_pin);
    std::fs::copy(&new.cert, &old.cert).unwrap();
    tls.reload().unwrap();
    assert_eq!(shown(&mut listener, both(), "x").await.unwrap(), new_pin);
}

/// Whether a client is served that has these files, or none.
async fn is_served(listener: &mut BoxListener, trust: &Trust, files: Option<&Files>) -> bool {
    let mut tls = Tls::new().trust(trust.clone()).name("a.example");
    if let Some(files) = files {
        tls = tls.identity(Identity::from_files([(&files.cert, &files.key)]).unwrap());
    }
    let registry = tls.register(Registry::standard()).unwrap();
    let to = listener.local().clone().without_query();
    let asking = async {
        let connected = registry.connect(&to).await;
        let mut socket = connected.map_err(std::io::Error::other)?;
        // Over TLS 1.3 a client hears that it is refused when it reads.
        let (len, _) = socket.recv(&mut [0]).await?;
        std::io::Result::Ok(len)
    };
    let serving = async {
        let mut socket = listener.accept().await.unwrap();
        socket.send_all(b"x").await.unwrap();
        socket.finish().await.unwrap();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        asked = asking => matches!(asked, Ok(1)),
        () = serving => false,
    }
}

#[tokio::test]
async fn clients_prove_who_they_are_after_a_reload_too() {
    let authority = Authority::new();
    let (server, client) = (authority.sign("a.example"), authority.sign("ann"));
    let elsewhere = Authority::new();
    let stranger = elsewhere.sign("eve");
    let tls = Tls::new();
    let registry = tls.register(Registry::standard()).unwrap();
    let (query, ca) = (server.query(), authority.file());
    let url = format!("tls://127.0.0.1:0?{query}&ca={}", ca.display());
    let mut listener = registry.listen(url.as_str()).await.unwrap();
    let trust = Trust::authorities_in(&ca).unwrap();
    for _ in 0..2 {
        assert!(is_served(&mut listener, &trust, Some(&client)).await);
        assert!(!is_served(&mut listener, &trust, Some(&stranger)).await);
        assert!(!is_served(&mut listener, &trust, None).await);
        tls.reload().unwrap();
    }
}

#[tokio::test]
async fn a_listener_tells_the_url_with_its_pin() {
    let tls = Tls::new().identity(Identity::made(["localhost"]).unwrap());
    let server = Stack::new(TcpTransport::default()).with(tls);
    let mut listener = server
        .listen(&"tcp://127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let to = listener.pinned().unwrap();
    assert!(to.as_str().contains("?pin=sha256:"), "{to}");
    let client = Stack::new(TcpTransport::default()).with(Tls::new());
    let (client, server) = tokio::join!(client.connect(&to), listener.accept());
    assert_eq!(client.unwrap().peer(), server.unwrap().local());
    assert_eq!(listener.stats().succeeded, 1);
}

#[tokio::test]
async fn both_ends_export_the_same_secret() {
    let identity = Identity::made(["localhost"]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    let tls = Tls::new().identity(identity).trust(trust);
    let registry = tls.register(Registry::standard()).unwrap();
    let mut listener = registry.listen("tls://127.0.0.1:0").await.unwrap();
    let to = listener.local().clone();
    let (client, server) = tokio::join!(registry.connect(to), listener.accept());
    let (client, server) = (client.unwrap(), server.unwrap());
    let ours = client
        .info()
        .get::<TlsInfo>()
        .unwrap()
        .export(b"EXPORTER-test")
        .unwrap();
    let theirs = server.info().get::<TlsInfo>().unwrap();
    assert_eq!(theirs.export(b"EXPORTER-test").unwrap(), ours);
    assert_ne!(theirs.export(b"EXPORTER-other").unwrap(), ours);
    let info = server.info().clone();
    drop(server);
    assert!(
        info.get::<TlsInfo>()
            .unwrap()
            .export(b"EXPORTER-test")
            .is_err()
    );
}
