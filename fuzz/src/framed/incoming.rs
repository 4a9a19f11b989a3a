//! The model of the receiving side: a `Reader` that is given the same bytes as the socket gave, at
//! the same times.

use std::collections::VecDeque;
use std::io::ErrorKind;

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, Fault, FrameFault, Reader};

use super::witness::Answer;

/// The expected result of a receive.
#[derive(Debug)]
pub enum Expected {
    Frame(Vec<u8>),
    Fault(Fault),
    /// A datagram without its end.
    Cut,
    /// The socket's own error.
    Failure(ErrorKind),
    End,
    /// The receive waits.
    Nothing,
}

pub struct Incoming {
    reader: Reader<BoxCodec>,
    codec: BoxCodec,
    datagrams: bool,
    answers: VecDeque<Answer>,
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
            answers: VecDeque::new(),
            ended: false,
            over: false,
            told: 0,
        }
    }

    /// The bytes that a peer with the same codec would write.
    pub fn encoded(&mut self, frame: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        // A frame that the codec cannot carry is not sent.
        let _ = self.codec.clone().encode(frame, &mut out);
        out.to_vec()
    }

    /// Adds answers of the socket.
    pub fn hears(&mut self, answers: Vec<Answer>) {
        assert!(answers.is_empty() || !self.is_over());
        self.answers.extend(answers);
    }

    /// How many frames and errors were given out.
    pub fn told(&self) -> usize {
        self.told
    }

    pub fn is_over(&self) -> bool {
        self.over || self.reader.is_over()
    }

    /// The expected result of a receive that got these answers from the socket.
    pub fn next(&mut self, answers: Vec<Answer>) -> Expected {
        let has_read = !answers.is_empty();
        self.hears(answers);
        let next = self.look();
        let in_vain = has_read && !self.answers.is_empty();
        assert!(!in_vain, "it read on, and {next:?} was there");
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
            match self.answers.pop_front() {
                None => return Expected::Nothing,
                Some(Answer::Bytes(bytes)) if self.datagrams => self.reader.load(&bytes),
                Some(Answer::Bytes(bytes)) => self.reader.push(&bytes),
                Some(Answer::Cut) => return Expected::Cut,
                Some(Answer::Failure(kind)) => {
                    self.over = !self.datagrams;
                    return Expected::Failure(kind);
                }
                Some(Answer::End) => self.end(),
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

    /// Bytes that were read and not given out are read again: by another codec, or as a body.
    fn put_back(&mut self) {
        let fresh = Reader::new(self.codec.clone());
        let (_, left) = std::mem::replace(&mut self.reader, fresh).into_parts();
        if std::mem::take(&mut self.ended) {
            self.answers.push_front(Answer::End);
        }
        if !left.is_empty() {
            self.answers.push_front(Answer::Bytes(left.to_vec()));
        }
    }

    pub fn begin_body(&mut self) {
        self.put_back();
    }

    /// The next bytes of a body.
    pub fn take(&mut self, chunk: &[u8]) {
        let Some(Answer::Bytes(bytes)) = self.answers.front_mut() else {
            panic!("{} bytes that nobody sent", chunk.len());
        };
        assert!(bytes.starts_with(chunk));
        bytes.drain(..chunk.len());
        if bytes.is_empty() {
            self.answers.pop_front();
        }
    }

    pub fn has_nothing(&self) -> bool {
        self.answers.is_empty()
    }

    pub fn body_fails(&mut self, fault: &FrameFault) {
        match self.answers.pop_front() {
            Some(Answer::End) => assert!(matches!(fault, FrameFault::BodyCut(_))),
            Some(Answer::Failure(kind)) => {
                assert!(matches!(fault, FrameFault::Io(error) if error.kind() == kind));
            }
            _ => panic!("{fault:?}, and the model knows of none"),
        }
        self.over = true;
    }
}
