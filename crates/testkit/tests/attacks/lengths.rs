//! Lengths that no honest peer sends.

use bytes::BytesMut;
use socketry_apps::matrix::App;
use socketry_codec::{Codec, Fault, Format, FrameFault, Framed, Raw, Struct};
use socketry_testkit::{Places, in_time};
use socketry_transport::{BoxSocket, Listener, Received, RecvExt, SendExt};

use crate::served::Served;
use crate::victims::{STREAMS, connect, framed, free, limited, listen, over_each, pair};

/// The longest frame here, in bytes.
const MOST: usize = 16;

fn formats() -> impl Iterator<Item = String> {
    let orders = ["", "@", "=", "<", ">", "!"];
    let all = |order: &'static str| {
        "bBhHiIlLqQ"
            .chars()
            .map(move |letter| format!("{order}{letter}"))
    };
    orders.into_iter().flat_map(all)
}

/// Length fields of this format that claim far too much, or less than nothing.
fn claims(name: &str) -> Vec<Vec<u8>> {
    let format: Format = name.parse().unwrap();
    let size = format.size();
    let mut claims = vec![vec![0xff; size]];
    let lengths = [
        1 << 31,
        u64::from(u32::MAX),
        1 << 40,
        1 << 63,
        u64::MAX - 7,
        format.max(),
    ];
    for length in lengths.into_iter().chain([1 << 7, 1 << 15]) {
        claims.push(length.to_le_bytes()[..size].to_vec());
        claims.push(length.to_be_bytes()[8 - size..].to_vec());
    }
    claims.retain(|bytes| format.read(bytes) != Ok(Some(0)));
    claims.retain(|bytes| !matches!(format.read(bytes), Ok(Some(len)) if len <= MOST as u64));
    claims
}

/// zmq.rs aborted its process on 73 bytes that claimed a length which cannot be allocated.
#[tokio::test]
async fn seventy_three_bytes_that_claim_everything() {
    let places = Places::new();
    for scheme in STREAMS {
        for family in ["struct", "json"] {
            // Formats differ in the codec only, so one transport is enough to test all of them.
            let few =
                formats().filter(|name| scheme == "mem" || ["i", ">Q", "<b"].contains(&&**name));
            for format in few {
                for claim in claims(&format) {
                    let name = format!("{family}:{format}");
                    let (mut attacker, mut victim) =
                        framed(&free(&places, scheme), limited(&name, MOST)).await;
                    let mut bytes = claim.clone();
                    bytes.resize(73, 0xff);
                    attacker.send_all(&bytes).await.unwrap();
                    attacker.finish().await.unwrap();
                    let told = in_time(&name, victim.recv()).await.unwrap_err();
                    let fault = told.codec_fault().unwrap();
                    let named = matches!(
                        fault,
                        Fault::TooLong { max: 16, .. } | Fault::NegativeLength(_)
                    );
                    assert!(named, "{scheme} {name} {claim:?}: {told}");
                    // Whatever the bytes after it are, the end comes.
                    let mut answers = 0;
                    while !matches!(in_time(&name, victim.recv()).await, Ok(None)) {
                        answers += 1;
                        assert!(answers < 73, "{scheme} {name} {claim:?}");
                    }
                }
            }
        }
    }
}

const CODECS: [&str; 9] = [
    "line",
    r"line:\0",
    "struct",
    "struct:B",
    "struct:>q",
    "struct:!I",
    "json",
    "json:>H",
    "json:bare",
];

/// Twenty-five bytes of 0xFF, and then three frames.
fn garbage_and_frames(name: &str) -> BytesMut {
    let mut wire = BytesMut::from(&[0xff; 25][..]);
    for _ in 0..3 {
        limited(name, 64).encode(b"{}", &mut wire).unwrap();
    }
    wire
}

/// message-io was given 25 bytes of 0xFF before valid frames. It delivered nothing, for ever,
/// without an error.
#[tokio::test]
async fn garbage_before_valid_frames_is_never_silence() {
    let places = Places::new();
    for scheme in STREAMS {
        for name in CODECS {
            let (mut attacker, mut victim) =
                framed(&free(&places, scheme), limited(name, 64)).await;
            attacker.send_all(&garbage_and_frames(name)).await.unwrap();
            match in_time(name, victim.recv()).await {
                // For a line codec the garbage is one line, and is delivered as such.
                Ok(Some(frame)) => {
                    assert!(name.starts_with("line") && frame.starts_with(&[0xff; 25]));
                }
                Ok(None) => panic!("{scheme} {name}: silence"),
                Err(error) => assert!(error.codec_fault().is_some(), "{scheme} {name}: {error}"),
            }
        }
    }
}

/// The same over a datagram socket, where the next datagram is not affected.
#[tokio::test]
async fn a_datagram_of_garbage_spoils_no_other() {
    let places = Places::new();
    for scheme in ["udp", "unix-dgram"] {
        for name in CODECS {
            let mut listener = listen(&free(&places, scheme)).await.unwrap();
            let mut attacker = connect(listener.local()).await.unwrap();
            attacker.send_all(&garbage_and_frames(name)).await.unwrap();
            let mut good = BytesMut::new();
            limited(name, 64)
                .encode(b"{\"good\":1}", &mut good)
                .unwrap();
            attacker.send_all(&good).await.unwrap();
            let socket = in_time("the session", listener.accept()).await.unwrap();
            let mut victim = Framed::new(socket, limited(name, 64));
            let mut errors = 0;
            loop {
                match in_time(name, victim.recv()).await {
                    Ok(Some(b"{\"good\":1}")) => break,
                    Ok(Some(_)) => assert!(name.starts_with("line"), "{scheme} {name}"),
                    Ok(None) => panic!("{scheme} {name}: the end"),
                    Err(_) => errors += 1,
                }
            }
            assert_eq!(
                errors,
                usize::from(!name.starts_with("line")),
                "{scheme} {name}"
            );
        }
    }
}

/// distant added a claimed length to the length of its header, and the sum overflowed.
#[tokio::test]
async fn a_length_whose_sum_overflows() {
    for length in [u64::MAX, u64::MAX - 7, u64::MAX - 8, i64::MAX as u64] {
        let greedy = Struct::new("<Q".parse().unwrap())
            .max_frame(usize::MAX)
            .max_discard(u64::MAX);
        for greedy in [greedy.clone(), greedy.max_frame(1)] {
            let (mut attacker, victim) = pair(&Places::new().free("mem")).await;
            let mut victim = Framed::new(victim, greedy);
            attacker.send_all(&length.to_le_bytes()).await.unwrap();
            attacker.send_all(b"ten bytes!").await.unwrap();
            attacker.finish().await.unwrap();
            assert!(
                in_time("an error", victim.recv()).await.is_err(),
                "{length}"
            );
            assert!(
                in_time("the end", victim.recv()).await.unwrap().is_none(),
                "{length}"
            );
        }
    }
}

/// The same with a body of the length that a header claims.
#[tokio::test]
async fn a_body_of_all_the_bytes_there_are() {
    let (mut attacker, victim) = pair(&Places::new().free("mem")).await;
    let mut victim = Framed::new(victim, Raw);
    attacker.send_all(b"header").await.unwrap();
    victim.recv().await.unwrap().unwrap();
    attacker.send_all(b"ten bytes!").await.unwrap();
    attacker.finish().await.unwrap();
    let mut body = victim.body(u64::MAX).unwrap();
    let error = in_time("the end of the body", body.drain())
        .await
        .unwrap_err();
    assert!(matches!(error.fault(), FrameFault::BodyCut(missing) if *missing == u64::MAX - 10));
}

/// The input that crashed a zmq.rs server, against each app. The app answers or closes, and serves
/// the next client.
#[tokio::test]
async fn no_app_falls_to_a_length() {
    let root = tempfile::tempdir().unwrap();
    for (scheme, app) in over_each(App::ALL) {
        for codec in ["struct:>Q", "struct", "json", "json:>q", "json:bare"] {
            if app == App::File && codec.starts_with("struct") {
                continue;
            }
            let served = Served::start(app, scheme, codec, root.path()).await;
            for bytes in [[0xff; 73], [0x7f; 73], [0x80; 73]] {
                let mut attacker = connect(&served.at).await.unwrap();
                attacker.send_all(&bytes).await.unwrap();
                attacker.finish().await.unwrap();
                in_time("the server hangs up", hung_up(&mut attacker)).await;
            }
            served.is_alive().await;
            let grown = served.grown();
            assert!(
                grown < 8 << 20,
                "{app} {scheme} {codec}: {grown} bytes more"
            );
        }
    }
}

/// Reads until the end or an error.
async fn hung_up(socket: &mut BoxSocket) {
    let mut buf = [0; 4096];
    while matches!(socket.recv(&mut buf).await, Ok((_, Received::Data))) {}
}
