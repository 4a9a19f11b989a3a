//! `Framed` over a socket that gives and takes as the input says: frames and bodies are those of a model, what is written
//! is whole frames in order whoever was cancelled, and nothing panics, hangs or asks for more room than has arrived.

mod incoming;
mod outgoing;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use arbitrary::{Arbitrary, Unstructured};
use socketry_codec::{FrameFault, Framed, OutOfStep};
use socketry_testkit::Script;

use super::case;
use incoming::{Expected, Incoming};
use outgoing::Outgoing;

/// What happens, in order.
#[derive(Arbitrary, Debug)]
enum Event<'a> {
    PeerSends(&'a [u8]),
    PeerSendsFrame(&'a [u8]),
    PeerPauses,
    PeerEnds,
    SocketFails,
    /// The next sends take so many bytes, or make one wait.
    SocketTakes(Option<u8>),
    /// What comes next is dropped if it has to wait.
    Impatience,
    Recv,
    RecvBytes,
    /// A frame, and a body behind it.
    RecvBody(u8),
    RestOfBody,
    Send(&'a [u8]),
    Feed(&'a [u8]),
    SendLarge(u8),
    Body(&'a [u8]),
    Flush,
    Finish,
    WithCodec(u8, u8),
    Split,
}

/// The longest piece that arrives at once, in bytes: less than a read takes, so that one is one.
const PIECE: usize = 1024;
/// A frame of this length is written from where it lies.
const LARGE: usize = 64 << 10;
/// The most room that one read may ask for, in bytes.
const READ: usize = 64 << 10;
/// How many events of an input are heeded.
const EVENTS: usize = 64;
/// How often something is polled before it counts as waiting: more than there can be pauses.
const PATIENCE: usize = 2 * EVENTS;
/// The longest datagram.
const DATAGRAM: usize = 1500;

type End = Framed<Script>;

pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let Ok((form, limits, datagrams, high_water)) = input.arbitrary::<(u8, u8, bool, u8)>() else {
        return;
    };
    let mut play = Play::new((form, limits), datagrams, high_water.into());
    for event in input.arbitrary_iter::<Event<'_>>().into_iter().flatten() {
        let Ok(event) = event else {
            break;
        };
        play.event(&event);
        if play.events == EVENTS {
            break;
        }
    }
    play.end();
}

struct Play {
    socket: Script,
    /// Both ways, or after a split one.
    recv: End,
    send: Option<End>,
    incoming: Incoming,
    outgoing: Outgoing,
    datagrams: bool,
    patience: usize,
    arrived: usize,
    events: usize,
}

impl Play {
    fn new((form, limits): (u8, u8), datagrams: bool, high_water: usize) -> Self {
        let socket = match datagrams {
            true => Script::datagrams(DATAGRAM),
            false => Script::stream(),
        };
        let socket = socket.open();
        let codec = case::codec(form, limits);
        Play {
            recv: Framed::new(socket.clone(), codec.clone())
                .frame_time(None)
                .high_water(high_water),
            send: None,
            incoming: Incoming::new(codec.clone(), datagrams),
            outgoing: Outgoing::new(codec),
            socket,
            datagrams,
            patience: PATIENCE,
            arrived: 0,
            events: 0,
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        self.events += 1;
        let patience = std::mem::replace(&mut self.patience, PATIENCE);
        match *event {
            Event::PeerSends(bytes) => self.arrives(bytes),
            Event::PeerSendsFrame(frame) => {
                let bytes = self.incoming.encoded(frame);
                self.arrives(&bytes);
            }
            Event::PeerPauses => drop(self.socket.clone().pause()),
            Event::PeerEnds => self.ends(),
            Event::SocketFails => self.fails(),
            Event::SocketTakes(bytes) => self.takes(bytes),
            Event::Impatience => self.patience = 1,
            Event::Recv => drop(self.receive(patience, false)),
            Event::RecvBytes => drop(self.receive(patience, true)),
            Event::RecvBody(len) => self.receive_body(patience, len),
            Event::RestOfBody => self.rest_of_body(patience),
            Event::Send(frame) => self.send(patience, frame, true),
            Event::Feed(frame) => self.send(patience, frame, false),
            Event::SendLarge(more) => {
                self.send(patience, &vec![b'a'; LARGE + usize::from(more)], false);
            }
            Event::Body(bytes) => self.send_body(patience, bytes),
            Event::Flush => self.flush(patience),
            Event::Finish => self.finish(patience),
            Event::WithCodec(form, limits) => self.with_codec(form, limits),
            Event::Split => self.split(),
        }
    }

    fn arrives(&mut self, bytes: &[u8]) {
        let piece = &bytes[..bytes.len().min(PIECE)];
        // An empty read of a stream would be the end.
        let is_one = self.datagrams || !piece.is_empty();
        if is_one && !self.incoming.has_ended() {
            drop(self.socket.clone().arriving([piece]));
            self.incoming.arrives(piece);
            self.arrived += piece.len();
        }
    }

    fn fails(&mut self) {
        if !self.incoming.has_ended() {
            drop(self.socket.clone().failing(std::io::ErrorKind::Other));
            self.incoming.fails();
        }
    }

    fn ends(&mut self) {
        drop(self.socket.clone().ending());
        self.incoming.ends();
    }

    fn takes(&mut self, bytes: Option<u8>) {
        // A datagram is taken whole or not at all.
        let bytes = bytes.filter(|_| !self.datagrams).map(usize::from);
        drop(self.socket.clone().taking([bytes]));
    }

    /// Receives, and compares with the model. Whether there was a frame.
    fn receive(&mut self, patience: usize, owned: bool) -> bool {
        if self.recv.body_left() > 0 {
            let refused = poll(patience, self.recv.recv()).expect("an answer at once");
            assert!(matches!(
                refused.expect_err("a body is unread").fault(),
                FrameFault::BodyUnread(_)
            ));
            return false;
        }
        let received = match owned {
            true => poll(patience, self.recv.recv_bytes())
                .map(|received| received.map(|frame| frame.map(|bytes| bytes.to_vec()))),
            false => poll(patience, self.recv.recv())
                .map(|received| received.map(|frame| frame.map(<[u8]>::to_vec))),
        };
        if received.is_none() && patience < PATIENCE {
            return false;
        }
        let expected = self.incoming.next();
        match (received, expected) {
            (None, Expected::Nothing) | (Some(Ok(None)), Expected::End) => false,
            (Some(Ok(Some(frame))), Expected::Frame(same)) => {
                assert_eq!(frame, same);
                true
            }
            (Some(Err(error)), Expected::Fault(fault)) => {
                assert_eq!(error.codec_fault(), Some(&fault));
                assert_eq!(error.is_fatal(), self.incoming.is_over());
                false
            }
            (Some(Err(error)), Expected::Failure) => {
                assert!(matches!(error.fault(), FrameFault::Io(_)));
                assert_eq!(error.is_fatal(), self.incoming.is_over());
                false
            }
            (received, expected) => panic!("{received:?}, and the model says {expected:?}"),
        }
    }

    fn receive_body(&mut self, patience: usize, len: u8) {
        if !self.receive(patience, false) {
            return;
        }
        if self.datagrams {
            self.recv.body(len.into()).expect_err("datagrams have none");
            return;
        }
        self.recv.body(len.into()).expect("right after its header");
        self.incoming.begin_body();
        self.rest_of_body(patience);
    }

    fn rest_of_body(&mut self, patience: usize) {
        while self.recv.body_left() > 0 {
            let left = self.recv.body_left();
            let mut body = self.recv.rest_of_body();
            match poll(patience, body.chunk()) {
                None if patience < PATIENCE => return,
                None => return assert!(self.incoming.has_nothing()),
                Some(Ok(Some(chunk))) => {
                    assert!(!chunk.is_empty() && chunk.len() as u64 <= left);
                    self.incoming.take(chunk);
                }
                Some(Ok(None)) => panic!("{left} bytes are left"),
                Some(Err(error)) => {
                    assert!(error.is_fatal());
                    return self.incoming.body_fails(error.fault());
                }
            }
        }
    }

    fn sending(&mut self) -> &mut End {
        self.send.as_mut().unwrap_or(&mut self.recv)
    }

    fn send(&mut self, patience: usize, frame: &[u8], flush: bool) {
        let sending = self.sending();
        let sent = match flush {
            true => poll(patience, sending.send(frame)),
            false => poll(patience, sending.feed(frame)),
        };
        match sent {
            Some(Ok(())) => self.outgoing.sent(frame),
            Some(Err(error)) if error.codec_fault().is_some() => {
                self.outgoing
                    .refused(frame, self.datagrams.then_some(DATAGRAM));
            }
            // Gone whole, to go whole, or gone not at all.
            Some(Err(_)) | None => self.outgoing.perhaps(frame),
        }
    }

    fn send_body(&mut self, patience: usize, bytes: &[u8]) {
        let sending = self.sending();
        let owed = match sending.body_owed() {
            0 => bytes.len() as u64,
            owed => owed,
        };
        let Ok(mut body) = sending.body_writer(owed) else {
            return;
        };
        let most = usize::try_from(owed).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(most)];
        if let Some(Ok(written)) = poll(patience, body.write(bytes)) {
            self.outgoing.body(&bytes[..written]);
        }
    }

    fn flush(&mut self, patience: usize) {
        let flushed = poll(patience, self.sending().flush());
        if matches!(flushed, Some(Ok(()))) {
            self.outgoing.check(&self.socket.written(), true);
        }
    }

    fn finish(&mut self, patience: usize) {
        let finished = poll(patience, self.sending().finish());
        if matches!(finished, Some(Ok(()))) {
            self.outgoing.finished();
        }
    }

    fn with_codec(&mut self, form: u8, limits: u8) {
        let codec = case::codec(form, limits);
        let nobody = Framed::new(Script::stream(), case::codec(0, 0));
        let recv = std::mem::replace(&mut self.recv, nobody);
        let in_step = recv.in_step();
        match recv.with_codec(codec.clone()) {
            Ok(recv) => {
                assert!(in_step);
                self.recv = recv;
                self.incoming.with_codec(codec.clone());
                if self.send.is_none() {
                    self.outgoing.with_codec(codec);
                }
            }
            Err(OutOfStep(same)) => {
                assert!(!in_step);
                self.recv = *same;
            }
        }
    }

    fn split(&mut self) {
        if self.send.is_none() {
            let nobody = Framed::new(Script::stream(), case::codec(0, 0));
            let (recv, send) = std::mem::replace(&mut self.recv, nobody).split();
            (self.recv, self.send) = (recv, Some(send));
        }
    }

    /// Everything that is still to be had is there, and nothing else.
    fn end(mut self) {
        self.rest_of_body(PATIENCE);
        if self.recv.body_left() == 0 {
            // Each turn takes a byte at least, or something that happened.
            for _ in 0..=self.arrived + 2 * EVENTS {
                let before = self.incoming.told();
                self.receive(PATIENCE, false);
                if self.incoming.told() == before {
                    break;
                }
            }
        }
        self.outgoing.check(&self.socket.written(), false);
        let largest = self.socket.largest_room();
        assert!(
            largest <= READ.max(2 * self.arrived),
            "room for {largest} bytes"
        );
        if let Ok(parts) = self.recv.into_parts() {
            assert!(parts.received.len() <= self.arrived);
        }
    }
}

/// What `future` comes to; `None` if it has to wait.
fn poll<T>(patience: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..patience {
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return Some(done);
        }
    }
    None
}
