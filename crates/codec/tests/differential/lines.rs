//! `line` and tokio-util's `LinesCodec`.
//!
//! Lines end alike, at `\n` or `\r\n`. What differs, and is meant to, each shown by a test below:
//!
//! | what | `LinesCodec` | `line` |
//! |---|---|---|
//! | what stands without an ending when a stream ends | a line | `Truncated`, unless `keep_last` was chosen |
//! | a `\r` there | is taken off; alone it is nothing | is kept: it is taken off before a `\n` only |
//! | the limit | counts the `\r` of an ending | counts the line |
//! | a line above the limit | its rest is dropped, however long it is | its rest is passed over, up to a limit of its own |
//! | bytes that are not UTF-8 | an error, and the line is lost | a line: a codec knows of bytes only |
//! | a frame with a delimiter in it | is written, and arrives as two | is refused |
//! | a frame that ends in `\r` | is written, and arrives without it | is refused |

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socketry_codec::{Codec, Fault, Line};
use tokio_util::codec::{Encoder, LinesCodec, LinesCodecError};

use crate::common::{Events, stream};
use crate::wires::{cuts, pieces, theirs};

/// Their events as ours.
fn lines(codec: LinesCodec, pieces: &[&[u8]], max: usize) -> Events {
    let event = |event: Result<String, LinesCodecError>| match event {
        Ok(line) => Ok(line.into_bytes()),
        Err(LinesCodecError::MaxLineLengthExceeded) => Err(too_long(max)),
        Err(LinesCodecError::Io(error)) => Err(Fault::Other(error.to_string().into())),
    };
    theirs(codec, pieces, true).into_iter().map(event).collect()
}

fn too_long(max: usize) -> Fault {
    Fault::TooLong {
        len: None,
        max: max as u64,
    }
}

/// Whether a length is known depends on whether the ending was here; theirs never tells.
fn without_lengths(events: Events, max: usize) -> Events {
    let plain = |event| match event {
        Err(Fault::TooLong { .. }) => Err(too_long(max)),
        other => other,
    };
    events.into_iter().map(plain).collect()
}

/// As theirs has it: the last line, if it has no ending, loses a `\r`, and is none if it was
/// nothing else.
fn like_theirs_at_the_end(mut events: Events, wire: &[u8]) -> Events {
    if wire.ends_with(b"\r")
        && let Some(Ok(last)) = events.last_mut()
    {
        last.pop();
        if last.is_empty() {
            events.pop();
        }
    }
    events
}

fn text() -> impl Strategy<Value = String> {
    vec(
        select(&["a", "b", "é", "\n", "\r", "\r\n", "\n", "one", "\0"][..]),
        0..30,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn lines_are_found_alike(text in text(), cuts in cuts()) {
        let pieces = pieces(text.as_bytes(), &cuts);
        let theirs = lines(LinesCodec::new(), &pieces, usize::MAX);
        let ours = stream(Line::new().keep_last(true), pieces);
        prop_assert_eq!(like_theirs_at_the_end(ours, text.as_bytes()), theirs);
    }

    /// Without a `\r`, of which only theirs takes some for a part of the line.
    #[test]
    fn limits_are_kept_alike(text in text(), cuts in cuts(), max in 0..6usize) {
        let text = text.replace('\r', "");
        let pieces = pieces(text.as_bytes(), &cuts);
        // Theirs looks for text only in what it gives out; a cut through a character is not for
        // this test.
        let theirs = lines(LinesCodec::new_with_max_length(max), &pieces, max);
        let ours = stream(Line::new().keep_last(true).max_frame(max), pieces);
        prop_assert_eq!(without_lengths(ours, max), theirs);
    }

    #[test]
    fn lines_are_written_alike(text in "[a-zé\0 ]{0,20}") {
        let (mut ours, mut theirs) = (BytesMut::new(), BytesMut::new());
        Line::new().encode(text.as_bytes(), &mut ours).unwrap();
        LinesCodec::new().encode(&*text, &mut theirs).unwrap();
        prop_assert_eq!(ours, theirs);
    }
}

fn both(line: Line, codec: LinesCodec, wire: &[u8]) -> (Events, Events) {
    (stream(line, [wire]), lines(codec, &[wire], 5))
}

#[test]
fn half_a_line_is_an_error_here_and_a_line_there() {
    let (here, there) = both(Line::new(), LinesCodec::new(), b"one\nrm -r");
    assert!(matches!(here[1], Err(Fault::Truncated { have: 5, .. })));
    assert_eq!(there[1], Ok(b"rm -r".to_vec()));
}

#[test]
fn a_carriage_return_at_the_end_is_kept_here_and_dropped_there() {
    let (here, there) = both(Line::new().keep_last(true), LinesCodec::new(), b"one\r");
    assert_eq!(
        (here, there),
        (vec![Ok(b"one\r".to_vec())], vec![Ok(b"one".to_vec())])
    );
    let (here, there) = both(Line::new().keep_last(true), LinesCodec::new(), b"\r");
    assert_eq!((here, there), (vec![Ok(b"\r".to_vec())], vec![]));
}

#[test]
fn the_limit_is_that_of_the_line_here_and_of_its_ending_there() {
    let limited = || (Line::new().max_frame(5), LinesCodec::new_with_max_length(5));
    let (ours, theirs) = limited();
    let (here, there) = both(ours, theirs, b"12345\r\n");
    assert_eq!(
        (here, there),
        (vec![Ok(b"12345".to_vec())], vec![Err(too_long(5))])
    );
    let (ours, theirs) = limited();
    let (here, there) = both(ours, theirs, b"12345\n");
    assert_eq!(here, there);
}

#[test]
fn a_line_without_end_is_given_up_here_and_read_for_ever_there() {
    let mut endless = vec![b'a'; 1_000];
    endless.extend_from_slice(b"\nnext\n");
    let line = Line::new().max_frame(5).max_discard(100);
    let (here, there) = both(line, LinesCodec::new_with_max_length(5), &endless);
    // Too long, and then too long to be passed over, which is fatal.
    assert!(matches!(
        here[..],
        [Err(Fault::TooLong { .. }), Err(Fault::TooLong { .. })]
    ));
    assert_eq!(there, [Err(too_long(5)), Ok(b"next".to_vec())]);
}

#[test]
fn bytes_that_are_no_text_are_a_line_here_and_an_error_there() {
    let (here, there) = both(Line::new(), LinesCodec::new(), b"\xff\nok\n");
    assert_eq!(here, [Ok(b"\xff".to_vec()), Ok(b"ok".to_vec())]);
    assert!(matches!(&there[..], [Err(Fault::Other(_)), Ok(ok)] if ok == b"ok"));
}

#[test]
fn what_would_arrive_changed_is_refused_here_and_written_there() {
    for (frame, arrives) in [("a\nb", vec!["a", "b"]), ("a\r", vec!["a"])] {
        let mut out = BytesMut::new();
        let error = Line::new().encode(frame.as_bytes(), &mut out).unwrap_err();
        assert!(matches!(error.fault, Fault::Delimiter { at: 1 }));
        LinesCodec::new().encode(frame, &mut out).unwrap();
        let there = theirs(LinesCodec::new(), &[&out], true);
        assert_eq!(
            there.into_iter().map(Result::unwrap).collect::<Vec<_>>(),
            arrives
        );
    }
}
