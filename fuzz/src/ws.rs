//! WebSocket: frames for both ends, and the heads of both ends' handshakes. What is found is the
//! same however the bytes are cut, lies within its bounds, and is sent again as it was read. An
//! answer to any request is one whole answer of HTTP, and a client takes those that accept it.

use std::cell::OnceCell;

use socketry_ws::fuzzing::{self, Answer, End, Found, Handshakes};

/// The longest message, in bytes.
const LONGEST: usize = 200;
/// A key of a client.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

thread_local! {
    static HANDSHAKES: OnceCell<Handshakes> = const { OnceCell::new() };
}

/// The first byte says what the rest is, and the second how it is cut.
pub fn run(input: &[u8]) {
    let [kind, cut, bytes @ ..] = input else {
        return;
    };
    let (client, piece) = (kind & 1 == 1, usize::from(*cut) + 1);
    match kind & 2 {
        0 => frames(client, piece, bytes),
        _ => heads(client, piece, bytes),
    }
}

fn found(mut end: End, pieces: impl Iterator<Item = Vec<u8>>) -> Vec<Found> {
    let mut found = Vec::new();
    for piece in pieces {
        end.arrived(&piece, &mut found);
    }
    found
}

fn frames(client: bool, piece: usize, bytes: &[u8]) {
    let end = End::new(client, LONGEST);
    let whole = found(end.anew(), [bytes.to_vec()].into_iter());
    let cut = found(end.anew(), bytes.chunks(piece).map(<[u8]>::to_vec));
    assert_eq!(whole, cut);
    let peer = End::new(!client, LONGEST);
    for one in whole {
        match one {
            Found::Message(message) => {
                assert!(message.len() <= LONGEST);
                let frame = peer.frame(&message, [1, 2, 3, 4]);
                let again = found(end.anew(), [frame].into_iter());
                assert_eq!(again, [Found::Message(message)]);
            }
            Found::Ping(payload) => assert!(payload.len() <= 125),
            Found::Pong => {}
            Found::Close(code, reason) => {
                assert!((1000..5000).contains(&code) && reason.len() <= 123);
            }
            Found::Wrong(words, code) => {
                assert!([1002, 1007, 1009].contains(&code) && words.len() <= 123);
            }
        }
    }
}

fn heads(client: bool, piece: usize, bytes: &[u8]) {
    let whole = fuzzing::head(bytes, 0, client);
    let mut seen = 0;
    for arrived in bytes.chunks(piece) {
        let here = seen + arrived.len();
        match fuzzing::head(&bytes[..here], seen, client) {
            Ok(None) => seen = here,
            Ok(end) => {
                assert_eq!(whole, Ok(end));
                break;
            }
            Err(words) => {
                in_one_line(&words);
                // A whole head is let through, however it begins, and read below.
                assert!(whole.is_err() || matches!(whole, Ok(Some(end)) if end > here));
                break;
            }
        }
    }
    let Ok(Some(end)) = whole else { return };
    HANDSHAKES.with(|made| {
        let made = made.get_or_init(|| {
            Handshakes::at("ws://127.0.0.1:80/chat?protocol=a,b").expect("a server")
        });
        match client {
            true => agreed(made, &bytes[..end]),
            false => answered(made, &bytes[..end]),
        }
    });
}

/// What a client makes of a server's answer.
fn agreed(made: &Handshakes, head: &[u8]) {
    match made.agreed(head, KEY, &["a".to_owned(), "b".to_owned()]) {
        Ok(Some(protocol)) => assert!(protocol == "a" || protocol == "b"),
        Ok(None) => panic!("the server has chosen no protocol, and the client goes on"),
        Err(words) => in_one_line(&words),
    }
}

/// What a server makes of a client's request.
fn answered(made: &Handshakes, head: &[u8]) {
    let Some(answer) = made.answer(head) else {
        return;
    };
    let end = fuzzing::head(&answer.bytes, 0, true).expect("an answer");
    let end = end.expect("a whole answer");
    match answer.accepted {
        true => accepted(made, &answer, end),
        false => {
            in_one_line(&answer.words);
            refused(&answer, end);
        }
    }
}

fn accepted(made: &Handshakes, answer: &Answer, end: usize) {
    assert_eq!(end, answer.bytes.len());
    let offered = ["a".to_owned(), "b".to_owned()];
    let agreed = made.agreed(&answer.bytes, &answer.key, &offered);
    assert!(agreed.is_ok_and(|protocol| protocol.is_some_and(|one| offered.contains(&one))));
}

/// The body is as long as the head says, and no text of the client is a line of the head.
fn refused(answer: &Answer, end: usize) {
    let head = std::str::from_utf8(&answer.bytes[..end]).expect("text");
    let length = format!("\r\nContent-Length: {}\r\n", answer.bytes.len() - end);
    assert_eq!(head.matches(&length).count(), 1);
    assert!(
        head.starts_with("HTTP/1.1 ") && head.matches("\r\n").count() <= 8,
        "{head}"
    );
    assert!(
        !head
            .replace("\r\n", "")
            .contains(|one: char| one.is_control())
    );
}

fn in_one_line(words: &str) {
    assert!(!words.contains(|one: char| one.is_control()), "{words:?}");
}
