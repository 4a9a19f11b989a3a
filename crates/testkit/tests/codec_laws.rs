//! The laws of codecs, for every codec that has a name, and for settings that names cannot express.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroUsize;

use socketry_codec::catalogue::{Form, WIRES};
use socketry_codec::{BareJson, BoxCodec, Codec, Fixed, Layout, Line, Syslog};
use socketry_testkit::codec::{LAWS, Subject, law};
use socketry_testkit::codec_laws;

fn named(name: &str) -> Subject {
    counted(Subject::named(name))
}

fn sequence() -> Subject {
    let subject = named("json-seq").carries(1, usize::MAX);
    subject.examples(["12", " \"\\\"[\" ", "[1,\n{}]", "{\"a\":\n\"\n\"}", "true"])
}

/// It begins with a priority, and does not end in a newline.
fn message(bytes: &mut [u8]) {
    if let [.., last @ b'\n'] = bytes {
        *last = b' ';
    }
    bytes[0] = b'<';
}

fn fixed(bytes: usize) -> Subject {
    let len = NonZeroUsize::new(bytes).unwrap();
    let subject = Subject::new(format!("fixed:{bytes}"), move |_| Fixed::new(len));
    counted(subject.fixed(bytes))
}

fn counted(subject: Subject) -> Subject {
    subject.counted_by(|work| allocation_counter::measure(work).bytes_max)
}

codec_laws!(raw, named("raw"));
codec_laws!(line, named("line"));
codec_laws!(line_crlf, named("line:crlf"));
codec_laws!(line_zero, named(r"line:\0"));
codec_laws!(line_semicolon, named("line:;"));
codec_laws!(line_dot, named("line:0x0d0a2e0d0a"));
codec_laws!(
    line_overlapping,
    named("line:0x616162").examples(["aa", "abab", "b"])
);
codec_laws!(
    line_periodic,
    named("line:0x6161").examples(["ab", "aba\0"])
);
codec_laws!(fixed, fixed(16));
codec_laws!(fixed_one, fixed(1));
codec_laws!(struct_default, named("struct"));
codec_laws!(struct_one_byte, named("struct:B"));
codec_laws!(struct_signed_byte, named("struct:b"));
codec_laws!(struct_network_short, named("struct:!H"));
codec_laws!(struct_big_int, named("struct:>I"));
codec_laws!(struct_little_quad, named("struct:<q"));
codec_laws!(layout_three_bytes, named("struct:>u24"));
codec_laws!(layout_varint, named("struct:varint4"));
codec_laws!(layout_strict_vlq, named("struct:vlq-strict=itself"));
codec_laws!(layout_netstring, named("struct:digits,0x3a,data,0x2c"));
codec_laws!(layout_counted_octets, named("struct:digits,0x20"));
codec_laws!(layout_tpkt, named("struct:0x0300,>H=frame"));
codec_laws!(layout_signed, named("struct:<i=itself,0x00,data,0xffff"));
codec_laws!(layout_mqtt, whole("struct:1x,varint4", 131, 16_000, mqtt));
codec_laws!(
    layout_amqp,
    whole("struct:3x,>I,data,0xce", 8, 60_000, amqp)
);
codec_laws!(
    layout_modbus,
    whole("struct:2x,0x0000,>H=rest,1x", 7, 60_000, modbus)
);
codec_laws!(content_length, named("content-length"));
codec_laws!(layout_escaped, named("struct:>i>Q=frame,data,0x00"));
codec_laws!(
    syslog,
    named("syslog").carries(1, 999_999_999).shaped(message)
);
codec_laws!(
    syslog_with_newlines,
    counted(Subject::new("syslog, keeping newlines", |limits| {
        let syslog = Syslog::new().keep_newline(true).max_frame(limits.max_frame);
        syslog.max_discard(limits.max_discard)
    }))
    .carries(1, 999_999_999)
    .shaped(|message| message[0] = b'<')
    .examples(["<34>one\n", "<\n\n"])
);
// A text that is cut behind white space is whole (RFC 7464, section 2.4).
codec_laws!(json_seq, sequence().keeping_the_last());
codec_laws!(slip, slip(named("slip"), |frame| 2 * frame + 2));
codec_laws!(cobs, named("cobs"));
codec_laws!(
    slip_crc16,
    slip(named("slip+crc16:ibm-sdlc"), |frame| 2 * (frame + 2) + 2)
);
codec_laws!(cobs_crc32, named("cobs+crc32:iso-hdlc"));
codec_laws!(struct_crc32, named("struct:>H+crc32:<iscsi"));
codec_laws!(
    struct_zstd,
    compressed(named("struct:>I+zstd"), |frame| 4 + form(frame))
);
codec_laws!(
    struct_lz4,
    compressed(named("struct:>H+lz4"), |frame| 2 + form(frame))
);
codec_laws!(
    cobs_deflate,
    compressed(named("cobs+crc16:usb+deflate:level=9"), |frame| 5 + form(
        frame
    ))
);
codec_laws!(
    slip_zlib,
    compressed(named("slip+zlib"), |frame| 2 + 2 * form(frame)).opening_with(1)
);
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

/// The longest compressed form of a frame.
fn form(frame: usize) -> usize {
    frame + frame / 8 + 128
}

/// So many bytes it has at most on the wire.
fn compressed(subject: Subject, widest: fn(usize) -> usize) -> Subject {
    // A frame that is too long for its limit may have a form that is not.
    subject.without_max_discard().taking_at_most(widest)
}

/// A delimiter opens each frame. So many bytes it has at most on the wire.
fn slip(subject: Subject, widest: fn(usize) -> usize) -> Subject {
    subject.opening_with(1).taking_at_most(widest)
}

/// A layout that gives out whole frames, whose lengths go from `least` to `most` bytes.
fn whole(name: &str, least: usize, most: usize, shape: fn(&mut [u8])) -> Subject {
    named(name).carries(least, most).shaped(shape)
}

/// With a length of two bytes: no frame has 130, since one byte says 127 and two begin at 128.
fn mqtt(frame: &mut [u8]) {
    let len = u16::try_from(frame.len() - 3).unwrap();
    let [low, high] = (len << 1).to_le_bytes();
    (frame[1], frame[2]) = (low >> 1 | 0x80, high);
}

fn amqp(frame: &mut [u8]) {
    let len = u32::try_from(frame.len() - 8).unwrap();
    frame[3..7].copy_from_slice(&len.to_be_bytes());
    *frame.last_mut().unwrap() = 0xce;
}

fn modbus(frame: &mut [u8]) {
    let len = u16::try_from(frame.len() - 6).unwrap();
    frame[2..4].fill(0);
    frame[4..6].copy_from_slice(&len.to_be_bytes());
}

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

/// Every wire of the catalogue that gives out payloads of any bytes. The others are above.
#[test]
fn every_wire_of_payloads_keeps_the_laws() {
    for wire in WIRES {
        match wire.form {
            Form::Layout(text) if text.parse::<Layout>().unwrap().is_whole() => continue,
            Form::Syslog | Form::JsonSeq | Form::Slip => continue,
            _ => {}
        }
        let most = wire
            .name
            .parse::<BoxCodec>()
            .unwrap()
            .properties()
            .max_frame;
        if matches!(wire.form, Form::Slip) {
            continue;
        }
        let subject = named(wire.name).carries(wire.min_sent, most);
        LAWS.iter().for_each(|law| law.run(&subject));
    }
}

#[test]
fn there_are_more_laws_than_sixteen_and_each_has_its_own_name() {
    assert!(LAWS.len() >= 16);
    for one in LAWS {
        assert_eq!(law(one.name()).statement(), one.statement());
    }
}
