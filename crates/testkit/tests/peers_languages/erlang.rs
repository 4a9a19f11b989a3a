//! Erlang's `gen_tcp` with `{packet, 1 | 2 | 4 | line}`.

use socketry_transport::SendExt;

use crate::mirror::{Program, ROLES, Role, binary, ended_by, framed, heard, refuses, reversed};
use crate::tools;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers_languages/erlang.escript"
);

async fn mirrors(codec: &str, options: &str, frames: &[Vec<u8>]) {
    let arguments = [SCRIPT, options];
    let erlang = Program("escript", &arguments);
    assert_eq!(erlang.mirrors(codec, frames).await, ["closed"; 2]);
}

#[tokio::test]
async fn lengths_of_one_two_and_four_bytes_are_the_same_both_ways() {
    if !tools::has("escript") {
        return;
    }
    let some = [0, 1, 2, 127, 128, 254, 255];
    mirrors("erlang:1", "[{packet,1}]", &binary(&some)).await;
    let more = [0, 1, 255, 256, 257, 65_534, 65_535];
    mirrors("erlang:2", "[{packet,2}]", &binary(&more)).await;
    // The last one is the limit of the codec. Erlang has none below 2 GiB.
    let most = [0, 1, 255, 65_535, 65_536, 1 << 20, 8_388_608];
    mirrors("erlang:4", "[{packet,4}]", &binary(&most)).await;
}

#[tokio::test]
async fn lines_are_the_same_both_ways() {
    if !tools::has("escript") {
        return;
    }
    let lines = ["", "a", " \t ", "a\rb", "\u{1f980}"];
    let mut lines: Vec<_> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
    // Erlang's buffer has 1,460 bytes, with the line feed.
    lines.push(vec![b'x'; 1_459]);
    // The mirror of "\rb" ends in a CR: it is part of the line ending then.
    lines.retain(|line| !line.starts_with(b"\r"));
    mirrors("line", "[{packet,line}]", &lines).await;
    let long = [vec![b'x'; 1_460], vec![b'y'; 100_000]];
    mirrors("line", "[{packet,line},{buffer,200000}]", &long).await;
}

/// Erlang gives a line in parts where its buffer is too small, and each part looks like a line.
#[tokio::test]
async fn a_line_that_is_longer_than_its_buffer_is_several_messages() {
    if !tools::has("escript") {
        return;
    }
    let erlang = Program("escript", &[SCRIPT, "[{packet,line}]"]);
    let (_peer, socket) = erlang.meet(Role::Listens).await;
    let mut framed = framed(socket, "line");
    let line = [&[b'a'; 1_460][..], b"bcd"].concat();
    framed.send(&line).await.unwrap();
    // The first part has no line feed, and neither has its answer: both answers are one line.
    let answer = heard(&mut framed).await.unwrap();
    assert_eq!(answer, [&line[..1_460], b"dcb"].concat());
}

/// Erlang loses a last line without a line feed, and tells nobody. For us it is an error.
#[tokio::test]
async fn a_last_line_without_its_end_is_lost_in_erlang() {
    if !tools::has("escript") {
        return;
    }
    let erlang = Program("escript", &[SCRIPT, "[{packet,line}]"]);
    let (peer, socket) = erlang.meet(Role::Listens).await;
    let mut framed = framed(socket, "line");
    framed.send(b"one").await.unwrap();
    framed.socket_mut().send_all(b"two").await.unwrap();
    framed.finish().await.unwrap();
    assert_eq!(heard(&mut framed).await, Some(b"eno".to_vec()));
    assert_eq!(heard(&mut framed).await, None);
    assert_eq!(peer.ended().await, ["closed"]);
}

#[tokio::test]
async fn a_length_above_its_field_wraps_in_erlang_and_is_refused_here() {
    if !tools::has("escript") {
        return;
    }
    for (codec, options, size, field) in [
        ("erlang:1", "[{packet,1}]", 258, 256),
        ("erlang:2", "[{packet,2}]", 65_538, 65_536),
    ] {
        let sizes = format!("0,{},{size}", field - 1);
        let erlang = Program("escript", &[SCRIPT, options, "send", &sizes]);
        let (peer, socket) = erlang.meet(Role::Connects).await;
        let mut framed = framed(socket, codec);
        refuses(&mut framed, field, field - 1).await;
        assert_eq!(heard(&mut framed).await, Some(Vec::new()));
        assert_eq!(heard(&mut framed).await, Some(vec![0; field - 1]));
        // The length 2 for a message of 2 more than the field holds. Its other zeros look like
        // empty frames. Nobody sees an error.
        assert_eq!(heard(&mut framed).await, Some(vec![0; 2]));
        let width = codec[7..].parse::<usize>().unwrap();
        for _ in 0..field / width {
            assert_eq!(heard(&mut framed).await, Some(Vec::new()));
        }
        assert_eq!(heard(&mut framed).await, Some(b"end".to_vec()));
        assert_eq!(heard(&mut framed).await, None);
        assert_eq!(peer.ended().await, ["ok"; 4]);
    }
}

/// At a frame above its `packet_size` Erlang's receiver closes, in both directions.
#[tokio::test]
async fn a_frame_above_its_packet_size_ends_the_connection() {
    if !tools::has("escript") {
        return;
    }
    for role in ROLES {
        let options = "[{packet,4},{packet_size,1000}]";
        let (peer, socket) = Program("escript", &[SCRIPT, options]).meet(role).await;
        let mut framed = framed(socket, "erlang:4");
        for frame in binary(&[999, 1_000]) {
            framed.send(&frame).await.unwrap();
            assert_eq!(heard(&mut framed).await, Some(reversed(&frame)));
        }
        ended_by(&mut framed, &[0; 1_001]).await;
        assert_eq!(peer.ended().await, ["emsgsize"]);
    }
}
