//! .NET's `BinaryReader` and `BinaryWriter`, as Mono has them.

use std::path::Path;
use std::process::Command;

use socketry_testkit::in_time;
use socketry_transport::SendExt;
use tempfile::TempDir;

use crate::mirror::{Program, Role, binary, framed, heard};
use crate::tools;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers_languages/Peer.cs");
/// Behind the last string. For `BinaryReader` a cut string ends in the same way.
const ENDED: &str = "EndOfStreamException";

/// The compiled program, in a directory of its own.
fn compiled() -> Option<(TempDir, String)> {
    if !(tools::has("mcs") && tools::has("mono")) {
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("Peer.exe");
    compile(&program);
    Some((directory, program.display().to_string()))
}

fn compile(program: &Path) {
    let mut compiler = Command::new("mcs");
    compiler
        .arg(format!("-out:{}", program.display()))
        .arg(SOURCE);
    assert!(compiler.status().unwrap().success());
}

#[tokio::test]
async fn strings_are_the_same_both_ways() {
    let Some((_directory, program)) = compiled() else {
        return;
    };
    let lengths = [
        0, 1, 127, 128, 255, 16_383, 16_384, 65_536, 2_097_151, 2_097_152,
    ];
    // One byte a character: any bytes are a string.
    let latin = binary(&lengths);
    let ascii: Vec<Vec<u8>> = latin
        .iter()
        .map(|frame| frame.iter().map(|byte| byte & 0x7f).collect())
        .collect();
    for (encoding, frames) in [("iso-8859-1", &latin), ("utf-8", &ascii)] {
        let mono = Program("mono", &[&program, encoding]);
        assert_eq!(mono.mirrors("dotnet-string", frames).await, [ENDED; 2]);
    }
}

/// Our lengths are of bytes, and so are its.
#[tokio::test]
async fn a_length_counts_bytes_and_not_characters() {
    let Some((_directory, program)) = compiled() else {
        return;
    };
    let mono = Program("mono", &[&program, "utf-8"]);
    let (peer, socket) = mono.meet(Role::Listens).await;
    let mut framed = framed(socket, "dotnet-string");
    let text = "größe €".repeat(20);
    framed.send(text.as_bytes()).await.unwrap();
    let turned: String = text.chars().rev().collect();
    assert_eq!(heard(&mut framed).await, Some(turned.into_bytes()));
    // Its reader replaces what is not UTF-8.
    framed.send(b"\xff").await.unwrap();
    assert_eq!(heard(&mut framed).await, Some("\u{fffd}".into()));
    framed.finish().await.unwrap();
    assert_eq!(heard(&mut framed).await, None);
    assert_eq!(peer.ended().await, [ENDED]);
}

/// What it answers to these bytes and an end, as strings, and the exception that ends it.
async fn answers(program: &str, bytes: &[u8]) -> (Vec<Vec<u8>>, String) {
    let (peer, socket) = Program("mono", &[program, "utf-8"])
        .meet(Role::Listens)
        .await;
    let mut framed = framed(socket, "dotnet-string");
    in_time("bytes", framed.socket_mut().send_all(bytes))
        .await
        .unwrap();
    framed.finish().await.unwrap();
    let mut strings = Vec::new();
    while let Some(string) = heard(&mut framed).await {
        strings.push(string);
    }
    (strings, peer.ended().await.concat())
}

/// The strings of these bytes as this project reads them, and whether an error ends them.
fn ours(bytes: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut reader =
        socketry_codec::Reader::new("dotnet-string".parse::<socketry_codec::BoxCodec>().unwrap());
    reader.push(bytes);
    let mut strings = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(Some(string)) => strings.push(string.to_vec()),
            end => return (strings, end.is_err()),
        }
    }
}

#[tokio::test]
async fn a_longer_form_of_a_length_is_read_by_both() {
    let Some((_directory, program)) = compiled() else {
        return;
    };
    for (bytes, string) in [
        (&b"\x81\x00a"[..], &b"a"[..]),
        (b"\x80\x00", b""),
        (b"\x81\x80\x80\x80\x00a", b"a"),
    ] {
        let string = vec![string.to_vec()];
        assert_eq!(
            answers(&program, bytes).await,
            (string.clone(), ENDED.to_owned())
        );
        assert_eq!(ours(bytes), (string, false));
    }
}

#[tokio::test]
async fn a_length_of_six_bytes_or_above_31_bits_is_read_by_neither() {
    let Some((_directory, program)) = compiled() else {
        return;
    };
    for (bytes, exception) in [
        (&b"\x81\x80\x80\x80\x80\x00a"[..], "FormatException"),
        (b"\xff\xff\xff\xff\x0f", "IOException"),
    ] {
        assert_eq!(
            answers(&program, bytes).await,
            (vec![], exception.to_owned())
        );
        assert_eq!(ours(bytes), (vec![], true));
    }
    // Of the fifth byte Mono drops all but four bits. A later .NET refuses it, as we do.
    let bytes = b"\x81\x80\x80\x80\x10a";
    assert_eq!(
        answers(&program, bytes).await,
        (vec![b"a".to_vec()], ENDED.to_owned())
    );
    assert_eq!(ours(bytes), (vec![], true));
}
