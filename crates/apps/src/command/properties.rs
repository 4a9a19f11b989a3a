//! Properties of every command and every answer, whatever arrives.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socketry_transport::Encoding;

use super::answer::{JsonReply, Reply, tagged, tagged_end, untagged};
use super::wire::{Dialect, Program};
use super::{Command, Exit, Stream};
use crate::carried::carried;

const JSON: [&str; 3] = ["json", "json:>H", "json:bare"];
const STRUCT: [&str; 3] = ["struct", "struct:>H", "struct:!Q"];
/// Encodings that have every character.
const ENCODINGS: [&str; 4] = ["utf-8", "gb18030", "utf-16", "utf-16be"];

fn dialect(codec: &str) -> Dialect {
    Dialect::of(&crate::Service::with_codec(codec).unwrap().own().unwrap())
}

fn streams() -> impl Strategy<Value = Stream> {
    select(&[Stream::Stdout, Stream::Stderr][..])
}

/// How a command can end, as far as a codec carries it.
fn ends() -> impl Strategy<Value = Result<Exit, String>> {
    prop_oneof![
        any::<i32>().prop_map(|code| Ok(Exit::Code(code))),
        (1..=i32::MAX).prop_map(|signal| Ok(Exit::Signal(signal))),
        "[^\u{e000}-\u{f8ff}]{0,20}".prop_map(Err),
    ]
}

/// Random bytes that are often nearly a request or an answer.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let words = select(
        &[
            "{",
            "}",
            "\"run\":",
            "\"argv\":",
            "\"stream\":",
            "\"stdout\"",
            "\"size\":",
            "\"exit\":",
            "\"signal\":",
            "\"error\":",
            ",",
            "[\"a\"]",
            "[]",
            "\"\u{1b}\"",
            "1",
            "-1",
            "0exit ",
            "0signal ",
            "0error",
            "1",
            "2",
            "1e99",
        ][..],
    );
    let words = vec(words, 0..8).prop_map(|words| words.concat().into_bytes());
    prop_oneof![words, vec(any::<u8>(), 0..40)]
}

proptest! {
    #[test]
    fn a_line_arrives_as_it_was_typed(
        codec in select(&["line", r"line:\0", "struct", "struct:>H", "json", "json:bare"][..]),
        encoding in select(&ENCODINGS[..]),
        // Without private characters, since gb18030 has assigned some of them.
        line in "[^\u{e000}-\u{f8ff}]{0,30}",
        at in any::<usize>(),
    ) {
        let encoding: Encoding = encoding.parse().unwrap();
        let dialect = dialect(codec);
        let request = dialect.request(&line.as_str().into(), encoding).unwrap();
        // A request that happens to be UTF-8 is read as that.
        let read = match String::from_utf8(request.clone()) {
            Ok(text) if dialect != Dialect::Json && encoding.extends_ascii() => text,
            _ => line,
        };
        match carried(codec, &request, at) {
            Some(frame) => {
                let program = dialect.program(&frame, encoding);
                prop_assert_eq!(program, Ok(Program::Shell(read.into())));
            }
            None => prop_assert!(codec.starts_with("line")),
        }
    }

    /// Over raw, one newline at the end belongs to the typing and not to the line.
    #[test]
    fn a_raw_line_arrives_without_its_newline(
        line in "[^\n\r]{0,30}",
        newline in select(&["", "\n", "\r\n"][..]),
    ) {
        let typed = format!("{line}{newline}").into();
        let request = Dialect::Raw.request(&typed, Encoding::UTF_8).unwrap();
        let program = Dialect::Raw.program(&request, Encoding::UTF_8);
        prop_assert_eq!(program, Ok(Program::Shell(line.into())));
    }

    #[test]
    fn arguments_arrive_exactly(
        codec in select(&["struct", "json", "json:>H", "json:bare"][..]),
        words in vec("[^\0]{0,12}", 2..6),
        at in any::<usize>(),
    ) {
        let dialect = dialect(codec);
        let command = Command::from_words(words.clone());
        let request = dialect.request(&command, Encoding::UTF_8).unwrap();
        let frame = carried(codec, &request, at).unwrap();
        match dialect.program(&frame, Encoding::UTF_8).unwrap() {
            Program::Exact(arrived) => prop_assert_eq!(arrived, words),
            // Quoted, so that the remote shell sees the same words.
            Program::Shell(line) => {
                prop_assert_eq!(shlex::split(line.to_str().unwrap()), Some(words));
            }
        }
    }

    #[test]
    fn output_arrives_as_it_is(
        codec in select(&STRUCT[..]),
        stream in streams(),
        bytes in vec(any::<u8>(), 0..60),
        at in any::<usize>(),
    ) {
        let frame = carried(codec, &tagged(stream, &bytes), at).unwrap();
        prop_assert_eq!(untagged(&frame, Encoding::UTF_8), Some(Reply::Piece(stream, &bytes)));
    }

    #[test]
    fn the_end_of_a_command_arrives(
        codec in select(&STRUCT[..]),
        encoding in select(&ENCODINGS[..]),
        end in ends(),
        at in any::<usize>(),
    ) {
        let encoding = encoding.parse().unwrap();
        let frame = carried(codec, &tagged_end(&end, encoding), at).unwrap();
        prop_assert_eq!(untagged(&frame, encoding), Some(Reply::End(end)));
    }

    #[test]
    fn headers_of_answers_arrive(
        codec in select(&JSON[..]),
        stream in streams(),
        size in any::<usize>(),
        end in ends(),
        at in any::<usize>(),
    ) {
        let arrives = |reply: &JsonReply| {
            let frame = carried(codec, &serde_json::to_vec(reply).unwrap(), at).unwrap();
            serde_json::from_slice::<JsonReply>(&frame).unwrap().read()
        };
        let body = Reply::Body(stream, size as u64);
        prop_assert_eq!(arrives(&JsonReply::body(stream, size)), Some(body));
        prop_assert_eq!(arrives(&JsonReply::end(&end)), Some(Reply::End(end)));
    }

    #[test]
    fn any_bytes_are_a_program_or_an_error_that_says_why(
        codec in select(&["raw", "line", "struct", "json", "json:bare"][..]),
        encoding in select(&["utf-8", "gbk", "utf-16"][..]),
        bytes in nearly(),
    ) {
        let program = dialect(codec).program(&bytes, encoding.parse().unwrap());
        if let Err(words) = program {
            let clear = [
                "the request cannot be understood: ",
                "this is a command server: a request is {",
                "a request is {",
                "the command is no text: ",
            ];
            prop_assert!(clear.iter().any(|start| words.starts_with(start)), "{}", words);
        } else if let Ok(Program::Exact(words)) = program {
            prop_assert!(!words.is_empty());
        }
    }

    #[test]
    fn any_bytes_are_an_answer_or_none(
        bytes in nearly(),
        encoding in select(&["utf-8", "gbk", "utf-16"][..]),
    ) {
        let told = untagged(&bytes, encoding.parse().unwrap());
        let json = serde_json::from_slice::<JsonReply>(&bytes).ok().and_then(JsonReply::read);
        for reply in [told, json].into_iter().flatten() {
            if let Reply::End(Ok(exit)) = reply {
                prop_assert!(!matches!(exit, Exit::Signal(..=0) | Exit::Unknown), "{:?}", exit);
                prop_assert!(exit != Exit::Code(0) || exit.code() == 0);
            }
        }
    }
}
