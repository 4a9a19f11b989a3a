//! A conversation with a program that answers each frame with its bytes in reverse order.

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, Fault, Framed};
use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, Endpoint, Listener, SendExt, connect, listen};

use crate::child::Peer;

/// Which end listens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// The peer does.
    Listens,
    /// This test does.
    Connects,
}

pub(crate) const ROLES: [Role; 2] = [Role::Listens, Role::Connects];

/// A program, and its arguments before those of its role: `listen`, after which it prints its port,
/// or `connect PORT`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a>(pub(crate) &'a str, pub(crate) &'a [&'a str]);

impl Program<'_> {
    /// Starts it, and gives the socket between it and this test.
    pub(crate) async fn meet(self, role: Role) -> (Peer, BoxSocket) {
        let Program(program, arguments) = self;
        match role {
            Role::Listens => {
                let mut peer = Peer::start(program, &[arguments, &["listen"]].concat());
                let at = format!("tcp://127.0.0.1:{}?nodelay=true", peer.port().await);
                let socket = in_time("connect", connect(at)).await.unwrap();
                (peer, socket)
            }
            Role::Connects => {
                let mut listener = listen("tcp://127.0.0.1:0?nodelay=true").await.unwrap();
                let port = port(listener.local()).to_string();
                let peer = Peer::start(program, &[arguments, &["connect", &port]].concat());
                let socket = in_time("accept", listener.accept()).await.unwrap();
                (peer, socket)
            }
        }
    }

    /// Has a conversation of `frames` with it, in both roles, and gives out what it printed.
    pub(crate) async fn mirrors(self, codec: &str, frames: &[Vec<u8>]) -> Vec<String> {
        let mut said = Vec::new();
        for role in ROLES {
            let (peer, socket) = self.meet(role).await;
            mirrored(socket, codec, frames).await;
            said.extend(peer.ended().await);
        }
        said
    }
}

fn port(at: &Endpoint) -> u16 {
    at.socket_addr().unwrap().port()
}

/// Frames of these lengths, with every byte where they are long enough.
pub(crate) fn binary(lengths: &[usize]) -> Vec<Vec<u8>> {
    let frame = |len: &usize| {
        let first = u8::try_from(len % 256).unwrap();
        let bytes = (0..=255u8)
            .cycle()
            .map(|at| at.wrapping_mul(7).wrapping_add(first));
        bytes.take(*len).collect()
    };
    lengths.iter().map(frame).collect()
}

pub(crate) fn reversed(frame: &[u8]) -> Vec<u8> {
    frame.iter().rev().copied().collect()
}

pub(crate) fn framed(socket: BoxSocket, codec: &str) -> Framed<BoxSocket> {
    Framed::new(socket, codec.parse().unwrap())
}

/// The next frame; `None` at the end.
pub(crate) async fn heard(framed: &mut Framed<BoxSocket>) -> Option<Vec<u8>> {
    let frame = in_time("a frame", framed.recv()).await.unwrap();
    frame.map(<[u8]>::to_vec)
}

/// A frame of `len` bytes is not sent, since it is above `max`. The conversation can go on.
pub(crate) async fn refuses(framed: &mut Framed<BoxSocket>, len: usize, max: usize) {
    let error = framed.send(&vec![0; len]).await.unwrap_err();
    let len = Some(len as u64);
    let max = max as u64;
    assert_eq!(error.codec_fault(), Some(&Fault::TooLong { len, max }));
    assert!(!error.is_fatal());
}

/// The peer ends the connection at this frame, perhaps before all of it is written.
pub(crate) async fn ended_by(framed: &mut Framed<BoxSocket>, frame: &[u8]) {
    let _written = in_time("a frame", framed.send(frame)).await;
    over(framed).await;
}

/// The peer has ended the connection: in order, or by a reset where it has not read all.
pub(crate) async fn over(framed: &mut Framed<BoxSocket>) {
    let end = in_time("the end", framed.recv()).await;
    assert!(!matches!(end, Ok(Some(_))), "{end:?}");
}

/// Sends `frames` in turns with the answers, then all at once, then the short ones byte by byte. At
/// the end this side finishes first, and the peer still answers.
async fn mirrored(socket: BoxSocket, codec: &str, frames: &[Vec<u8>]) {
    let mut framed = framed(socket, codec);
    for frame in frames {
        framed.send(frame).await.unwrap();
        let answer = heard(&mut framed).await;
        assert!(answer == Some(reversed(frame)), "{codec}: {}", frame.len());
    }
    let (mut receiver, mut sender) = framed.split();
    let short: Vec<_> = frames.iter().filter(|frame| frame.len() < 300).collect();
    let middle = || frames.iter().filter(|frame| frame.len() < 100_000);
    let many = || middle().chain(short.iter().copied().cycle().take(500));
    let sending = async {
        for frame in many() {
            sender.feed(frame).await.unwrap();
        }
        sender.flush().await.unwrap();
        let bytes = encoded(codec, &short);
        for byte in &bytes {
            let socket = sender.socket_mut();
            socket.send_all(std::slice::from_ref(byte)).await.unwrap();
        }
        sender.finish().await.unwrap();
    };
    let receiving = async {
        for frame in many().chain(short.iter().copied()) {
            let answer = in_time("an answer", receiver.recv()).await.unwrap();
            let same = answer.is_some_and(|answer| answer == reversed(frame));
            assert!(same, "{codec}: {}", frame.len());
        }
        assert_eq!(in_time("the end", receiver.recv()).await.unwrap(), None);
    };
    tokio::join!(sending, receiving);
}

fn encoded(codec: &str, frames: &[&Vec<u8>]) -> BytesMut {
    let mut codec: BoxCodec = codec.parse().unwrap();
    let mut bytes = BytesMut::new();
    for frame in frames {
        codec.encode(frame, &mut bytes).unwrap();
    }
    bytes
}
