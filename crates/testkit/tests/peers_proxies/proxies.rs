//! Proxies that others wrote: what each does with a server that is not there, with the first bytes
//! of a server, with a half-close and with a reset. The guide's table has what is seen here.

use std::fs;
use std::path::Path;

use socketry_proxy::{Passed, Via};
use socketry_testkit::in_time;
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{
    BoxListener, BoxSocket, Error, ErrorKind, Half, Listener, Received, RecvExt, Registry, Result,
    SendExt, SendHalf, listen,
};
use tempfile::TempDir;

use crate::behind::{end, talk};
use crate::daemon::{Daemon, command, directory, free_port};
use crate::tools;

/// A directory without which `sshd` does not start.
const SSHD: &str = "/run/sshd";

/// A proxy of others, which is ready.
struct Proxy {
    _daemons: Vec<Daemon>,
    _directory: TempDir,
    /// What to write behind `via=`.
    via: String,
}

/// How a proxy is started, in a directory and at a port.
type Start = fn(&Path, u16) -> Daemon;

async fn started(scheme: &str, start: Start) -> Proxy {
    let (directory, port) = (directory(), free_port());
    let mut daemon = start(directory.path(), port);
    drop(daemon.connect(&format!("tcp://127.0.0.1:{port}")).await);
    Proxy {
        _daemons: vec![daemon],
        _directory: directory,
        via: format!("{scheme}://127.0.0.1:{port}"),
    }
}

fn written(directory: &Path, name: &str, text: &str) -> String {
    let file = directory.join(name);
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn microsocks(directory: &Path, port: u16) -> Daemon {
    let arguments = ["-i", "127.0.0.1", "-p", &port.to_string()];
    Daemon::start(&mut command("microsocks", &arguments), directory)
}

fn danted(directory: &Path, port: u16) -> Daemon {
    let config = format!(
        "logoutput: stderr\ninternal: 127.0.0.1 port = {port}\nexternal: 127.0.0.1\n\
         clientmethod: none\nsocksmethod: none\n\
         client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}\n\
         socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}\n"
    );
    let file = written(directory, "danted.conf", &config);
    let pid = directory.join("pid").display().to_string();
    Daemon::start(
        &mut command("danted", &["-f", &file, "-p", &pid]),
        directory,
    )
}

fn pproxy(directory: &Path, port: u16) -> Daemon {
    let listen = format!("socks5+http://127.0.0.1:{port}");
    Daemon::start(&mut command("pproxy", &["-l", &listen]), directory)
}

fn squid(directory: &Path, port: u16) -> Daemon {
    let config = format!(
        "http_port 127.0.0.1:{port}\nhttp_access allow all\ncache deny all\n\
         access_log none\ncache_log /dev/null\ncache_store_log none\npid_filename none\n\
         netdb_filename none\nshutdown_lifetime 0 seconds\nconnect_retries 0\n\
         coredump_dir {}\n",
        directory.display()
    );
    let file = written(directory, "squid.conf", &config);
    Daemon::start(&mut command("squid", &["-N", "-f", &file]), directory)
}

fn tinyproxy(directory: &Path, port: u16) -> Daemon {
    let config = format!("Port {port}\nListen 127.0.0.1\nTimeout 600\nAllow 127.0.0.1\n");
    let file = written(directory, "tinyproxy.conf", &config);
    Daemon::start(&mut command("tinyproxy", &["-d", "-c", &file]), directory)
}

fn privoxy(directory: &Path, port: u16) -> Daemon {
    let place = directory.display();
    let config = format!(
        "listen-address 127.0.0.1:{port}\nlogdir {place}\ntempldir /etc/privoxy/templates\n"
    );
    let file = written(directory, "privoxy.conf", &config);
    Daemon::start(&mut command("privoxy", &["--no-daemon", &file]), directory)
}

/// `ssh -D` through a server of its own.
fn ssh(directory: &Path, port: u16) -> Daemon {
    let place = directory.display();
    for name in ["host", "user"] {
        let file = directory.join(name).display().to_string();
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f", &file])
            .status();
        assert!(made.unwrap().success());
    }
    let server = free_port();
    let config = format!(
        "ListenAddress 127.0.0.1\nPort {server}\nHostKey {place}/host\nPidFile none\nUsePAM no\n\
         StrictModes no\nAuthorizedKeysFile {place}/user.pub\nPermitRootLogin prohibit-password\n"
    );
    let sshd = written(directory, "sshd.conf", &config);
    // The client starts the server, as its transport.
    let through = format!("ProxyCommand=/usr/sbin/sshd -i -f {sshd}");
    let at = format!("127.0.0.1:{port}");
    let key = directory.join("user").display().to_string();
    let options = ["-N", "-D", &at, "-i", &key, "-o", &through];
    let trusting = [
        "-F",
        "none",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "server",
    ];
    Daemon::start(
        &mut command("ssh", &[&options[..], &trusting[..]].concat()),
        directory,
    )
}

fn registry() -> Registry {
    Via::new().register(Registry::standard()).unwrap()
}

async fn connect(proxy: &Proxy, to: &str) -> Result<BoxSocket> {
    let url = format!("{to}?via={}", proxy.via);
    in_time("a connection", registry().connect(&url)).await
}

async fn pair(proxy: &Proxy, server: &mut BoxListener) -> (BoxSocket, BoxSocket) {
    let at = server.local().to_string();
    let client = connect(proxy, &at).await.unwrap();
    let accepted = in_time("a client", server.accept()).await.unwrap();
    (client, accepted)
}

/// The proxy's own words in an error.
fn said(error: &Error) -> String {
    let text = error.to_string();
    let words = text.split("; ").next().unwrap();
    words.rsplit(": ").next().unwrap().to_owned()
}

/// What the proxy says of a server that is not there.
async fn without_a_server(proxy: &Proxy) -> String {
    let gone = listen("tcp://127.0.0.1:0").await.unwrap();
    let at = gone.local().to_string();
    drop(gone);
    match connect(proxy, &at).await {
        Err(error) => said(&error),
        Ok(mut client) => {
            let ended = end(&mut client).await;
            assert!(
                matches!(ended, Ok((0, Received::End)) | Err(_)),
                "{ended:?}"
            );
            "it says that it is connected, and ends the stream".to_owned()
        }
    }
}

/// What becomes of a half-close of the client, and of the answer to it.
async fn half_closed(proxy: &Proxy, server: &mut BoxListener) -> &'static str {
    let (mut client, mut accepted) = pair(proxy, server).await;
    talk(&mut client, &mut accepted).await;
    client.finish().await.unwrap();
    if !matches!(end(&mut accepted).await, Ok((0, Received::End))) {
        return "breaks off";
    }
    let sent = accepted.send_all(b"answer").await;
    drop(accepted);
    match end(&mut client).await {
        Ok((6, Received::Data)) if sent.is_ok() => "arrives, and the answer too",
        Ok((0, Received::End)) | Err(_) => "arrives, and the answer is lost",
        other => panic!("{other:?}"),
    }
}

/// What the client sees of a server's reset.
async fn reset(proxy: &Proxy, server: &mut BoxListener) -> &'static str {
    let (mut client, mut accepted) = pair(proxy, server).await;
    talk(&mut client, &mut accepted).await;
    let _reset = accepted.abort(0).unwrap();
    match end(&mut client).await {
        Ok((0, Received::End)) => "an end",
        Err(_) => "a reset",
        other => panic!("{other:?}"),
    }
}

/// The first bytes of a server that speaks first.
async fn greets(proxy: &Proxy, server: &mut BoxListener) {
    let (mut client, mut accepted) = pair(proxy, server).await;
    accepted.send_all(b"220 ready").await.unwrap();
    let mut buf = [0; 64];
    let mut len = 0;
    while len < 9 {
        len += in_time("a greeting", client.recv(&mut buf[len..]))
            .await
            .unwrap()
            .0;
    }
    assert_eq!(&buf[..len], b"220 ready");
}

/// All of it, as a row of the guide.
async fn row(name: &str, version: &str, programs: &[&str], scheme: &str, start: Start) {
    let here = programs.iter().all(|program| tools::has(program));
    let has_place = !programs.contains(&"sshd") || tools::may(SSHD, Path::new(SSHD).is_dir());
    if !here || !has_place {
        return;
    }
    let proxy = started(scheme, start).await;
    let mut server = listen("tcp://127.0.0.1:0").await.unwrap();
    greets(&proxy, &mut server).await;
    let (client, accepted) = pair(&proxy, &mut server).await;
    let passed: &Passed = client.info().get().unwrap();
    assert_eq!(passed.proxies(), std::slice::from_ref(&proxy.via));
    let tells = match passed.seen_as() {
        Some(address) if accepted.peer().socket_addr() == Some(address) => "yes",
        Some(_) => "another one",
        None => "no",
    };
    let failure = without_a_server(&proxy).await;
    let half = half_closed(&proxy, &mut server).await;
    let reset = reset(&proxy, &mut server).await;
    let row = format!("| {name} {version} | {failure} | {half} | {reset} | {tells} |");
    let guide =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide.md"));
    assert!(
        guide.unwrap().contains(&row),
        "docs/guide.md has no such row:\n{row}"
    );
}

#[tokio::test]
async fn microsocks_is_as_the_guide_says() {
    row(
        "microsocks",
        "1.0.3",
        &["microsocks"],
        "socks5h",
        microsocks,
    )
    .await;
}

#[tokio::test]
async fn dante_is_as_the_guide_says() {
    row("Dante", "1.4.2", &["danted"], "socks5", danted).await;
}

#[tokio::test]
async fn ssh_is_as_the_guide_says() {
    row("`ssh -D`", "9.2", &["ssh", "sshd"], "socks5h", ssh).await;
}

#[tokio::test]
async fn pproxy_is_as_the_guide_says() {
    row("pproxy (SOCKS5)", "2.7.9", &["pproxy"], "socks5", pproxy).await;
    row("pproxy (CONNECT)", "2.7.9", &["pproxy"], "http", pproxy).await;
}

#[tokio::test]
async fn squid_is_as_the_guide_says() {
    row("squid", "5.7", &["squid"], "http", squid).await;
}

#[tokio::test]
async fn tinyproxy_is_as_the_guide_says() {
    row("tinyproxy", "1.11.1", &["tinyproxy"], "http", tinyproxy).await;
}

#[tokio::test]
async fn privoxy_is_as_the_guide_says() {
    row("privoxy", "3.0.34", &["privoxy"], "http", privoxy).await;
}

/// A name, a chain of two proxies, and TLS with the server over both.
#[tokio::test]
async fn tls_goes_through_a_chain() {
    if !tools::has("microsocks") || !tools::has("tinyproxy") {
        return;
    }
    let first = started("http", tinyproxy).await;
    let second = started("socks5h", microsocks).await;
    let identity = Identity::made(["localhost"]).unwrap();
    let tls = Tls::new().trust(Trust::pin(identity.pin().unwrap()));
    let server = tls.clone().identity(identity);
    let server = server.register(Registry::standard()).unwrap();
    let mut listener = server.listen("tls://127.0.0.1:0").await.unwrap();
    let port = listener.local().port().unwrap();
    let client = tls.register(registry()).unwrap();
    let url = format!(
        "tls://127.0.0.1:{port}?via={}&via={}",
        first.via, second.via
    );
    let both = async { tokio::join!(client.connect(&url), listener.accept()) };
    let (client, accepted) = in_time("both ends", both).await;
    talk(&mut client.unwrap(), &mut accepted.unwrap()).await;
}

/// Passwords, right and wrong.
#[tokio::test]
async fn passwords_are_proved() {
    fn guarded_microsocks(directory: &Path, port: u16) -> Daemon {
        let port = port.to_string();
        let arguments = ["-i", "127.0.0.1", "-p", &port, "-u", "ann", "-P", "secret"];
        Daemon::start(&mut command("microsocks", &arguments), directory)
    }
    fn guarded_tinyproxy(directory: &Path, port: u16) -> Daemon {
        let config = format!("Port {port}\nListen 127.0.0.1\nBasicAuth ann secret\n");
        let file = written(directory, "tinyproxy.conf", &config);
        Daemon::start(&mut command("tinyproxy", &["-d", "-c", &file]), directory)
    }
    fn guarded_pproxy(directory: &Path, port: u16) -> Daemon {
        let listen = format!("socks5+http://127.0.0.1:{port}#ann:secret");
        Daemon::start(&mut command("pproxy", &["-l", &listen]), directory)
    }
    for (program, scheme, start) in [
        ("microsocks", "socks5", guarded_microsocks as Start),
        ("tinyproxy", "http", guarded_tinyproxy),
        ("pproxy", "socks5", guarded_pproxy),
        ("pproxy", "http", guarded_pproxy),
    ] {
        if !tools::has(program) {
            continue;
        }
        let proxy = started(scheme, start).await;
        let mut server = listen("tcp://127.0.0.1:0").await.unwrap();
        let at = server.local().to_string();
        let folder = directory();
        let with = |password: &str| {
            let file = written(folder.path(), password, password);
            let via = proxy.via.replace("://", "://ann@");
            format!("{at}?via={via}?password_file={file}")
        };
        for url in [with("wrong"), format!("{at}?via={}", proxy.via)] {
            let refused = in_time("a refusal", registry().connect(url)).await;
            let error = refused.unwrap_err();
            // pproxy just ends the connection of a client that offers no password.
            let kinds = [ErrorKind::Denied, ErrorKind::Reset];
            assert!(kinds.contains(&error.kind()), "{program}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        // Behind this one, pproxy asks nobody at this address any more.
        let mut client = in_time("a way", registry().connect(with("secret")))
            .await
            .unwrap();
        let mut accepted = in_time("a client", server.accept()).await.unwrap();
        talk(&mut client, &mut accepted).await;
    }
}
