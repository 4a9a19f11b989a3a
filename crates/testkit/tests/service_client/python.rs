//! A plain Python server that dies and comes back.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socketry_codec::Json;
use socketry_service::{CallError, Client, ClientLimits, JsonField, Lost};
use socketry_testkit::in_time;

use crate::steps::{answer, lost};
use crate::tools;

/// Answers JSON objects behind a length of four bytes, each client's last request first, and dies
/// when it is told to.
const SERVER: &str = r#"
import json, os, socket, struct, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(listener.getsockname()[1], flush=True)

def exactly(peer, count):
    data = b""
    while len(data) < count:
        piece = peer.recv(count - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data

while True:
    peer, _ = listener.accept()
    while True:
        batch = []
        while len(batch) < 3:
            (length,) = struct.unpack("<i", exactly(peer, 4))
            batch.append(json.loads(exactly(peer, length)))
        for request in reversed(batch):
            if request["method"] == "die":
                os._exit(1)
            answer = json.dumps({"result": request["n"] * 2, "id": request["id"]}).encode()
            peer.sendall(struct.pack("<i", len(answer)) + answer)
"#;

/// A server that is killed when it is dropped.
struct Python(Child);

impl Python {
    fn start(port: u16) -> (Self, u16) {
        let mut command = Command::new("python3");
        command.args(["-c", SERVER, &port.to_string()]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let python = Python(child);
        (python, line.trim().parse().unwrap())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_python_server_is_called_through_its_death() {
    if !tools::has("python3") {
        return;
    }
    let (mut python, port) = Python::start(0);
    let builder = Client::builder(format!("tcp://127.0.0.1:{port}")).unwrap();
    let builder = builder.codec(Json::default()).correlate(JsonField::rpc());
    let client = builder.start().unwrap();
    let ask = |n: u32| answer(client.call(format!(r#"{{"method":"double","n":{n}}}"#)));
    for life in 0..3 {
        let (one, two, three) = tokio::join!(ask(life), ask(10), ask(20));
        for (answer, n) in [(one, life), (two, 10), (three, 20)] {
            let answer = String::from_utf8(answer.unwrap().to_vec()).unwrap();
            assert!(
                answer.contains(&format!(r#""result": {},"#, n * 2)),
                "{answer}"
            );
        }
        let die = || answer(client.call(r#"{"method":"die","n":0}"#));
        let (one, two, three) = tokio::join!(die(), die(), die());
        for died in [one, two, three] {
            assert!(died.unwrap_err().may_be_done());
        }
        python.0.wait().unwrap();
        lost(&client).await;
        (python, _) = Python::start(port);
    }
}

#[tokio::test]
async fn a_server_that_is_suspended_is_noticed_within_the_bound() {
    if !tools::has("python3") {
        return;
    }
    let (python, port) = Python::start(0);
    let limits = ClientLimits {
        probe_interval: Duration::from_millis(200),
        probe_timeout: Duration::from_millis(300),
        request: None,
        ..ClientLimits::default()
    };
    let client = Client::builder(format!("tcp://127.0.0.1:{port}"))
        .unwrap()
        .codec(Json::default())
        .correlate(JsonField::rpc())
        .probe(r#"{"method":"ping","n":0}"#)
        .limits(limits)
        .start()
        .unwrap();
    in_time("a connection", client.connected()).await.unwrap();
    let number = i32::try_from(python.0.id()).unwrap();
    // The kernel still acknowledges what is sent, so only silence tells.
    kill(Pid::from_raw(number), Signal::SIGSTOP).unwrap();
    let error = answer(client.call(r#"{"method":"x","n":1}"#)).await;
    let error = error.unwrap_err();
    let silent = matches!(error, CallError::MaybeDone(Lost::Silent(_)));
    assert!(silent, "{error}");
}
