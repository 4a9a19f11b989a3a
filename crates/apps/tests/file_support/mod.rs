//! The common part of the file app's tests: servers, programs and scripts, and checks of them.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "helpers of tests, and each test uses what it needs"
)]

mod process;
mod script;
mod served;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, mkfifoat};
use socketry_apps::Service;
use socketry_apps::file::Client;
use socketry_transport::Endpoint;

pub(crate) use process::{Process, Program};
pub(crate) use script::{Script, scripted, upload};
pub(crate) use served::Served;

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_socketry");
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}

pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 251) as u8).collect()
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Waits until `look` returns true.
pub(crate) fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < DEADLINE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs blocking work while the server goes on.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

pub(crate) async fn python(script: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("python3");
    command.arg(script_path(script)).args(arguments);
    let output = blocking(move || command.output().unwrap()).await;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn script_path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/python")
        .join(script)
}

/// The permissions of the file at `path`.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn make_fifo(path: &Path) {
    mkfifoat(CWD, path, Mode::from_raw_mode(0o600)).unwrap();
}

/// Standard output and standard error of a program that succeeded.
pub(crate) fn ended_well(output: &Output) -> (String, String) {
    assert!(output.status.success(), "{output:?}");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The complaint of a program that failed.
pub(crate) fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    let command = &mut Command::new(BIN);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A proxy before the server at `port` that delays everything that the server sends by `delay`.
pub(crate) async fn delaying(port: u16, delay: Duration) -> Endpoint {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let server = tokio::net::TcpStream::connect(("127.0.0.1", port));
        let (mut said, mut hears) = server.await.unwrap().into_split();
        let (mut from, mut to) = client.into_split();
        tokio::spawn(async move {
            tokio::io::copy(&mut from, &mut hears).await.unwrap();
            hears.shutdown().await.unwrap();
        });
        let mut buf = vec![0; 4096];
        loop {
            let len = said.read(&mut buf).await.unwrap();
            tokio::time::sleep(delay).await;
            if len == 0 || to.write_all(&buf[..len]).await.is_err() {
                return;
            }
        }
    });
    at.parse().unwrap()
}

pub(crate) fn type_in(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(BIN);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

pub(crate) async fn fetch_from(url: &str, dest: &Path) -> String {
    let mut client = Client::connect(&Service::default(), &url.parse().unwrap())
        .await
        .unwrap();
    let got = client.get("a", dest, |_, _| ()).await;
    got.map_or_else(|error| error.to_string(), |_| "done".to_owned())
}

/// All that a program shows on a terminal of so many columns while a user takes these steps (see
/// `terminal.py`), and its exit code.
pub(crate) fn on_terminal(
    columns: u16,
    steps: &serde_json::Value,
    words: &[String],
    variables: &[(&str, &str)],
) -> (String, i64) {
    let mut command = Command::new("python3");
    command.arg(script_path("terminal.py"));
    command
        .args([columns.to_string(), steps.to_string()])
        .args(words);
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    let command = command.env("TERM", "xterm").envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["same"], true, "{seen}");
    (
        seen["shown"].as_str().unwrap().to_owned(),
        seen["code"].as_i64().unwrap(),
    )
}
