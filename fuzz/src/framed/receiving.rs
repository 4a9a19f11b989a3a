//! Receiving, compared with the model.

use socketry_codec::{FrameError, FrameFault};

use super::incoming::Expected;
use super::patience::poll;
use super::play::Play;

/// How frames are asked for.
#[derive(Clone, Copy)]
pub enum Way {
    Lent,
    Kept,
    /// At most so many in one call.
    Many(usize),
}

type Received = Option<Result<Vec<Vec<u8>>, FrameError>>;

impl Play {
    /// Receives, and compares with the model. Whether there was a frame.
    pub fn receive(&mut self, patient: bool, way: Way) -> bool {
        if self.recv.body_left() > 0 {
            self.receive_too_early();
            return false;
        }
        let received = self.received(patient, way);
        let expected = self.incoming.next(self.witness.answers());
        match (received, expected) {
            (Some(Ok(frames)), Expected::Frame(same)) => {
                assert_eq!(frames.first(), Some(&same));
                frames[1..].iter().for_each(|frame| self.comes_next(frame));
                return true;
            }
            (None, Expected::Nothing) => assert!(!patient || self.witness.is_silent()),
            (Some(Ok(frames)), Expected::End) => assert!(frames.is_empty()),
            (Some(Err(error)), Expected::Fault(fault)) => {
                assert_eq!(error.codec_fault(), Some(&fault));
                assert_eq!(error.is_fatal(), self.incoming.is_over());
            }
            (Some(Err(error)), Expected::Cut) => {
                assert!(matches!(error.fault(), FrameFault::Cut(_)));
                assert!(!error.is_fatal());
            }
            (Some(Err(error)), Expected::Failure(kind)) => {
                assert!(matches!(error.fault(), FrameFault::Io(error) if error.kind() == kind));
                assert_eq!(error.is_fatal(), self.incoming.is_over());
            }
            (received, expected) => panic!("{received:?}, and the model says {expected:?}"),
        }
        false
    }

    /// What one call gives; nothing is the end, and `None` that it waits.
    fn received(&mut self, patient: bool, way: Way) -> Received {
        match way {
            Way::Lent => poll(patient, self.recv.recv()).map(|received| {
                received.map(|frame| frame.into_iter().map(<[u8]>::to_vec).collect())
            }),
            Way::Kept => poll(patient, self.recv.recv_bytes()).map(|received| {
                received.map(|frame| frame.into_iter().map(|bytes| bytes.to_vec()).collect())
            }),
            Way::Many(most) => poll(patient, self.recv.recv_many(most)).map(|received| {
                let frames = received.map(|frames| frames.into_iter().flatten());
                frames.map(|frames| frames.map(<[u8]>::to_vec).collect())
            }),
        }
    }

    /// A frame that came with another, and so without a read of its own.
    fn comes_next(&mut self, frame: &[u8]) {
        match self.incoming.next(Vec::new()) {
            Expected::Frame(same) => assert_eq!(frame, same),
            expected => panic!("{frame:?}, and the model says {expected:?}"),
        }
    }

    fn receive_too_early(&mut self) {
        let refused = poll(false, self.recv.recv()).expect("an answer at once");
        let refused = refused.expect_err("a body is unread");
        assert!(matches!(refused.fault(), FrameFault::BodyUnread(_)));
    }

    pub fn receive_body(&mut self, patient: bool, len: u8) {
        if !self.receive(patient, Way::Lent) {
            return;
        }
        if self.datagrams {
            self.recv.body(len.into()).expect_err("datagrams have none");
            return;
        }
        self.recv.body(len.into()).expect("right after its header");
        self.incoming.begin_body();
        self.rest_of_body(patient);
    }

    pub fn rest_of_body(&mut self, patient: bool) {
        while self.recv.body_left() > 0 {
            let left = self.recv.body_left();
            let mut body = self.recv.rest_of_body();
            let chunk = poll(patient, body.chunk());
            self.incoming.hears(self.witness.answers());
            match chunk {
                None => {
                    assert!(self.incoming.has_nothing());
                    return assert!(!patient || self.witness.is_silent());
                }
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
}
