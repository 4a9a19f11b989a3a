//! The real binary through proxies of others, and behind a balancer.
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;
#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use program::{Served, failed, socketry};

/// A proxy that runs until this is dropped.
struct Proxy(Child, u16);

impl Proxy {
    /// microsocks, with a password.
    fn start() -> Self {
        // It is free again before the proxy starts.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = free.unwrap().port();
        let mut command = Command::new("microsocks");
        command.args([
            "-i",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-u",
            "ann",
            "-P",
            "secret",
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let proxy = Proxy(command.spawn().unwrap(), port);
        let late = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < late, "microsocks does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn each_app_goes_through_a_proxy() {
    if !tools::has("microsocks") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    fs::write(path("password"), "secret\n").unwrap();
    let proxy = Proxy::start();
    let via = format!(
        "via=socks5h://ann@127.0.0.1:{}?password_file={}",
        proxy.1,
        path("password")
    );

    for place in ["tcp://127.0.0.1:0", "tls://127.0.0.1:0"] {
        let server = Served::start(home, &["command", "serve", "--allow-any", place]);
        let join = if server.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{join}{via}", server.url);
        let run = ["command", "run", &url, "echo hello"];
        let output = socketry(home, &run).output().unwrap();
        assert_eq!(output.stdout, b"hello\n", "{output:?}");
    }

    fs::create_dir(path("root")).unwrap();
    fs::write(path("root/a.txt"), "a file").unwrap();
    let serve = [
        "file",
        "serve",
        "tcp://127.0.0.1:0",
        "--root",
        &path("root"),
    ];
    let server = Served::start(home, &serve);
    let url = format!("{}?{via}", server.url);
    let get = ["file", "get", &url, "a.txt", "--to", &path("copy")];
    let output = socketry(home, &get).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read(path("copy")).unwrap(), b"a file");

    let mut server = Served::start(home, &["chat", "serve", "tcp://127.0.0.1:0"]);
    let url = format!("{}?{via}", server.url);
    fs::write(path("lines"), "good day\nq\n").unwrap();
    let mut user = socketry(home, &["chat", "join", &url, "--name", "ann"]);
    user.stdin(fs::File::open(path("lines")).unwrap());
    let output = user.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let heard = server.line();
    assert!(heard.contains("good day"), "{heard}");
}

#[test]
fn an_error_names_the_proxy_and_no_password() {
    let home = tempfile::tempdir().unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = gone.local_addr().unwrap();
    drop(gone);
    let error = |url: &str| {
        let run = ["command", "run", url, "true"];
        failed(&socketry(home.path(), &run).output().unwrap(), 255)
    };
    let line = error(&format!("tcp://127.0.0.1:9?via=http://{place}"));
    assert!(
        line.contains(&format!("the proxy http://{place} cannot be reached")),
        "{line}"
    );
    for url in [
        "tcp://127.0.0.1:9?via=http://ann:hunter2@127.0.0.1:9",
        "tcp://127.0.0.1:9?via=http://ann:hunter2@127.0.0.1:9&no_such=1",
        "tls://127.0.0.1:9?via=http%3A%2F%2Fann:hunter2%40127.0.0.1:9",
    ] {
        let line = error(url);
        assert!(!line.contains("hunter2"), "{line}");
    }
}

/// Whoever reaches the balancer reaches the server, though it listens for this machine only.
#[test]
fn a_server_behind_a_balancer_is_on_the_network() {
    let home = tempfile::tempdir().unwrap();
    let url = "tcp://127.0.0.1:0?proxy_from=127.0.0.1";
    let serve = ["command", "serve", "--allow-any", url];
    let output = socketry(home.path(), &serve).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && words.contains("--insecure"),
        "{words}"
    );
    let serve = ["command", "serve", "--allow-any", "--insecure", url];
    let server = Served::start(home.path(), &serve);
    // A client without a header is refused.
    let run = ["command", "run", &server.url, "echo hello"];
    let output = socketry(home.path(), &run).output().unwrap();
    assert!(output.stdout.is_empty(), "{output:?}");
    server.logs("it sent no PROXY header");
}
