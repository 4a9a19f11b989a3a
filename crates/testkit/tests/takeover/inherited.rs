//! A Python process that inherits listening sockets, as a service manager passes them.

use std::os::fd::AsFd;
use std::process::Command;

use command_fds::{CommandFdExt, FdMapping};
use socketry_codec::{FrameError, Line};
use socketry_service::Server;
use socketry_transport::{Listener, Listeners, Registry, TcpTransport, Transport, UnixTransport};
use tempfile::tempdir;

use crate::load::Load;
use crate::python::{ANSWERS, Python};
use crate::server::patient;
use crate::tools;

/// Takes the descriptors from 3 on.
const INHERITS: &str = r#"
import os, socket
listeners = [socket.socket(fileno=3 + at) for at in range(int(os.environ["LISTEN_FDS"]))]
print("ready", flush=True)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_child_goes_on_with_the_sockets_that_it_inherits() {
    if !tools::has("python3") {
        return;
    }
    let directory = tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let unix = format!("unix://{}", path.display());
    let tcp = TcpTransport::default();
    let tcp = tcp
        .listen(&"tcp://127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut unix = UnixTransport::default()
        .listen(&unix.parse().unwrap())
        .await
        .unwrap();
    // The child serves at the file.
    unix.leave_file();
    let sockets: Vec<_> = tcp.listeners().chain([&unix]).map(AsFd::as_fd).collect();
    let mappings = (3..).zip(&sockets).map(|(child_fd, socket)| FdMapping {
        parent_fd: socket.try_clone_to_owned().unwrap(),
        child_fd,
    });
    let mut child = Command::new("python3");
    child
        .args(["-c", &format!("{INHERITS}{ANSWERS}")])
        .env("LISTEN_FDS", sockets.len().to_string())
        .fd_mappings(mappings.collect())
        .unwrap();

    let urls = [tcp.local().to_string(), unix.local().to_string()];
    let mut listeners = Listeners::new();
    listeners.add(tcp);
    listeners.add(unix);
    let server = Server::new(listeners).codec(Line::new()).limits(patient());
    let stopper = server.stopper();
    let serving = server.answer(async |_| Ok::<_, FrameError>("the parent"));
    let serving = tokio::spawn(serving);
    let load = Load::on(Registry::standard(), &[&urls[0], &urls[1]]);
    load.answered_by("the parent", 50).await;
    let python = Python::start(&mut child);
    stopper.stop();
    assert_eq!(serving.await.unwrap().unwrap().cut, 0);
    load.answered_by(&python.number(), 100).await;
    assert_eq!(load.done().await.len(), 2);
    python.stop();
}
