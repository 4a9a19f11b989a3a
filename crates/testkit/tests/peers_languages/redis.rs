//! Redis: inline commands are lines, and what it answers is lines and counted strings.

use socketry_codec::{BoxCodec, Framed};
use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, SendExt, connect};
use tempfile::TempDir;

use crate::child::Peer;
use crate::mirror::{binary, framed, heard, over};
use crate::tools;

/// A counted string of RESP: `$5`, CR, LF, `hello`, CR, LF.
const BULK: &str = "struct:0x24,digits,0x0d,0x0a,data,0x0d0a";

/// A server that keeps nothing, at a Unix socket in a directory of its own.
struct Redis {
    directory: TempDir,
    _server: Peer,
}

impl Redis {
    async fn start() -> Option<Redis> {
        if !tools::has("redis-server") {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path().to_str().unwrap();
        let socket = format!("{here}/redis");
        let options = ["--dir", here, "--unixsocket", &socket, "--port", "0"];
        let nothing = ["--save", "", "--appendonly", "no"];
        let mut server = Peer::start("redis-server", &[&options[..], &nothing].concat());
        server.says("ready to accept connections").await;
        Some(Redis {
            directory,
            _server: server,
        })
    }

    async fn connect(&self) -> BoxSocket {
        let at = format!("unix://{}/redis", self.directory.path().display());
        in_time("connect", connect(at)).await.unwrap()
    }
}

/// The same connection, with another codec.
fn now(framed: Framed<BoxSocket>, codec: &str) -> Framed<BoxSocket> {
    framed
        .with_codec(codec.parse::<BoxCodec>().unwrap())
        .unwrap()
}

async fn lines(framed: &mut Framed<BoxSocket>, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..count {
        let line = heard(framed).await.expect("a line");
        lines.push(String::from_utf8(line).unwrap());
    }
    lines
}

#[tokio::test]
async fn inline_commands_are_lines_with_either_ending() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    for codec in ["line", "line:crlf"] {
        let mut framed = framed(redis.connect().await, codec);
        framed.send(b"PING").await.unwrap();
        assert_eq!(lines(&mut framed, 1).await, ["+PONG"]);
        // An empty line has no answer. One write has many commands.
        for command in ["", "  set  a  ' x y'  ", "", "GET a", "nothing", "EXISTS b"] {
            framed.feed(command.as_bytes()).await.unwrap();
        }
        framed.flush().await.unwrap();
        let answers = lines(&mut framed, 5).await;
        assert_eq!(answers[..3], ["+OK", "$4", " x y"]);
        assert!(
            answers[3].starts_with("-ERR unknown command"),
            "{answers:?}"
        );
        assert_eq!(answers[4], ":0");
        for byte in b"PING one\r\nPING two\n" {
            let socket = framed.socket_mut();
            socket.send_all(std::slice::from_ref(byte)).await.unwrap();
        }
        assert_eq!(lines(&mut framed, 4).await, ["$3", "one", "$3", "two"]);
        // All commands before our end are answered.
        for _ in 0..2_000 {
            framed.feed(b"PING").await.unwrap();
        }
        framed.finish().await.unwrap();
        assert_eq!(lines(&mut framed, 2_000).await, vec!["+PONG"; 2_000]);
        assert_eq!(heard(&mut framed).await, None);
    }
}

#[tokio::test]
async fn an_inline_command_of_64_kib_is_taken_and_one_of_100_kb_ends_the_connection() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let mut framed = framed(redis.connect().await, "line");
    let text = "x".repeat(65_536 - "ECHO \n".len());
    framed
        .send(format!("ECHO {text}").as_bytes())
        .await
        .unwrap();
    assert_eq!(lines(&mut framed, 2).await, ["$65530", &text]);
    // Redis looks whenever it has read 16 KiB more, so a command a little longer may pass.
    let _written = framed.send(&[b'x'; 100_000]).await;
    let answer = lines(&mut framed, 1).await;
    assert_eq!(answer, ["-ERR Protocol error: too big inline request"]);
    over(&mut framed).await;
}

/// An inline command has escapes for bytes that a line cannot have, and an open quote is fatal.
#[tokio::test]
async fn a_quote_that_is_not_closed_ends_the_connection() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let mut framed = framed(redis.connect().await, "line");
    framed.send(br#"ECHO "a\x00\n\xff""#).await.unwrap();
    let mut framed = now(framed, BULK);
    assert_eq!(heard(&mut framed).await, Some(b"a\0\n\xff".to_vec()));
    let mut framed = now(framed, "line");
    framed.send(b"ECHO \"a").await.unwrap();
    let answer = lines(&mut framed, 1).await;
    let words = "-ERR Protocol error: unbalanced quotes in request";
    assert_eq!(answer, [words]);
    assert_eq!(heard(&mut framed).await, None);
}

/// A command of RESP is a line with the number of its strings, and those, each with its length.
#[tokio::test]
async fn any_bytes_are_a_counted_string() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let mut framed = framed(redis.connect().await, "line:crlf");
    for payload in binary(&[0, 1, 9, 10, 65_535, 65_536, 1 << 20]) {
        framed.feed(b"*2").await.unwrap();
        framed = now(framed, BULK);
        framed.feed(b"ECHO").await.unwrap();
        framed.feed(&payload).await.unwrap();
        framed.flush().await.unwrap();
        assert!(heard(&mut framed).await == Some(payload));
        framed = now(framed, "line:crlf");
    }
    // A string that there is not has the length -1, which is a line and no frame of this layout.
    framed.send(b"GET nothing").await.unwrap();
    let mut framed = now(framed, BULK);
    let error = in_time("an answer", framed.recv()).await.unwrap_err();
    assert!(error.is_fatal(), "{error}");
    assert_eq!(error.found(), b"$-1\r\n");
}
