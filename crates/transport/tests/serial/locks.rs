//! One program at a time: locks of this crate, and of others.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use socketry_transport::{Error, ErrorKind, RecvExt, SendExt};

use crate::pty::{Pty, within};
use crate::tools;

fn lock_file(pty: &Pty) -> PathBuf {
    let number = pty.path().file_name().unwrap().to_str().unwrap();
    PathBuf::from(format!("/var/lock/LCK..pts_{number}"))
}

/// An error that says who has the line.
fn in_use(result: Result<impl Sized, Error>, pty: &Pty, holder: &str) {
    let error = result.err().expect("the line is in use");
    assert_eq!(error.kind(), ErrorKind::InUse, "{error}");
    let text = error.to_string();
    assert!(text.contains(&pty.url()) && text.contains(holder), "{text}");
    assert!(text.contains("exclusive=false"), "{text}");
}

#[tokio::test]
async fn a_line_is_opened_once() {
    let pty = Pty::new();
    let socket = pty.open("").await;
    in_use(
        pty.try_open("").await,
        &pty,
        "this process has it open already",
    );
    let file = std::fs::read_to_string(lock_file(&pty)).unwrap();
    assert_eq!(file, format!("{:>10}\n", std::process::id()));
    drop(socket);
    assert!(!lock_file(&pty).exists());
    drop(pty.open("").await);
}

#[tokio::test]
async fn a_line_is_shared_where_that_is_asked_for() {
    let pty = Pty::new();
    let mut one = pty.open("?exclusive=false").await;
    assert!(!lock_file(&pty).exists());
    let mut two = pty.open("?exclusive=false").await;
    one.send_all(b"one").await.unwrap();
    pty.expect(b"one");
    two.send_all(b"two").await.unwrap();
    pty.expect(b"two");
}

#[tokio::test]
async fn a_lock_of_a_process_that_is_gone_counts_for_nothing() {
    let pty = Pty::new();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    std::fs::write(lock_file(&pty), format!("{:>10}\n", gone.id())).unwrap();
    let socket = pty.open("").await;
    let file = std::fs::read_to_string(lock_file(&pty)).unwrap();
    assert_eq!(file, format!("{:>10}\n", std::process::id()));
    drop(socket);
    assert!(!lock_file(&pty).exists());
}

/// A program that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const PYTHON: &str = "\
import sys, serial
try:
    line = serial.Serial(sys.argv[1], 115200, exclusive=True)
except serial.SerialException as error:
    print('refused:', error)
    sys.exit()
print('open', flush=True)
sys.stdin.read()
";

/// pyserial with an exclusive lock, and the first line that it says.
fn pyserial(pty: &Pty) -> (Running, String) {
    let mut child = Command::new("python3")
        .args(["-c", PYTHON])
        .arg(pty.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let output = child.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut said).unwrap();
    (Running(child), said)
}

#[tokio::test]
async fn pyserial_and_this_crate_refuse_each_other() {
    if !tools::has_module("serial") {
        return;
    }
    let pty = Pty::new();
    let socket = pty.open("").await;
    let (refused, said) = pyserial(&pty);
    assert!(said.contains("Could not exclusively lock"), "{said}");
    drop(refused);
    drop(socket);

    let (python, said) = pyserial(&pty);
    assert_eq!(said, "open\n");
    let holder = format!("(process {}) has it", python.0.id());
    in_use(pty.try_open("").await, &pty, &holder);
    // The kernel releases the lock of a process that is killed.
    drop(python);
    drop(pty.open("").await);
}

/// A terminal program, on a terminal of its own: its output, which is that terminal's master.
fn terminal(program: &str, arguments: &[&str], pty: &Pty) -> (Running, Pty) {
    let own = Pty::new();
    let open = || {
        std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(own.path())
    };
    let child = Command::new(program)
        .args(arguments)
        .arg(pty.path())
        .env("TERM", "vt100")
        .stdin(open().unwrap())
        .stdout(open().unwrap())
        .stderr(open().unwrap())
        .spawn()
        .unwrap();
    (Running(child), own)
}

/// Waits until the program has said `words`.
async fn says(own: &Pty, words: &str) {
    within(words, async {
        let mut said = String::new();
        while !said.contains(words) {
            said += &own.read_some().await;
        }
    })
    .await;
}

async fn refuse_each_other(program: &str, arguments: &[&str], ready: &str, refusal: &str) {
    if !tools::has(program) {
        return;
    }
    let pty = Pty::new();
    let mut socket = pty.open("").await;
    let (_refused, own) = terminal(program, arguments, &pty);
    says(&own, refusal).await;
    pty.write(b"ours");
    let mut buf = [0; 8];
    let (len, _) = within("receiving", socket.recv(&mut buf)).await.unwrap();
    assert_eq!(&buf[..len], b"ours");
    drop(socket);

    let (running, own) = terminal(program, arguments, &pty);
    says(&own, ready).await;
    let holder = format!("{program} (process {}) has it", running.0.id());
    in_use(pty.try_open("").await, &pty, &holder);
    // minicom leaves its file when it is killed.
    drop(running);
    drop(pty.open("").await);
}

#[tokio::test]
async fn picocom_and_this_crate_refuse_each_other() {
    refuse_each_other(
        "picocom",
        &["--baud", "115200"],
        "Terminal ready",
        "cannot lock",
    )
    .await;
}

#[tokio::test]
async fn minicom_and_this_crate_refuse_each_other() {
    let arguments = ["--baudrate", "115200", "--device"];
    refuse_each_other("minicom", &arguments, "Welcome to minicom", "is locked").await;
}
