//! What is to be received, as a `Reader` has it that is asked only when `Framed` is.

use std::collections::VecDeque;

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, Fault, FrameFault, Reader};

/// What a receive comes to.
#[derive(Debug)]
pub enum Expected {
    Frame(Vec<u8>),
    Fault(Fault),
    /// The socket's own error.
    Failure,
    End,
    /// It waits.
    Nothing,
}

enum Arrival {
    Bytes(Vec<u8>),
    Failure,
    End,
}

pub struct Incoming {
    reader: Reader<BoxCodec>,
    codec: BoxCodec,
    datagrams: bool,
    arrivals: VecDeque<Arrival>,
    /// Nothing arrives after this.
    last: bool,
    /// The end has been read.
    ended: bool,
    over: bool,
    told: usize,
}

impl Incoming {
    pub fn new(codec: BoxCodec, datagrams: bool) -> Self {
        Incoming {
            reader: Reader::new(codec.clone()),
            codec,
            datagrams,
            arrivals: VecDeque::new(),
            last: false,
            ended: false,
            over: false,
            told: 0,
        }
    }

    /// As a peer of the same codec would write it.
    pub fn encoded(&mut self, frame: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        // What it cannot carry is not sent.
        let _ = self.codec.clone().encode(frame, &mut out);
        out.to_vec()
    }

    pub fn arrives(&mut self, bytes: &[u8]) {
        self.comes(Arrival::Bytes(bytes.to_vec()));
    }

    pub fn fails(&mut self) {
        self.comes(Arrival::Failure);
    }

    pub fn ends(&mut self) {
        self.comes(Arrival::End);
        self.last = true;
    }

    fn comes(&mut self, arrival: Arrival) {
        if !self.last {
            self.arrivals.push_back(arrival);
        }
    }

    /// Whether the peer has.
    pub fn has_ended(&self) -> bool {
        self.last
    }

    /// How many frames and errors there have been.
    pub fn told(&self) -> usize {
        self.told
    }

    pub fn is_over(&self) -> bool {
        self.over || self.reader.is_over()
    }

    pub fn next(&mut self) -> Expected {
        let next = self.look();
        self.told += usize::from(!matches!(next, Expected::End | Expected::Nothing));
        next
    }

    fn look(&mut self) -> Expected {
        while !self.is_over() {
            match self.reader.next_frame() {
                Ok(Some(frame)) => return Expected::Frame(frame.to_vec()),
                Err(error) => return Expected::Fault(error.fault),
                Ok(None) if self.ended => return Expected::End,
                Ok(None) => {}
            }
            match self.arrivals.pop_front() {
                None => return Expected::Nothing,
                Some(Arrival::Bytes(bytes)) if self.datagrams => self.reader.load(&bytes),
                Some(Arrival::Bytes(bytes)) => self.reader.push(&bytes),
                Some(Arrival::Failure) => {
                    self.over = !self.datagrams;
                    return Expected::Failure;
                }
                Some(Arrival::End) => self.end(),
            }
        }
        Expected::End
    }

    fn end(&mut self) {
        self.ended = true;
        match self.datagrams {
            true => self.over = true,
            false => self.reader.close(),
        }
    }

    pub fn with_codec(&mut self, codec: BoxCodec) {
        self.over = self.is_over();
        self.codec = codec;
        self.put_back();
    }

    /// What was read and not given out comes again: to another codec, or to a body.
    fn put_back(&mut self) {
        let fresh = Reader::new(self.codec.clone());
        let (_, left) = std::mem::replace(&mut self.reader, fresh).into_parts();
        if std::mem::take(&mut self.ended) {
            self.arrivals.push_front(Arrival::End);
        }
        if !left.is_empty() {
            self.arrivals.push_front(Arrival::Bytes(left));
        }
    }

    pub fn begin_body(&mut self) {
        self.put_back();
    }

    /// The next bytes of a body.
    pub fn take(&mut self, chunk: &[u8]) {
        let Some(Arrival::Bytes(bytes)) = self.arrivals.front_mut() else {
            panic!("{} bytes that nobody sent", chunk.len());
        };
        assert!(bytes.starts_with(chunk));
        bytes.drain(..chunk.len());
        if bytes.is_empty() {
            self.arrivals.pop_front();
        }
    }

    pub fn has_nothing(&self) -> bool {
        self.arrivals.is_empty()
    }

    pub fn body_fails(&mut self, fault: &FrameFault) {
        match self.arrivals.pop_front() {
            Some(Arrival::End) => assert!(matches!(fault, FrameFault::BodyCut(_))),
            Some(Arrival::Failure) => assert!(matches!(fault, FrameFault::Io(_))),
            _ => panic!("{fault:?}, and the model knows of none"),
        }
        self.over = true;
    }
}
