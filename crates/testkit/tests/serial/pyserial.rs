//! pyserial at the other end.

use child::Peer;
use socketry_codec::{BoxCodec, Framed};
use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, Registry, SerialTransport};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{child, tools};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/serial/peer.py");

/// Two pseudo terminals that socat joins, by their links in a directory.
struct Cable {
    socat: Peer,
    directory: TempDir,
}

impl Cable {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let end = |name: &str| {
            let link = directory.path().join(name);
            format!("pty,raw,echo=0,link={}", link.display())
        };
        let mut command = Command::new("sh");
        // It tells on its standard error when both ends are there.
        let script = "exec socat -d -d \"$@\" 2>&1";
        command.args(["-c", script, "socat", &end("ours"), &end("theirs")]);
        let mut socat = Peer::of(command);
        socat.says("starting data transfer loop").await;
        Cable { socat, directory }
    }

    /// socat keeps both ends open by itself. So it does not notice when a program closes one, and
    /// the line is hung up when socat ends.
    fn hang_up(self) {
        drop(self.socat);
    }

    fn end(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    async fn open(&self, query: &str) -> BoxSocket {
        let registry = Registry::empty().with("serial", SerialTransport::default());
        let url = format!("serial://{}{query}", self.end("ours"));
        registry.connect(url).await.unwrap()
    }

    async fn pyserial(&self, framing: &str) -> Peer {
        let mut peer = Peer::start("python3", &[PEER, &self.end("theirs"), "115200", framing]);
        assert_eq!(peer.line().await.as_deref(), Some("open"));
        peer
    }
}

fn has_all(module: Option<&str>) -> bool {
    let mut modules = ["serial"].into_iter().chain(module);
    tools::has("socat") && modules.all(tools::has_module)
}

/// Frames of these lengths, with every byte where they are long enough and `any` byte may stand.
fn frames(any: bool) -> Vec<Vec<u8>> {
    let byte = |at: usize| match any {
        true => u8::try_from(at * 7 % 256).unwrap(),
        false => b' ' + u8::try_from(at % 90).unwrap(),
    };
    let lengths = [1, 2, 253, 254, 255, 256, 1000, 20_000];
    lengths.map(|len| (0..len).map(byte).collect()).to_vec()
}

async fn answers(framed: &mut Framed<BoxSocket>, frame: &[u8]) {
    let mut reversed = frame.to_vec();
    reversed.reverse();
    let found = in_time("an answer", framed.recv()).await.unwrap();
    assert!(found == Some(&reversed[..]), "{} bytes", frame.len());
}

async fn mirrors(codec: &str, query: &str, any: bool) {
    let cable = Cable::new().await;
    let peer = cable.pyserial(codec).await;
    let mut framed = Framed::new(cable.open(query).await, codec.parse().unwrap());
    for frame in frames(any) {
        framed.send(&frame).await.unwrap();
        answers(&mut framed, &frame).await;
    }
    // Many short ones at once.
    for frame in frames(any).iter().filter(|frame| frame.len() < 300) {
        framed.feed(frame).await.unwrap();
    }
    framed.flush().await.unwrap();
    for frame in frames(any).iter().filter(|frame| frame.len() < 300) {
        answers(&mut framed, frame).await;
    }
    framed.send(b"bye").await.unwrap();
    answers(&mut framed, b"bye").await;
    assert_eq!(peer.ended().await, ["bye"]);
    cable.hang_up();
    assert_eq!(in_time("the end", framed.recv()).await.unwrap(), None);
}

#[tokio::test]
async fn slip_is_that_of_sliplib_over_pyserial() {
    if has_all(Some("sliplib")) {
        mirrors("slip", "?baud=115200", true).await;
    }
}

#[tokio::test]
async fn cobs_is_that_of_cobs_over_pyserial() {
    if has_all(Some("cobs")) {
        mirrors("cobs", "?baud=1000000&stop_bits=2", true).await;
    }
}

#[tokio::test]
async fn lines_are_those_of_pyserial() {
    if has_all(None) {
        mirrors("line", "?flow=software", false).await;
    }
}

/// pyserial 3.5 tells a hang-up as an error, and not as an end.
#[tokio::test]
async fn a_hang_up_is_an_end_here_and_an_error_of_pyserial() {
    if !has_all(None) {
        return;
    }
    let cable = Cable::new().await;
    let peer = cable.pyserial("line").await;
    let mut framed = Framed::new(cable.open("").await, "line".parse::<BoxCodec>().unwrap());
    framed.send(b"here").await.unwrap();
    answers(&mut framed, b"here").await;
    cable.hang_up();
    assert_eq!(in_time("the end", framed.recv()).await.unwrap(), None);
    let error = framed.send(b"late").await.unwrap_err();
    assert!(error.to_string().contains("hung up"), "{error}");
    let said = peer.ended().await;
    assert!(said[0].starts_with("hung up: "), "{said:?}");
}

/// pyserial 3.5 takes settings that the device drops without a word; this crate does not.
#[tokio::test]
async fn a_setting_that_a_device_drops_is_known_here_alone() {
    if !has_all(None) {
        return;
    }
    let cable = Cable::new().await;
    let device = cable.end("ours");
    let script = "import serial, sys; serial.Serial(sys.argv[1], 9600, bytesize=7, parity='E')";
    let python = Command::new("python3")
        .args(["-c", script, &device])
        .status();
    assert!(in_time("pyserial", python).await.unwrap().success());
    let url = format!("serial://{device}?baud=9600&data_bits=7&parity=even");
    let registry = Registry::empty().with("serial", SerialTransport::default());
    let error = registry.connect(url).await.unwrap_err().to_string();
    assert!(error.contains("data_bits=7 was asked for"), "{error}");
}
