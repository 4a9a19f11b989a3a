//! Receiving: how many reads it takes, and how a failed read is reported.

use std::io;

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, FrameFault, Framed, Line, Raw, Struct};
use tokio_test::io::Builder;

use crate::{Call, Tap};

#[tokio::test]
async fn frames_that_came_together_take_one_read() {
    let (socket, noted) = Tap::socket(Builder::new().read(b"one\ntwo\nthr").read(b"ee\n"));
    let mut framed = Framed::new(socket, Line::new());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"one");
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"two");
    assert_eq!(noted.calls(), [Call::Read(11)]);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"three");
    assert!(framed.recv().await.unwrap().is_none());
    assert_eq!(noted.calls(), [11, 3, 0].map(Call::Read));
}

#[tokio::test]
async fn a_frame_that_comes_byte_by_byte_is_delivered_whole() {
    for codec in ["line", "struct", "json:bare"] {
        let mut wire = BytesMut::new();
        let mut codec: BoxCodec = codec.parse().unwrap();
        for _ in 0..2 {
            codec.encode(b"{}", &mut wire).unwrap();
        }
        let mut script = Builder::new();
        for byte in &wire {
            script.read(&[*byte]);
        }
        let (socket, noted) = Tap::socket(&mut script);
        let mut framed = Framed::new(socket, codec);
        for _ in 0..2 {
            assert_eq!(framed.recv().await.unwrap().unwrap(), b"{}");
        }
        assert_eq!(noted.calls(), vec![Call::Read(1); wire.len()]);
    }
}

#[tokio::test]
async fn a_failed_read_is_reported_after_the_frames_before_it() {
    let mut script = Builder::new();
    script.read(b"\x03\0\0\0one\x03\0\0\0two\x05\0\0\0thr");
    script.read_error(io::Error::from(io::ErrorKind::ConnectionReset));
    let (socket, _) = Tap::socket(&mut script);
    let mut framed = Framed::new(socket, Struct::new("<i".parse().unwrap()));
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"one");
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"two");
    let error = framed.recv().await.unwrap_err();
    let reset = |fault: &FrameFault| match fault {
        FrameFault::Io(error) => error.kind() == io::ErrorKind::ConnectionReset,
        _ => false,
    };
    assert!(reset(error.fault()) && error.is_fatal(), "{error}");
    assert!(
        framed.recv().await.unwrap().is_none(),
        "and then there is the end"
    );
}

/// The first bytes of a body came with its header. The rest is read as it comes, and no later byte
/// is lost.
#[tokio::test]
async fn a_body_takes_buffered_bytes_and_then_reads() {
    let mut script = Builder::new();
    script
        .read(b"\x02\0\0\0hiab")
        .read(b"cd")
        .read(b"ef\x03\0\0\0end");
    let (socket, noted) = Tap::socket(&mut script);
    let mut framed = Framed::new(socket, Struct::new("<i".parse().unwrap()));
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"hi");
    let mut body = framed.body(6).unwrap();
    assert_eq!(body.chunk().await.unwrap().unwrap(), b"ab");
    assert_eq!(noted.calls(), [Call::Read(8)]);
    assert_eq!(body.chunk().await.unwrap().unwrap(), b"cd");
    assert_eq!(body.chunk().await.unwrap().unwrap(), b"ef");
    assert!(body.chunk().await.unwrap().is_none());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"end");
    // No read asks for more than the body has left.
    assert_eq!(noted.calls(), [8, 2, 2, 7].map(Call::Read));
}

#[tokio::test]
async fn raw_gives_out_each_read_as_it_came() {
    let (socket, noted) = Tap::socket(Builder::new().read(b"ls").read(b"pwd"));
    let mut framed = Framed::new(socket, Raw);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"ls");
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"pwd");
    assert!(framed.recv().await.unwrap().is_none());
    assert_eq!(noted.calls(), [2, 3, 0].map(Call::Read));
}
