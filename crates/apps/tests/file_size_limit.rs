//! `ulimit -f`: a write beyond it is an error of one request, and no other notices.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The longest wait.
const LIMIT: Duration = Duration::from_secs(30);

/// The limit in blocks of 512 bytes, as `sh` counts them, and in bytes.
const BLOCKS: &str = "200";
const BYTES: usize = 200 * 512;

/// A program whose files cannot grow beyond [`BYTES`]. SIGXFSZ has its default action, even if the
/// test runner changed that.
fn limited(arguments: &[&str]) -> Command {
    let mut command = Command::new("env");
    command
        .args(["--default-signal=XFSZ", "sh", "-c"])
        .arg("ulimit -f \"$0\"; exec \"$@\"")
        .args([BLOCKS, env!("CARGO_BIN_EXE_socketry")])
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// A server, killed when dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts it with its standard output in the file `out`, and waits until it prints its URL.
    fn start(command: &mut Command, out: &Path) -> Self {
        let child = command.stdout(File::create(out).unwrap()).spawn().unwrap();
        let url = within_limit("it listens", || {
            let said = fs::read_to_string(out).unwrap();
            let (first, _) = said.split_once('\n')?;
            Some(first.strip_prefix("listening on ").unwrap().to_owned())
        });
        Server { child, url }
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.url.strip_prefix("tcp://").unwrap()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn within_limit<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn socketry(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_socketry"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_upload_that_is_too_large_does_not_end_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(at("root")).unwrap();
    fs::write(at("large"), vec![b'x'; BYTES + 1]).unwrap();
    fs::write(at("small"), "small").unwrap();
    let serve = ["file", "serve", "--root", &at("root")];
    let mut server = Server::start(&mut limited(&serve), at("out").as_ref());

    let large = socketry(&["file", "put", &server.url, &at("large")]);
    assert_eq!(large.status.code(), Some(1), "{}", words(&large));
    assert!(words(&large).contains("too large"), "{}", words(&large));
    let small = socketry(&["file", "put", &server.url, &at("small")]);
    assert!(small.status.success(), "{}", words(&small));
    assert!(server.is_alive());
    let mut left: Vec<_> = fs::read_dir(at("root"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["small"]);
}

#[test]
fn a_download_that_is_too_large_is_an_error_of_the_client() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(at("root")).unwrap();
    fs::create_dir(at("here")).unwrap();
    fs::write(at("root/large"), vec![b'x'; BYTES + 1]).unwrap();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_socketry"));
    serve.args(["file", "serve", "--root", &at("root")]);
    let server = Server::start(serve.stdin(Stdio::null()), at("out").as_ref());

    let get = [
        "file",
        "get",
        &server.url,
        "large",
        "--to",
        &at("here/large"),
    ];
    let got = limited(&get).output().unwrap();
    assert_eq!(got.status.code(), Some(1), "{}", words(&got));
    assert!(words(&got).contains("too large"), "{}", words(&got));
    assert_eq!(fs::read_dir(at("here")).unwrap().count(), 0);
}

#[test]
fn output_of_a_command_that_is_too_large_is_an_error_of_the_client() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mut serve = Command::new(env!("CARGO_BIN_EXE_socketry"));
    serve.args(["command", "serve", "--allow-any"]);
    let server = Server::start(serve.stdin(Stdio::null()), &at("out"));

    let run = ["command", "run", &server.url, "head -c 200000 /dev/zero"];
    let mut client = limited(&run);
    client.stdout(File::create(at("output")).unwrap());
    let ran = client.stderr(Stdio::piped()).output().unwrap();
    assert_eq!(ran.status.code(), Some(255), "{}", words(&ran));
    assert!(words(&ran).contains("too large"), "{}", words(&ran));
    assert_eq!(fs::metadata(at("output")).unwrap().len(), BYTES as u64);
}

/// The signal ends the commands themselves, as it does without this server.
#[test]
fn a_command_has_the_default_action_and_its_server_lives_on() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mut server = Server::start(
        &mut limited(&["command", "serve", "--allow-any"]),
        &at("out"),
    );

    let target = at("target").to_str().unwrap().to_owned();
    let line = format!("exec head -c 200000 /dev/zero > '{target}'");
    let ran = socketry(&["command", "run", &server.url, &line]);
    assert_eq!(ran.status.code(), Some(128 + 25), "{}", words(&ran));
    assert!(
        socketry(&["command", "run", &server.url, "true"])
            .status
            .success()
    );
    assert!(server.is_alive());
}

/// The operator's console is a full file, and so is the log. The users talk on.
#[test]
fn a_chat_goes_on_when_its_output_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let log = File::create(directory.path().join("log")).unwrap();
    let serve = ["chat", "serve", "--codec", "line", "-vv"];
    let mut server = Server::start(limited(&serve).stderr(log), &out);

    let mut ann = server.connect();
    ann.write_all(b"I am here\n").unwrap();
    within_limit("ann is here", || {
        fs::read_to_string(&out)
            .unwrap()
            .contains("here")
            .then_some(())
    });
    let mut bob = server.connect();
    bob.write_all(b"hello\n").unwrap();
    let mut heard = BufReader::new(ann.try_clone().unwrap());
    heard.read_line(&mut String::new()).unwrap();
    let said = [vec![b'x'; 3_999], b"\n".to_vec()].concat();
    for _ in 0..BYTES / said.len() + 1 {
        ann.write_all(&said).unwrap();
        let mut back = vec![0; said.len()];
        bob.read_exact(&mut back).unwrap();
        assert!(back == said, "{}", back.len());
    }
    within_limit("the output is full", || {
        (fs::metadata(&out).unwrap().len() >= BYTES as u64).then_some(())
    });
    ann.write_all(b"still here\n").unwrap();
    let mut back = [0; 11];
    bob.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"still here\n");
    assert!(server.is_alive());
}
