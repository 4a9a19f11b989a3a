//! A codec of ours becomes one of any kind, and a type that holds one need not name it.
#![allow(clippy::unwrap_used, reason = "tests")]

use bytes::BytesMut;
use socketry_codec::{BareJson, BoxCodec, Codec, Json, Line, Raw, Reader, Struct};

fn written(mut codec: BoxCodec) -> BytesMut {
    let mut out = BytesMut::new();
    codec.encode(b"{}", &mut out).unwrap();
    out
}

#[test]
fn each_codec_becomes_a_boxed_one() {
    for (codec, wire) in [
        (BoxCodec::from(Raw), &b"{}"[..]),
        (Line::crlf().into(), b"{}\r\n"),
        (Struct::new(">H".parse().unwrap()).into(), b"\0\x02{}"),
        (Json::new("<H".parse().unwrap()).into(), b"\x02\0{}"),
        (BareJson::new().into(), b"{}"),
        ("line:;".parse().unwrap(), b"{};"),
    ] {
        assert_eq!(written(codec), wire);
    }
}

/// What a field of this type may hold, its user says once.
struct Holds {
    reader: Reader,
    #[cfg(feature = "net")]
    parts: Option<socketry_codec::FramedParts<()>>,
}

#[test]
fn a_type_that_holds_a_codec_need_not_name_it() {
    let mut holds = Holds {
        reader: Reader::new(Line::new().into()),
        #[cfg(feature = "net")]
        parts: None,
    };
    holds.reader.push(b"one\n");
    assert_eq!(holds.reader.next_frame(), Ok(Some(&b"one"[..])));
    #[cfg(feature = "net")]
    assert!(holds.parts.is_none());
}
