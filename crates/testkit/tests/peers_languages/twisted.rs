//! The receivers of Twisted's `twisted.protocols.basic`.

use socketry_codec::{BoxCodec, CodecSpec, Framed};
use socketry_transport::SendExt;

use crate::mirror::{Program, ROLES, Role, binary, ended_by, framed, heard, refuses, reversed};
use crate::tools;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers_languages/twisted_peer.py"
);

/// What Twisted takes at most for a string, unless a program says otherwise.
const MOST: usize = 99_999;
/// And for a line.
const MOST_LINE: usize = 16_384;

async fn mirrors(codec: &str, receiver: &str, frames: &[Vec<u8>]) {
    let arguments = [SCRIPT, receiver];
    let twisted = Program("python3", &arguments);
    assert_eq!(twisted.mirrors(codec, frames).await, ["closed"; 2]);
}

#[tokio::test]
async fn strings_behind_lengths_are_the_same_both_ways() {
    if !tools::has_module("twisted") {
        return;
    }
    let lengths = [0, 1, 2, 254, 255];
    mirrors("struct:B", "Int8StringReceiver", &binary(&lengths)).await;
    let lengths = [0, 1, 255, 256, 65_534, 65_535];
    mirrors("struct:>H", "Int16StringReceiver", &binary(&lengths)).await;
    let lengths = [0, 1, 255, 65_536, MOST - 1, MOST];
    mirrors("struct:>I", "Int32StringReceiver", &binary(&lengths)).await;
    let lengths = [0, 1, 9, 10, 99, 100, 65_536, MOST];
    mirrors("netstring", "NetstringReceiver", &binary(&lengths)).await;
}

#[tokio::test]
async fn lines_are_the_same_both_ways() {
    if !tools::has_module("twisted") {
        return;
    }
    let mut lines = ["", "a", " \t ", "a\rb", "\u{1f980}"].map(|line| line.as_bytes().to_vec());
    for receiver in ["LineReceiver", "LineOnlyReceiver"] {
        mirrors("line:crlf", receiver, &lines).await;
        lines[1] = vec![b'x'; MOST_LINE];
    }
    mirrors("line:crlf", "LineReceiver", &lines).await;
    // For Twisted a line feed alone is part of a line, and so is a CR. This codec is exact.
    let others = ["a\nb", "\n", "\r", "\ra\n", "\ra\r"].map(|line| line.as_bytes().to_vec());
    mirrors("line:0x0d0a", "LineReceiver", &others).await;
}

/// Our default limit is larger, so a user sets the one that Twisted has.
#[tokio::test]
async fn what_is_longer_than_its_maximum_ends_the_connection() {
    if !tools::has_module("twisted") {
        return;
    }
    for (codec, receiver, most, ending) in [
        ("struct:>I", "Int32StringReceiver", MOST, "limit"),
        ("netstring", "NetstringReceiver", MOST, "broken"),
        ("line:0x0d0a", "LineReceiver", MOST_LINE, "limit"),
    ] {
        for role in ROLES {
            let (peer, socket) = Program("python3", &[SCRIPT, receiver]).meet(role).await;
            let limited = CodecSpec {
                max_frame: Some(most),
                ..CodecSpec::new(codec)
            };
            let mut limited = Framed::new(socket, limited.build().unwrap());
            refuses(&mut limited, most + 1, most).await;
            limited.send(&vec![b'x'; most]).await.unwrap();
            assert_eq!(heard(&mut limited).await, Some(vec![b'x'; most]));

            let mut unlimited = limited
                .with_codec(codec.parse::<BoxCodec>().unwrap())
                .unwrap();
            ended_by(&mut unlimited, &vec![b'x'; most + 1]).await;
            assert_eq!(peer.ended().await, [ending], "{receiver}");
        }
    }
}

#[tokio::test]
async fn a_length_above_its_field_is_refused_here() {
    if !tools::has_module("twisted") {
        return;
    }
    for (codec, receiver, max) in [
        ("struct:B", "Int8StringReceiver", 255),
        ("struct:>H", "Int16StringReceiver", 65_535),
    ] {
        let twisted = Program("python3", &[SCRIPT, receiver]);
        let (_peer, socket) = twisted.meet(Role::Listens).await;
        let mut framed = framed(socket, codec);
        refuses(&mut framed, max + 1, max).await;
        framed.send(b"abc").await.unwrap();
        assert_eq!(heard(&mut framed).await, Some(reversed(b"abc")));
    }
}

/// Twisted refuses a length with a zero in front. We read one, and never write one.
#[tokio::test]
async fn a_netstring_with_a_zero_in_front_is_none_for_twisted() {
    if !tools::has_module("twisted") {
        return;
    }
    let twisted = Program("python3", &[SCRIPT, "NetstringReceiver"]);
    let (peer, socket) = twisted.meet(Role::Listens).await;
    let mut framed = framed(socket, "netstring");
    framed.send(b"abc").await.unwrap();
    assert_eq!(heard(&mut framed).await, Some(b"cba".to_vec()));
    framed.socket_mut().send_all(b"03:abc,").await.unwrap();
    assert_eq!(heard(&mut framed).await, None);
    assert_eq!(peer.ended().await, ["broken"]);
}

/// Twisted ends a line at CR LF alone: with the codec `line` both sides would wait for ever.
/// `line:0x0d0a` is exact.
#[tokio::test]
async fn a_line_feed_alone_ends_no_line_of_twisted() {
    if !tools::has_module("twisted") {
        return;
    }
    let twisted = Program("python3", &[SCRIPT, "LineReceiver"]);
    let (_peer, socket) = twisted.meet(Role::Listens).await;
    let mut lines = framed(socket, "line");
    lines.send(b"one").await.unwrap();
    let mut lines = lines
        .with_codec("line:crlf".parse::<BoxCodec>().unwrap())
        .unwrap();
    lines.send(b"two").await.unwrap();
    // It is one line, "one\ntwo".
    assert_eq!(heard(&mut lines).await, Some(b"owt".to_vec()));
    assert_eq!(heard(&mut lines).await, Some(b"eno".to_vec()));
}
