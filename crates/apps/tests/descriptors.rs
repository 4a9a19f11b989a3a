//! A low limit of open files: clients that have a place are served, and further ones are refused at
//! once.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// The longest wait.
const LIMIT: Duration = Duration::from_secs(30);

/// A server of our binary, killed when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server after a call of `ulimit` with `limit`, `-n 64` for instance.
    fn start(limit: &str, verb: &[&str]) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit {limit}; exec \"$@\""), "sh"])
            .arg(env!("CARGO_BIN_EXE_socketry"))
            .args(verb)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut first).unwrap();
        // A chat prints its messages, so a reader is needed.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let address = first.trim().strip_prefix("listening on tcp://");
        let address = address.unwrap_or_else(|| panic!("{limit} {verb:?}: {first:?}"));
        Server {
            child,
            address: address.to_owned(),
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Client(stream)
    }

    /// A client that was served; `None` if it was refused.
    fn come(&self, request: &str) -> Option<Client> {
        let mut client = self.connect();
        client.send(request).ok()?;
        client.answer().ok().map(|_| client)
    }
}

/// A client over json.
struct Client(TcpStream);

impl Client {
    fn send(&mut self, json: &str) -> std::io::Result<()> {
        let len = i32::try_from(json.len()).unwrap().to_ne_bytes();
        self.0.write_all(&[&len, json.as_bytes()].concat())
    }

    /// The next frame, unless it says that the server is full, or there is none.
    fn answer(&mut self) -> std::io::Result<String> {
        let mut len = [0; 4];
        self.0.read_exact(&mut len)?;
        let mut frame = vec![0; usize::try_from(i32::from_ne_bytes(len)).unwrap()];
        self.0.read_exact(&mut frame)?;
        let frame = String::from_utf8(frame).unwrap();
        match frame.contains("full") {
            true => Err(std::io::Error::other(frame)),
            false => Ok(frame),
        }
    }

    /// All answers of a command.
    fn run(&mut self) -> String {
        let mut said = String::new();
        loop {
            let header = self.answer().unwrap();
            let Some((_, size)) = header.split_once("\"size\":") else {
                assert!(header.contains("\"exit\":0"), "{header}");
                return said;
            };
            let size: usize = size.trim_end_matches('}').parse().unwrap();
            let mut body = vec![0; size];
            self.0.read_exact(&mut body).unwrap();
            said.push_str(&String::from_utf8(body).unwrap());
        }
    }

    fn download(&mut self, len: usize) {
        let header = self.answer().unwrap();
        assert!(header.contains("\"ok\""), "{header}");
        let mut body = vec![0; len];
        self.0.read_exact(&mut body).unwrap();
        let last = self.answer().unwrap();
        assert!(last.contains("\"done\""), "{last}");
    }
}

/// Raises this process's limit to the connections that the test needs.
fn may_have(descriptors: u64) -> bool {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let enough = maximum.is_none_or(|maximum| maximum >= descriptors);
    if !tools::may("descriptor limit that is high enough", enough) {
        return false;
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    true
}

/// Connects clients until one is refused, which must not take long. All others get `request`
/// answered.
fn crowd(server: &Server, request: &str) -> Vec<Client> {
    let mut seated = Vec::new();
    let began = loop {
        let began = Instant::now();
        match server.come(request) {
            Some(client) => seated.push(client),
            None => break began,
        }
        assert!(seated.len() <= 1024);
    };
    // Not a test of speed: a client that is not refused would wait for ever.
    assert!(began.elapsed() < LIMIT / 2);
    seated
}

const LIMITS: [u64; 4] = [64, 256, 1024, 4096];

#[test]
fn users_of_a_full_chat_talk_on() {
    for limit in LIMITS {
        if !may_have(limit + 200) {
            continue;
        }
        let server = Server::start(&format!("-n {limit}"), &["chat", "serve"]);
        let mut users = crowd(&server, "{}");
        assert!(users.len() >= usize::try_from(limit).unwrap().min(1024) / 3);
        users[0].send(r#"{"text":"hello"}"#).unwrap();
        for user in &mut users[1..] {
            assert!(user.answer().unwrap().contains("hello"));
        }
    }
}

#[test]
fn clients_of_a_full_command_server_all_run_commands_at_once() {
    for limit in LIMITS {
        if !may_have(limit + 200) {
            continue;
        }
        let server = Server::start(&format!("-n {limit}"), &["command", "serve", "--allow-any"]);
        let mut clients = crowd(&server, "{}");
        // Not all of a thousand, since each one is a process.
        for some in clients.chunks_mut(100).take(2) {
            for client in &mut *some {
                client.send(r#"{"run":"echo out; echo err >&2"}"#).unwrap();
            }
            for client in some {
                let said = client.run();
                assert!(
                    said.contains("out") && said.contains("err"),
                    "{limit}: {said}"
                );
            }
        }
    }
}

#[test]
fn clients_of_a_full_file_server_all_fetch_at_once() {
    /// More than the kernel buffers, so that all files are open together.
    const LEN: usize = 8 << 20;
    let root = tempfile::tempdir().unwrap();
    fs::File::create(root.path().join("a"))
        .unwrap()
        .set_len(u64::try_from(LEN).unwrap())
        .unwrap();
    for limit in LIMITS {
        if !may_have(limit + 200) {
            continue;
        }
        let serve = ["file", "serve", "--root", root.path().to_str().unwrap()];
        let server = Server::start(&format!("-n {limit}"), &serve);
        let mut clients = crowd(&server, "{}");
        let some = clients.len().min(100);
        for client in &mut clients[..some] {
            client.send(r#"{"opt":"download","filename":"a"}"#).unwrap();
        }
        for client in &mut clients[..some] {
            client.download(LEN);
        }
    }
}

/// The soft limit alone is no reason to refuse a client.
#[test]
fn the_soft_limit_is_raised_and_commands_have_the_old_one() {
    if !may_have(400) {
        return;
    }
    let server = Server::start(
        "-Sn 40; ulimit -Hn 400",
        &["command", "serve", "--allow-any"],
    );
    let mut clients = crowd(&server, "{}");
    assert!(clients.len() > 40, "{}", clients.len());
    // The limit is restored just after the command has started.
    let wait = r#"{"run":"until [ $(ulimit -Sn) = 40 ]; do :; done; ulimit -Hn"}"#;
    clients[0].send(wait).unwrap();
    assert_eq!(clients[0].run(), "400\n");
}

/// A server without free descriptors refuses newcomers, too. It accepts them once it has some
/// again.
#[test]
fn without_any_descriptor_left_newcomers_are_refused() {
    let server = Server::start("-n 256", &["chat", "serve"]);
    // These take the low numbers that may have been free.
    let mut there: Vec<_> = (0..10).map(|_| server.come("{}").unwrap()).collect();
    limit(&server, lowest_free_descriptor(&server));
    for _ in 0..3 {
        let mut refused = server.connect();
        let _ = refused.send("{}");
        let error = refused.answer().unwrap_err();
        let kinds = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
    there[0].send(r#"{"text":"hello"}"#).unwrap();
    assert!(there[1].answer().unwrap().contains("hello"));
    limit(&server, 256);
    let came = (0..50).find_map(|_| server.come("{}"));
    assert!(came.is_some());
}

fn limit(server: &Server, descriptors: u64) {
    let limit = Rlimit {
        current: Some(descriptors),
        maximum: Some(256),
    };
    prlimit(Some(server.pid()), Resource::Nofile, limit).unwrap();
}

fn lowest_free_descriptor(server: &Server) -> u64 {
    let process = Path::new("/proc").join(server.child.id().to_string());
    let is_free = |number: &u64| !process.join(format!("fd/{number}")).is_symlink();
    (0..256).find(is_free).unwrap()
}
