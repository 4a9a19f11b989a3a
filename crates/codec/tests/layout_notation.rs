//! Layouts as text and as a builder makes them.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::encode;
use socketry_codec::{CodecRegistry, Counts, Format, Layout, Length, Part};

fn layout(text: &str) -> Layout {
    text.parse().unwrap()
}

#[test]
fn a_layout_is_printed_as_it_is_read() {
    let same = [
        ">I",
        "i",
        "=H",
        "<u24",
        ">u24,6x",
        "varint",
        "varint4-strict",
        "1x,varint4",
        "vlq4=rest",
        "1x,>I=itself",
        "2x,0x0000,>H=rest,1x",
        "0x0300,>H=frame",
        "3x,>I,data,0xce",
        "digits,0x3a,data,0x2c",
        "digits5-strict=frame-tail,0x20,2x,data,0x0d0a",
        "=I=frame",
        ">H,whole",
        ">H,data,0x00,whole",
    ];
    for text in same {
        assert_eq!(layout(text).to_string(), text);
    }
    let shorter = [
        (">I,data", ">I"),
        (">I=payload", ">I"),
        ("@i", "i"),
        ("varint10", "varint"),
        ("digits9,0x3A", "digits,0x3a"),
        ("1x,2x,>I", "3x,>I"),
        ("0x03,0x00,>H", "0x0300,>H"),
        ("4x,>I,whole", "4x,>I"),
        (">I=rest-tail", ">I=rest"),
        (">I=payload-tail,data,1x", ">I,data,1x"),
    ];
    for (long, short) in shorter {
        assert_eq!(layout(long).to_string(), short);
        assert_eq!(layout(long), layout(short));
    }
}

#[test]
fn a_text_that_is_no_layout_is_refused_with_the_place() {
    let table = [
        ("", "is no length"),
        ("4x", "has no length"),
        ("data,>I", r#""data" is no length"#),
        (">I,4", r#""4" is no part: write 4x"#),
        (">I,0x,data", r#""0x" is not an even number"#),
        (">I,0x123", "is not an even number of hexadecimal digits"),
        (">I,0x+1", "is not an even number of hexadecimal digits"),
        (">I,0x", "is not an even number of hexadecimal digits"),
        (">I,0x\u{e9}", "is not an even number of hexadecimal digits"),
        ("0x,>I", "is not an even number of hexadecimal digits"),
        ("70000x,>I", "65535x at most"),
        ("0x0,>I", "is not an even number of hexadecimal digits"),
        (">I,>H", r#"">H" does not belong there"#),
        (">I,data,data", r#""data" does not belong there"#),
        (">I,whole,data", r#""data" does not belong there"#),
        (">I,", r#""" does not belong there"#),
        (">I=all", "is no length"),
        (">I-strict", "-strict says nothing"),
        (">u16", "is no length"),
        ("varint0", "varint1 to varint10"),
        ("varint11", "varint1 to varint10"),
        ("vlq99999", "vlq1 to vlq10"),
        ("digits", "needs the byte that ends the digits"),
        ("digits,4x", "needs the byte that ends the digits"),
        ("digits,0x3a3a", "needs the byte that ends the digits"),
        ("digits,0x39", "a digit cannot end digits"),
        ("digits19,0x3a", "digits1 to digits18"),
        (
            "300x,B=frame",
            "holds at most 255, and counts 301 bytes besides the payload",
        ),
    ];
    for (text, problem) in table {
        let error = text.parse::<Layout>().unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
}

#[test]
fn a_builder_makes_what_a_text_says() {
    let format: Format = ">H".parse().unwrap();
    let built = Layout::of(format)
        .before(Part::open(2).then(Part::same([0, 0])))
        .between(Part::open(1))
        .counts(Counts::Rest)
        .build();
    assert_eq!(built, Ok(layout("2x,0x0000,>H=rest,1x")));
    let built = Layout::of(Length::digits(b' ').at_most(5).strict())
        .tail(Part::same("\r\n"))
        .counts_without_tail(Counts::Frame)
        .whole()
        .build();
    let text = "digits5-strict=frame-tail,0x20,data,0x0d0a,whole";
    assert_eq!(built, Ok(layout(text)));
    assert!(Layout::of(Length::digits(b'7')).build().is_err());
}

#[test]
fn the_lengths_of_headers_can_be_asked() {
    let table = [
        (">I", 4..=4, 0, false),
        ("1x,varint4", 2..=5, 0, true),
        ("digits,0x3a,data,0x2c", 2..=10, 1, false),
        ("2x,0x0000,>H=rest,1x", 7..=7, 0, true),
        (">H,whole", 2..=2, 0, true),
    ];
    for (text, header, tail, whole) in table {
        let layout = layout(text);
        assert_eq!(layout.header_len(), header, "{text}");
        assert_eq!(
            (layout.tail_len(), layout.is_whole()),
            (tail, whole),
            "{text}"
        );
    }
}

#[test]
fn struct_takes_a_layout_behind_its_name() {
    let registry = CodecRegistry::standard();
    let name = |text: &str| registry.named(text).unwrap().name().to_owned();
    assert_eq!(name("struct:1x,varint4"), "struct:1x,varint4");
    assert_eq!(name("struct:>I,data"), "struct:>I");
    let mut codec = registry.build("struct:digits,0x3a,data,0x2c").unwrap();
    assert_eq!(encode(&mut codec, &["abc"]), b"3:abc,");
    let error = registry.build("struct:>I,4").unwrap_err().to_string();
    assert!(error.contains(r#""4" is no part"#), "{error}");
}
