//! The laws of codecs, for every codec that has a name, and for settings that names cannot express.
#![allow(clippy::unwrap_used, reason = "tests")]

use socketry_codec::{BareJson, Line};
use socketry_testkit::codec::{LAWS, Subject, law};
use socketry_testkit::codec_laws;

fn named(name: &str) -> Subject {
    counted(Subject::named(name))
}

fn counted(subject: Subject) -> Subject {
    subject.counted_by(|work| allocation_counter::measure(work).bytes_max)
}

codec_laws!(raw, named("raw"));
codec_laws!(line, named("line"));
codec_laws!(line_crlf, named("line:crlf"));
codec_laws!(line_zero, named(r"line:\0"));
codec_laws!(line_semicolon, named("line:;"));
codec_laws!(struct_default, named("struct"));
codec_laws!(struct_one_byte, named("struct:B"));
codec_laws!(struct_signed_byte, named("struct:b"));
codec_laws!(struct_network_short, named("struct:!H"));
codec_laws!(struct_big_int, named("struct:>I"));
codec_laws!(struct_little_quad, named("struct:<q"));
codec_laws!(json, named("json"));
codec_laws!(json_big_int, named("json:>I"));
codec_laws!(json_bare, named("json:bare"));

codec_laws!(
    line_that_keeps_the_last,
    counted(Subject::new("line, keeping the last", |limits| {
        let line = Line::new().keep_last(true).max_frame(limits.max_frame);
        line.max_discard(limits.max_discard)
    }))
    .keeping_the_last()
);

codec_laws!(
    line_without_discarding,
    counted(Subject::new("line, never passing over", |limits| {
        Line::crlf().max_frame(limits.max_frame).max_discard(0)
    }))
    .without_skipping()
);

codec_laws!(
    json_bare_in_examples,
    counted(
        Subject::new("json:bare, nested at most 4 deep", |limits| {
            let bare = BareJson::new().max_frame(limits.max_frame);
            bare.max_depth(4).max_discard(limits.max_discard)
        })
        .carries(2, usize::MAX)
        .shaped(|frame| {
            frame.fill(b' ');
            let end = frame.len() - 1;
            (frame[0], frame[end]) = (b'{', b'}');
        })
        .examples([
            r#"{"a":[{"b":[]}]}"#,
            r#"{"}":"\"}","\\":"{"}"#,
            "{\n}",
            r#"{"é":"\u00e9"}"#,
        ])
    )
);

/// Every format, one after another. The tests above name the formats that most programs use.
#[test]
fn every_format_keeps_the_laws() {
    // The cost of decoding depends on the size of a length field, not on its name. To measure it 60
    // times proves nothing more.
    let laws: Vec<_> = LAWS
        .iter()
        .filter(|law| law.name() != "work_is_linear")
        .collect();
    for order in ["", "@", "=", "<", ">", "!"] {
        for letter in "bBhHiIlLqQ".chars() {
            let subject = named(&format!("struct:{order}{letter}"));
            laws.iter().for_each(|law| law.run(&subject));
        }
    }
}

#[test]
fn there_are_more_laws_than_sixteen_and_each_has_its_own_name() {
    assert!(LAWS.len() >= 16);
    for one in LAWS {
        assert_eq!(law(one.name()).statement(), one.statement());
    }
}
