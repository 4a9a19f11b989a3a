//! What a server tells its service manager, heard by plain Python. This program is the tests, and
//! the service that they start.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod tools;

use std::env;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use socketry_codec::FrameError;
use socketry_service::{Notify, Server};
use socketry_transport::{Listener, listen};

/// If it is set, this process is the service, and this what it does.
const SERVICE: &str = "NOTIFY_SERVICE";

/// This is no test, but the process that the tests start.
#[test]
fn service() {
    let Ok(kind) = env::var(SERVICE) else {
        return;
    };
    // One thread: where it is blocked, nothing runs.
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(serve(&kind));
}

async fn serve(kind: &str) {
    let mut notify = Notify::from_env().unwrap();
    if kind == "unhealthy" {
        notify = notify.healthy_if(async || false);
    }
    if kind == "slow" {
        notify = notify.healthy_if(std::future::pending::<bool>);
    }
    notify.status("getting\nready").await.unwrap();
    notify.main_process().await.unwrap();
    let listener = listen("tcp://127.0.0.1:0").await.unwrap();
    println!("at {}", listener.local().port().unwrap());
    let server = Server::new(listener).stop_on_signals().notify(notify);
    let served = server.answer(async |_| {
        // A mistake that happens: a call that blocks the thread of all tasks.
        std::thread::sleep(Duration::from_secs(3600));
        Ok::<_, FrameError>("late")
    });
    served.await.unwrap();
}

/// The common part of the scripts, whose argument is this program. `heard` gives the messages up to
/// the one that is waited for.
const COMMON: &str = r#"
import os, signal, socket, subprocess, sys, tempfile, time

def manager(address):
    own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    own.bind(address)
    own.settimeout(60)
    return own

def start(address, kind, **more):
    named = {"NOTIFY_SOCKET": address, "NOTIFY_SERVICE": kind, **more}
    return subprocess.Popen([sys.argv[1], "service", "--exact", "--nocapture"],
        env={**os.environ, **named}, stdout=subprocess.PIPE)

def port(service):
    for line in service.stdout:
        if b"at " in line:
            return int(line.split(b"at ")[1])

def heard(own, wanted):
    told = []
    while not told or told[-1] != wanted:
        told.append(own.recv(4096).decode())
    return told

def unheard(own, seconds):
    own.settimeout(seconds)
    try:
        while True:
            assert (said := own.recv(4096)) != b"WATCHDOG=1", said
    except TimeoutError:
        pass

def stop(service):
    service.terminate()
    assert service.wait(60) == 0
"#;

fn python(script: &str) {
    if !tools::has("python3") {
        return;
    }
    let ended = Command::new("python3")
        .args(["-c", &format!("{COMMON}{script}")])
        .arg(env::current_exe().unwrap())
        .stdout(Stdio::inherit())
        .output();
    good(&ended.unwrap());
}

fn good(ended: &Output) {
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
}

#[test]
fn a_server_tells_that_it_is_ready_and_that_it_stops() {
    python(
        r#"
with tempfile.TemporaryDirectory() as directory:
    for address in (os.path.join(directory, "notify"), f"\0socketry-{os.getpid()}"):
        own = manager(address)
        service = start(address.replace("\0", "@"), "plain")
        told = heard(own, "READY=1")
        assert told == ["STATUS=getting", f"MAINPID={service.pid}", "READY=1"], told
        service.terminate()
        assert heard(own, "STOPPING=1") == ["STOPPING=1"]
        assert service.wait(60) == 0
"#,
    );
}

#[test]
fn a_server_beats_twice_in_the_time_that_it_is_allowed() {
    python(
        r#"
with tempfile.TemporaryDirectory() as directory:
    address = os.path.join(directory, "notify")
    own = manager(address)
    service = start(address, "plain", WATCHDOG_USEC="200000")
    begun = time.monotonic()
    for _ in range(5):
        heard(own, "WATCHDOG=1")
    # Five beats have four pauses between them.
    assert time.monotonic() - begun > 0.4 - 0.05
    stop(service)
"#,
    );
}

#[test]
fn a_server_whose_thread_is_blocked_beats_no_more() {
    python(
        r#"
with tempfile.TemporaryDirectory() as directory:
    address = os.path.join(directory, "notify")
    own = manager(address)
    service = start(address, "plain", WATCHDOG_USEC="200000")
    client = socket.create_connection(("127.0.0.1", port(service)))
    heard(own, "WATCHDOG=1")
    client.sendall(b"\1\0\0\0x")
    own.settimeout(1)
    try:
        while True: # beats, until it is blocked
            own.recv(4096)
    except TimeoutError:
        pass
    service.kill()
    service.wait()
"#,
    );
}

#[test]
fn a_server_that_is_not_healthy_does_not_beat() {
    python(
        r#"
with tempfile.TemporaryDirectory() as directory:
    for kind in ("unhealthy", "slow"):
        address = os.path.join(directory, kind)
        own = manager(address)
        service = start(address, kind, WATCHDOG_USEC="100000")
        heard(own, "READY=1")
        unheard(own, 0.5)
        stop(service)
"#,
    );
}

#[test]
fn another_process_is_watched_and_a_manager_that_is_gone_is_no_harm() {
    python(
        r#"
with tempfile.TemporaryDirectory() as directory:
    address = os.path.join(directory, "notify")
    own = manager(address)
    service = start(address, "plain", WATCHDOG_USEC="100000", WATCHDOG_PID="1")
    heard(own, "READY=1")
    unheard(own, 0.5)
    own.close()
    os.unlink(address)
    stop(service)
"#,
    );
}
