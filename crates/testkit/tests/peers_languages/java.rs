//! Java's `DataInputStream` and `DataOutputStream`.

use crate::mirror::{Program, Role, binary, framed, heard, refuses};
use crate::tools;

/// They halve the time to start.
const QUICK: [&str; 2] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
const SOURCE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers_languages/Peer.java"
);

fn java<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&QUICK[..], &[SOURCE], arguments].concat()
}

async fn mirrors(codec: &str, kind: &str, frames: &[Vec<u8>]) {
    let arguments = java(&[kind]);
    let java = Program("java", &arguments);
    assert_eq!(java.mirrors(codec, frames).await, ["closed"; 2]);
}

#[tokio::test]
async fn bytes_behind_an_int_or_a_short_are_the_same_both_ways() {
    if !tools::has("javac") {
        return;
    }
    let long = [0, 1, 255, 65_535, 65_536, 1 << 20, 8_388_608];
    mirrors("struct:>i", "int", &binary(&long)).await;
    let short = [0, 1, 255, 32_767, 32_768, 65_535];
    mirrors("struct:>H", "short", &binary(&short)).await;
}

#[tokio::test]
async fn strings_are_the_same_both_ways() {
    if !tools::has("javac") {
        return;
    }
    let text = |len: usize| (b' '..b'\x7f').cycle().take(len).collect::<Vec<u8>>();
    let lengths = [0, 1, 127, 128, 255, 256, 65_534, 65_535];
    mirrors("java-utf", "utf", &lengths.map(text)).await;
}

/// The payload of `java-utf` is not UTF-8 where a text has a NUL or a character above U+FFFF.
#[tokio::test]
async fn a_string_is_modified_utf8() {
    if !tools::has("javac") {
        return;
    }
    let (peer, socket) = Program("java", &java(&["utf"])).meet(Role::Listens).await;
    let mut framed = framed(socket, "java-utf");
    for (sent, answer) in [
        // NUL has two bytes. Java reads one byte, too.
        (&b"a\xc0\x80"[..], &b"\xc0\x80a"[..]),
        (b"a\0", b"\xc0\x80a"),
        (b"\xc3\xa9b", b"b\xc3\xa9"),
        // U+1F980, as two surrogates of three bytes each.
        (b"\xed\xa0\xbe\xed\xb6\x80!", b"!\xed\xa0\xbe\xed\xb6\x80"),
        // One of them alone is a string of Java too.
        (b"\xed\xa0\xbe!", b"!\xed\xa0\xbe"),
    ] {
        framed.send(sent).await.unwrap();
        assert_eq!(heard(&mut framed).await.as_deref(), Some(answer));
    }
    // The same character in UTF-8.
    framed.send("\u{1f980}".as_bytes()).await.unwrap();
    assert_eq!(heard(&mut framed).await, None);
    let said = peer.ended().await;
    assert!(said[0].contains("UTFDataFormatException"), "{said:?}");
}

#[tokio::test]
async fn a_string_above_65_535_bytes_is_refused_by_both() {
    if !tools::has("javac") {
        return;
    }
    let arguments = java(&["utf", "send", "65536,65535"]);
    let (peer, socket) = Program("java", &arguments).meet(Role::Connects).await;
    let mut framed = framed(socket, "java-utf");
    refuses(&mut framed, 65_536, 65_535).await;
    // Of the first string Java has written nothing.
    assert_eq!(heard(&mut framed).await, Some(vec![b' '; 65_535]));
    assert_eq!(heard(&mut framed).await, Some(b"end".to_vec()));
    assert_eq!(heard(&mut framed).await, None);
    assert_eq!(peer.ended().await, ["java.io.UTFDataFormatException"]);
}
