//! The events of the peer, the socket and the program, one after another.

use std::io::ErrorKind;

use socketry_codec::{Framed, MidFrame};
use socketry_testkit::{Fault, Script};

use super::incoming::Incoming;
use super::outgoing::Outgoing;
use super::receiving::Way;
use super::witness::Witness;
use super::{EVENTS, Event, Setting, case};

/// The longest piece that arrives at once, in bytes. It is shorter than a read, so that one read
/// takes it.
const PIECE: usize = 1024;
/// A frame of this length is written without a copy.
const LARGE: usize = 128 << 10;
/// The most room that one read may ask for, in bytes.
const READ: usize = 64 << 10;

type End = Framed<Witness>;

pub struct Play {
    script: Script,
    pub witness: Witness,
    /// Both halves, or the receiving one after a split.
    pub recv: End,
    pub send: Option<End>,
    pub incoming: Incoming,
    pub outgoing: Outgoing,
    pub datagrams: bool,
    /// Whether a call may wait. Otherwise it is dropped then.
    patient: bool,
    /// How frames are received where the input does not say it.
    way: Way,
    sent: Vec<u8>,
    ended: bool,
}

impl Play {
    pub fn new(setting: &Setting) -> Self {
        let script = setting.script();
        let witness = Witness::new(&script, setting.faults());
        let codec = case::codec(setting.form, setting.limits);
        let recv = Framed::new(witness.clone(), codec.clone())
            .frame_time(None)
            .high_water(setting.high_water.into());
        Play {
            script,
            witness,
            recv,
            send: None,
            incoming: Incoming::new(codec.clone(), setting.datagrams),
            outgoing: Outgoing::new(codec, setting.datagrams),
            datagrams: setting.datagrams,
            patient: true,
            way: match setting.high_water % 4 {
                1 => Way::Many(usize::from(setting.high_water)),
                _ => Way::Lent,
            },
            sent: Vec::new(),
            ended: false,
        }
    }

    pub fn event(&mut self, event: &Event<'_>) {
        let patient = std::mem::replace(&mut self.patient, true);
        match *event {
            Event::PeerSends(bytes) => self.arrives(bytes),
            Event::PeerSendsFrame(frame) => {
                let bytes = self.incoming.encoded(frame);
                self.arrives(&bytes);
            }
            Event::PeerPauses => drop(self.script.clone().pause()),
            Event::PeerEnds => self.ends(),
            Event::RecvFails(number) => self.recv_fails(number),
            Event::SocketTakes(bytes) => self.takes(bytes),
            Event::SendFails(number) => drop(self.script.clone().refusing(kind(number))),
            Event::Impatience => self.patient = false,
            Event::Recv => drop(self.receive(patient, self.way)),
            Event::RecvBytes => drop(self.receive(patient, Way::Kept)),
            Event::RecvBody(len) => self.receive_body(patient, len),
            Event::RestOfBody => self.rest_of_body(patient),
            Event::Send(frame) => self.send(patient, frame, true),
            Event::Feed(frame) => self.send(patient, frame, false),
            Event::SendLarge(more) => {
                self.send(patient, &vec![b'a'; LARGE + usize::from(more)], false);
            }
            Event::Body(bytes) => self.send_body(patient, bytes),
            Event::Flush => self.flush(patient),
            Event::Finish => self.finish(patient),
            Event::WithCodec(form, limits) => self.with_codec(form, limits),
            Event::Split => self.split(),
        }
    }

    fn arrives(&mut self, bytes: &[u8]) {
        let piece = &bytes[..bytes.len().min(PIECE)];
        // An empty read of a stream would be the end.
        let is_one = self.datagrams || !piece.is_empty();
        if is_one && !self.ended {
            drop(self.script.clone().arriving([piece]));
            self.sent.extend_from_slice(piece);
        }
    }

    fn ends(&mut self) {
        drop(self.script.clone().ending());
        self.ended = true;
    }

    fn recv_fails(&mut self, number: u8) {
        if !self.ended {
            drop(self.script.clone().failing(kind(number)));
        }
    }

    fn takes(&mut self, bytes: Option<u8>) {
        // A datagram is taken whole or not at all.
        let bytes = bytes.filter(|_| !self.datagrams).map(usize::from);
        drop(self.script.clone().taking([bytes]));
    }

    fn with_codec(&mut self, form: u8, limits: u8) {
        let codec = case::codec(form, limits);
        let recv = self.take_out();
        let at_boundary = recv.at_boundary();
        match recv.with_codec(codec.clone()) {
            Ok(recv) => {
                assert!(at_boundary);
                self.recv = recv;
                self.incoming.with_codec(codec.clone());
                if self.send.is_none() {
                    self.outgoing.with_codec(codec);
                }
            }
            Err(MidFrame(same)) => {
                assert!(!at_boundary);
                self.recv = *same;
            }
        }
    }

    fn split(&mut self) {
        if self.send.is_none() {
            let (recv, send) = self.take_out().split();
            (self.recv, self.send) = (recv, Some(send));
        }
    }

    fn take_out(&mut self) -> End {
        let nobody = Framed::new(self.witness.clone(), case::codec(0, 0));
        std::mem::replace(&mut self.recv, nobody)
    }

    /// Asserts that everything is received that is still expected, and nothing else.
    pub fn end(mut self) {
        self.rest_of_body(true);
        if self.recv.body_left() == 0 {
            self.receive_all();
        }
        let (received, taken) = (self.witness.received(), self.witness.taken());
        self.outgoing.check(&taken, false);
        assert!(taken.starts_with(&self.script.written()));
        assert!(self.datagrams || self.sent.starts_with(&received));
        let largest = self.witness.largest_room();
        assert!(
            largest <= READ.max(2 * received.len()),
            "room for {largest} bytes"
        );
        if let Ok(parts) = self.recv.into_parts() {
            assert!(parts.received.len() <= received.len());
        }
    }

    fn receive_all(&mut self) {
        // Each turn takes at least one byte or one event. A datagram may have been duplicated.
        for _ in 0..=2 * (self.sent.len() + 2 * EVENTS) {
            let before = self.incoming.told();
            self.receive(true, self.way);
            if self.incoming.told() == before {
                return;
            }
        }
        panic!("more frames and errors than bytes");
    }

    /// Asserts that a patient send waits only if the connection stalls.
    pub fn send_waits(&self, patient: bool) {
        assert!(!patient || self.witness.came_to(Fault::Stall));
    }
}

/// The kind of a socket's error.
fn kind(number: u8) -> ErrorKind {
    let kinds = [
        ErrorKind::Other,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionRefused,
        ErrorKind::BrokenPipe,
        ErrorKind::TimedOut,
    ];
    kinds[usize::from(number) % kinds.len()]
}
