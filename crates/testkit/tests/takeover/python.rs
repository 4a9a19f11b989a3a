//! Plain Python as the new process, by the lines of the exchange.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;
use socketry_transport::Registry;
use tempfile::tempdir;

use crate::load::{Load, ask};
use crate::server::{Process, unix_socket};
use crate::tools;

/// Takes over, and answers as the servers do, until its standard input ends.
const TAKES_OVER: &str = r#"
import os, select, socket, sys
earlier = socket.socket(socket.AF_UNIX)
earlier.connect(sys.argv[1])
earlier.sendall(b"socketry takeover 1\n")

text, taken = b"", []
def line():
    global text
    while b"\n" not in text:
        part, passed, _, _ = socket.recv_fds(earlier, 4096, 253)
        assert part, "the earlier process is gone"
        text += part
        taken.extend(passed)
    first, text = text.split(b"\n", 1)
    return first.decode()

kind, count = line().split()
assert kind == "sockets"
listeners = []
for _ in range(int(count)):
    many, url = line().split(" ", 1)
    for number in [taken.pop(0) for _ in range(int(many))]:
        # The first is the socket of the exchange. TLS is for others.
        if url.startswith("tcp") and len(listeners) < 1 or url.endswith("app.sock"):
            listeners.append(socket.socket(fileno=number))
        else:
            os.close(number)
earlier.sendall(b"ready\n")
assert line() == "done"
print("ready", flush=True)
"#;

/// Answers at `listeners`, until its standard input ends.
pub(crate) const ANSWERS: &str = r#"
import os, select, socket, sys
for one in listeners:
    one.setblocking(False)
while True:
    ready, _, _ = select.select([*listeners, sys.stdin], [], [])
    if sys.stdin in ready:
        break
    for listener in ready:
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            continue # the other process was sooner
        client.setblocking(True)
        with client, client.makefile("rwb") as lines:
            lines.readline()
            lines.write(b"%d\n" % os.getpid())
"#;

/// A Python process that is ready.
pub(crate) struct Python(Child);

impl Python {
    pub(crate) fn start(command: &mut Command) -> Python {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        let mut said = String::new();
        let mut output = BufReader::new(child.stdout.as_mut().unwrap());
        output.read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n");
        Python(child)
    }

    pub(crate) fn number(&self) -> String {
        self.0.id().to_string()
    }

    pub(crate) fn stop(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

fn takeover_path(directory: &Path) -> std::path::PathBuf {
    directory.join("takeover.sock")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_takes_over_by_the_lines_of_the_exchange() {
    if !tools::has("python3") {
        return;
    }
    let directory = tempdir().unwrap();
    let process = Process::start(directory.path());
    let unix = unix_socket(directory.path());
    let load = Load::on(Registry::standard(), &[&process.tcp, &unix]);
    load.answered_by(&process.number(), 50).await;
    let mut command = Command::new("python3");
    command
        .args(["-c", &format!("{TAKES_OVER}{ANSWERS}")])
        .arg(takeover_path(directory.path()));
    let python = Python::start(&mut command);
    process.ended();
    load.answered_by(&python.number(), 100).await;
    assert_eq!(load.done().await.len(), 2);
    python.stop();
}

/// Strangers that connect, say something and wait for the end. The first argument is the path.
const STRANGERS: &str = r#"
import os, socket, sys
if len(sys.argv) > 2:
    os.setuid(int(sys.argv[2]))
for words in (b"", b"GET / HTTP/1.1\r\n\r\n", b"x" * 100000, b"socketry takeover 2\n", b"\xff\n"):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(30)
        peer.connect(sys.argv[1])
        try:
            peer.sendall(words)
            peer.shutdown(socket.SHUT_WR)
            while part := peer.recv(4096):
                assert False, part
        except ConnectionError:
            pass
"#;

fn strangers(at: &Path, more: &[&str]) {
    let ended = Command::new("python3")
        .args(["-c", STRANGERS])
        .arg(at)
        .args(more)
        .output()
        .unwrap();
    std::io::stderr().write_all(&ended.stderr).unwrap();
    assert!(ended.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_no_socket_and_do_no_harm() {
    if !tools::has("python3") {
        return;
    }
    let directory = tempdir().unwrap();
    let mut process = Process::start(directory.path());
    strangers(&takeover_path(directory.path()), &[]);
    if tools::may("root", geteuid().is_root()) {
        use std::os::unix::fs::PermissionsExt;
        let open = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        open(directory.path(), 0o755);
        // The mode alone keeps others out. Without it, the kernel's word does.
        open(&takeover_path(directory.path()), 0o666);
        strangers(&takeover_path(directory.path()), &["65534"]);
    }
    assert!(process.is_running());
    let next = Process::start(directory.path());
    process.ended();
    let answer = ask(&Registry::standard(), next.tcp.parse().unwrap()).await;
    assert_eq!(answer, next.number());
}
