//! The real binary with services: `tcp+srv://`, whose servers a DNS server names.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../transport/tests/network/alone.rs"]
mod alone;
mod program;
#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alone::alone;
use program::{Served, failed, socketry};

/// The only name server is that of the test.
const FILES: &str = "echo nameserver 127.0.0.1 > /tmp/resolv.$$\n\
    mount --bind /tmp/resolv.$$ /etc/resolv.conf; rm /tmp/resolv.$$";

struct Dns(Child);

impl Dns {
    /// dnsmasq, with these records.
    fn start(records: &[String]) -> Self {
        let mut command = Command::new("dnsmasq");
        command.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--pid-file=",
            "--user=",
            "--no-resolv",
            "--no-hosts",
            "--local=/example/",
            "--host-record=host.example,127.0.0.1",
        ]);
        command.args(records);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let dns = Dns(command.spawn().unwrap());
        let late = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect("127.0.0.1:53").is_err() {
            assert!(Instant::now() < late, "dnsmasq does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        dns
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The port in the URL of a server.
fn port(url: &str) -> u16 {
    let (place, _) = url.split_once('?').unwrap_or((url, ""));
    place.rsplit(':').next().unwrap().parse().unwrap()
}

#[test]
fn each_app_connects_to_a_service() {
    if !tools::has("dnsmasq") {
        return;
    }
    alone("each_app_connects_to_a_service", FILES, async {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let path = |name: &str| home.join(name).to_str().unwrap().to_owned();

        let mut chat = Served::start(home, &["chat", "serve", "tcp://127.0.0.1:0"]);
        let command = ["command", "serve", "--allow-any", "tls://127.0.0.1:0"];
        let command = Served::start(home, &command);
        fs::create_dir(path("root")).unwrap();
        fs::write(path("root/a.txt"), "a file").unwrap();
        let serve = [
            "file",
            "serve",
            "quic://127.0.0.1:0",
            "--root",
            &path("root"),
        ];
        let file = Served::start(home, &serve);
        let record = |service: &str, port: u16, priority: u16| {
            format!("--srv-host={service}.example,host.example,{port},{priority}")
        };
        let _dns = Dns::start(&[
            // Nobody listens at the first.
            record("_chat._tcp", tools::free_port(), 1),
            record("_chat._tcp", port(&chat.url), 2),
            record("_run._tcp", port(&command.url), 1),
            record("_files._udp", port(&file.url), 1),
        ]);

        fs::write(path("lines"), "good day\nq\n").unwrap();
        let join = [
            "chat",
            "join",
            "tcp+srv://_chat._tcp.example",
            "--name",
            "ann",
        ];
        let mut user = socketry(home, &join);
        user.stdin(fs::File::open(path("lines")).unwrap());
        let output = user.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let heard = chat.line();
        assert!(heard.contains("good day"), "{heard}");

        let pin = |url: &str| url.split_once("pin=").unwrap().1.to_owned();
        let url = format!("tls+srv://_run._tcp.example?pin={}", pin(&command.url));
        let run = ["command", "run", &url, "echo hello"];
        let output = socketry(home, &run).output().unwrap();
        assert_eq!(output.stdout, b"hello\n", "{output:?}");

        let url = format!("quic+srv://_files._udp.example?pin={}", pin(&file.url));
        let get = ["file", "get", &url, "a.txt", "--to", &path("copy")];
        let output = socketry(home, &get).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(fs::read(path("copy")).unwrap(), b"a file");

        let run = ["command", "run", "tcp+srv://_none._tcp.example", "true"];
        let line = failed(&socketry(home, &run).output().unwrap(), 255);
        assert!(
            line.contains("there is no name _none._tcp.example"),
            "{line}"
        );
        let run = ["command", "run", "udp+srv://_run._udp.example", "true"];
        let line = failed(&socketry(home, &run).output().unwrap(), 255);
        assert!(line.contains("does not run over udp+srv"), "{line}");
    });
}

/// A token is proved to whichever server was found.
#[test]
fn a_token_is_proved_to_a_server_of_a_service() {
    if !tools::has("dnsmasq") {
        return;
    }
    alone("a_token_is_proved_to_a_server_of_a_service", FILES, async {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let own = program::tokens(home, "tokens", &["ann"]);
        let serve = ["command", "serve", "--allow-any", "tcp://127.0.0.1:0"];
        let serve = [&serve[..], &["--token-file", &own]].concat();
        let server = Served::start(home, &serve);
        let _dns = Dns::start(&[format!(
            "--srv-host=_run._tcp.example,host.example,{}",
            port(&server.url)
        )]);
        let run = ["tcp+srv://_run._tcp.example", "echo hello"];
        let output = program::run(home, &[&["--token-file", &own], &run[..]].concat());
        assert_eq!(output.stdout, b"hello\n", "{output:?}");
        let output = program::run(home, &run);
        assert!(!output.status.success(), "{output:?}");
    });
}

#[test]
fn a_server_does_not_listen_at_a_service_and_help_tells_their_urls() {
    let home = tempfile::tempdir().unwrap();
    let serve = [
        "chat",
        "serve",
        "tls+srv://_chat._tcp.example",
        "--insecure",
    ];
    let output = socketry(home.path(), &serve).output().unwrap();
    let line = String::from_utf8_lossy(&output.stderr);
    assert!(line.contains("listen at an address"), "{line}");
    let output = socketry(home.path(), &["chat", "join", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8_lossy(&output.stdout);
    assert!(
        help.contains("tcp+srv://_SERVICE._PROTOCOL.DOMAIN"),
        "{help}"
    );
}
