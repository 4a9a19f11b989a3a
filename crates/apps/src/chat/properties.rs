//! Properties of every message, whatever is sent and whatever arrives.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socketry_transport::Shape;

use super::client::{Heard, of_json};
use super::message::{Answer, Challenge, Message, Refusal, Relayed, Said, encoded, json, signed};
use super::peer_text::PeerText;
use super::proof::{BLANK, Proof};
use crate::Service;
use crate::carried::carried;

const JSON: [&str; 3] = ["json", "json:>H", "json:bare"];

fn service(codec: &str, encoding: &str) -> Service {
    Service {
        encoding: encoding.parse().unwrap(),
        ..Service::with_codec(codec).unwrap()
    }
}

/// Bytes that are JSON more often than chance would have it.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let words = select(
        &[
            "{",
            "}",
            "\"from\":",
            "\"text\":",
            "\"error\":",
            "\"cookie\":",
            "\"seq\":",
            "\"time\":",
            ",",
            "\"a\"",
            "1",
            "-1",
            "null",
            "[]",
            "{}",
            "\"\\ud800\"",
            "\"\u{1b}\"",
            "1e999",
        ][..],
    );
    let words = vec(words, 0..10).prop_map(|words| words.concat().into_bytes());
    prop_oneof![words, vec(any::<u8>(), 0..40)]
}

proptest! {
    #[test]
    fn messages_of_users_arrive_over_json(
        codec in select(&JSON[..]),
        from in any::<Option<String>>(),
        text in any::<Option<String>>(),
        cookie in any::<Option<String>>(),
        at in any::<usize>(),
    ) {
        let said = Said {
            from: from.as_deref().map(Into::into),
            text: text.as_deref().map(Into::into),
            cookie: cookie.as_deref().map(Into::into),
        };
        let frame = carried(codec, &json(&said), at).unwrap();
        let heard: Said<'_> = serde_json::from_slice(&frame).unwrap();
        prop_assert_eq!(heard.from.as_deref(), from.as_deref());
        prop_assert_eq!(heard.text.as_deref(), text.as_deref());
        prop_assert_eq!(heard.cookie.as_deref(), cookie.as_deref());
    }

    #[test]
    fn relayed_messages_arrive_over_json(
        codec in select(&JSON[..]),
        from in any::<String>(),
        text in any::<String>(),
        (seq, time) in any::<(u64, u64)>(),
        at in any::<usize>(),
    ) {
        let relayed = Relayed { from: &from, text: &text, seq, time };
        let frame = carried(codec, &json(&relayed), at).unwrap();
        let expected = Message { from: Some(from), text, seq: Some(seq), time: Some(time) };
        match serde_json::from_slice(&frame).unwrap() {
            Answer::Message(message) => prop_assert_eq!(message, expected),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn refusals_arrive_over_json(
        codec in select(&JSON[..]),
        words in any::<String>(),
        at in any::<usize>(),
    ) {
        let frame = carried(codec, &json(&Refusal { error: &words }), at).unwrap();
        match serde_json::from_slice(&frame).unwrap() {
            Answer::Refusal { error } => prop_assert_eq!(error, words),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_cookie_arrives_over_json_and_is_shorter_than_the_question(
        codec in select(&JSON[..]),
        from in "[^\u{0}]{1,64}",
        cookie in "[0-9a-f]{64}",
        at in any::<usize>(),
    ) {
        let challenge = json(&Challenge { cookie: &cookie });
        let frame = carried(codec, &challenge, at).unwrap();
        match serde_json::from_slice(&frame).unwrap() {
            Answer::Cookie { cookie: told } => prop_assert_eq!(told, cookie),
            other => prop_assert!(false, "{:?}", other),
        }
        let said = Said { from: Some(from.into()), text: None, cookie: Some(BLANK.into()) };
        // The server counts only the object of the question, but also the header of the answer.
        prop_assert!(challenge.len() + 8 <= json(&said).len());
    }

    /// Over the other codecs a message is its text. A line cannot hold a newline, so such a text is
    /// refused and nothing is sent.
    #[test]
    fn messages_arrive_as_text(
        codec in select(&["line", "line:crlf", r"line:\0", "struct", "struct:>H"][..]),
        encoding in select(&["utf-8", "gb18030", "utf-16", "utf-16le"][..]),
        name in any::<Option<String>>(),
        // Without private characters, since gb18030 has assigned some of them.
        text in "[^\u{e000}-\u{f8ff}]{0,20}",
        at in any::<usize>(),
    ) {
        let name = name.map(|name| name.replace(|c| ('\u{e000}'..='\u{f8ff}').contains(&c), ""));
        let service = service(codec, encoding);
        let text = signed(&text, name.as_deref());
        let frame = encoded(&text, service.encoding).unwrap();
        let Some(frame) = carried(codec, &frame, at) else {
            prop_assert!(codec.starts_with("line"));
            return Ok(());
        };
        let heard = PeerText::new(&service.own().unwrap(), Shape::Stream).text(&frame).unwrap();
        prop_assert_eq!(heard, text);
    }

    /// Over raw on a stream a text is received whole, in whatever pieces it arrives.
    #[test]
    fn a_text_in_pieces_is_heard_whole(
        encoding in select(&["utf-8", "gb18030", "utf-16", "utf-16be"][..]),
        text in "[^\u{e000}-\u{f8ff}\u{feff}]{0,20}",
        size in 1..7usize,
    ) {
        let service = service("raw", encoding);
        let bytes = encoded(&text, service.encoding).unwrap();
        let mut texts = PeerText::new(&service.own().unwrap(), Shape::Stream);
        let pieces = bytes.chunks(size);
        let mut heard: Vec<String> = pieces.filter_map(|piece| texts.text(piece)).collect();
        heard.extend(texts.rest());
        prop_assert!(heard.iter().all(|text| !text.is_empty()));
        prop_assert_eq!(heard.concat(), text);
    }

    #[test]
    fn any_bytes_are_a_message_a_cookie_the_end_or_an_error_that_says_so(bytes in nearly_json()) {
        let (told, _proof) = Proof::new(true);
        let Some(heard) = of_json(&bytes, &told) else { return Ok(()) };
        match heard {
            Heard::Fault(error) => {
                let words = error.to_string();
                let clear = ["the server sent a frame that is no message: ", "the server says: "];
                prop_assert!(clear.iter().any(|start| words.starts_with(start)), "{}", words);
                prop_assert!(!words.contains('\u{1b}'), "{:?}", words);
            }
            Heard::Message(message) => {
                let shown = message.to_string();
                prop_assert!(!shown.chars().any(char::is_control), "{:?}", shown);
            }
            Heard::Quit => {}
            Heard::End => prop_assert!(false, "a frame is no end"),
            Heard::Lost(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn any_bytes_are_some_text(
        bytes in vec(any::<u8>(), 0..40),
        encoding in select(&["utf-8", "gbk", "utf-16", "iso-2022-jp"][..]),
    ) {
        let mut text = PeerText::new(&service("struct", encoding).own().unwrap(), Shape::Stream);
        let text = text.text(&bytes).unwrap();
        if encoding == "utf-8" {
            prop_assert_eq!(&*text, &*String::from_utf8_lossy(&bytes));
        }
        let shown = Message::plain(text).to_string();
        prop_assert!(!shown.chars().any(char::is_control), "{:?}", shown);
    }
}
