//! Exchanges: nothing is written before the request was read, and nothing is read before the
//! request was written.

use socketry_codec::{BoxCodec, Framed, Line, Struct};
use tokio_test::io::Builder;

use crate::{Call, Tap};

/// Both sides of the tutorial's exchange in lines: each sends one and waits for the other.
#[tokio::test]
async fn a_line_is_answered_by_a_line() {
    let exchange = [("hello", "HELLO"), ("", ""), ("q", "Q")];
    let mut server = Builder::new();
    let mut client = Builder::new();
    for (asked, answered) in exchange {
        server
            .read(format!("{asked}\n").as_bytes())
            .write(format!("{answered}\n").as_bytes());
        client
            .write(format!("{asked}\n").as_bytes())
            .read(format!("{answered}\r\n").as_bytes());
    }
    let (socket, noted) = Tap::socket(&mut server);
    let mut framed = Framed::new(socket, Line::new());
    while let Some(line) = framed.recv_bytes().await.unwrap() {
        framed.send(&line.to_ascii_uppercase()).await.unwrap();
    }
    let turn = |len| [Call::Read(len), Call::Write(len), Call::Flush];
    let turns = [turn(6), turn(1), turn(2)]
        .into_iter()
        .flatten()
        .chain([Call::Read(0)]);
    assert_eq!(noted.calls(), turns.collect::<Vec<_>>());

    let (socket, _) = Tap::socket(&mut client);
    let mut framed = Framed::new(socket, Line::new());
    for (asked, answered) in exchange {
        framed.send(asked.as_bytes()).await.unwrap();
        assert_eq!(framed.recv().await.unwrap().unwrap(), answered.as_bytes());
    }
}

/// Receiving writes nothing. Fed frames go out with the flush of a program that has nothing more to
/// send.
#[tokio::test]
async fn answers_to_frames_that_came_together_are_one_write() {
    let mut script = Builder::new();
    script
        .read(b"1\n2\n3\n")
        .write(b"1!\n2!\n3!\n")
        .read(b"4\n")
        .write(b"4!\n");
    let (socket, noted) = Tap::socket(&mut script);
    let mut framed = Framed::new(socket, Line::new());
    loop {
        let next = futures_util::FutureExt::now_or_never(framed.recv_bytes());
        let next = match next {
            Some(next) => next,
            None => {
                framed.flush().await.unwrap();
                framed.recv_bytes().await
            }
        };
        let Some(line) = next.unwrap() else { break };
        framed.feed(&[&line[..], b"!"].concat()).await.unwrap();
    }
    framed.flush().await.unwrap();
    let writes: Vec<Call> = noted
        .calls()
        .into_iter()
        .filter(|call| matches!(call, Call::Write(_)))
        .collect();
    assert_eq!(writes, [Call::Write(9), Call::Write(3)]);
}

/// The tutorial's file programs: a header after its length, then the file, then an answer in the
/// same form.
#[tokio::test]
async fn a_header_a_body_and_an_answer() {
    let header = br#"{"filename":"a","filesize":5}"#;
    let mut script = Builder::new();
    script
        .read(&29i32.to_ne_bytes())
        .read(header)
        .read(b"01234");
    script.write(&4i32.to_ne_bytes()).write(b"done");
    let (socket, noted) = Tap::socket(&mut script);
    let mut framed = Framed::new(socket, "json".parse::<BoxCodec>().unwrap());
    assert_eq!(framed.recv().await.unwrap().unwrap(), header);
    framed.body(5).unwrap().drain().await.unwrap();
    let mut framed = framed.with_codec(Struct::default()).unwrap();
    framed.send(b"done").await.unwrap();
    let calls = [
        Call::Read(4),
        Call::Read(29),
        Call::Read(5),
        Call::Write(8),
        Call::Flush,
    ];
    assert_eq!(noted.calls(), calls);
}
