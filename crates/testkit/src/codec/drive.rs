//! Asks a codec as its contract says, and checks each answer against the contract.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use socketry_codec::{Codec, CodecError, Decoded, End, Fault};

use crate::law::Verdict;

/// The bytes that wait already where a frame is restored.
const BEFORE: &[u8] = b"before";

/// A frame, or an error and whether it was fatal.
pub(super) type Event = Result<Bytes, Wrong>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) fault: Fault,
    pub(super) fatal: bool,
}

impl From<CodecError> for Wrong {
    fn from(error: CodecError) -> Self {
        let fatal = error.is_fatal();
        Wrong {
            fault: error.fault,
            fatal,
        }
    }
}

/// A codec, the bytes that it has not consumed yet, and its frames and errors so far.
#[derive(Clone)]
pub(super) struct Driver<C> {
    pub(super) codec: C,
    pub(super) bytes: Vec<u8>,
    /// How many bytes to pass over that have not arrived yet.
    pub(super) skip: u64,
    /// How many bytes were consumed or passed over, `skip` included.
    pub(super) passed: u64,
    pub(super) over: bool,
    pub(super) events: Vec<Event>,
}

impl<C: Codec> Driver<C> {
    pub(super) fn new(codec: C) -> Self {
        Driver {
            codec,
            bytes: Vec::new(),
            skip: 0,
            passed: 0,
            over: false,
            events: Vec::new(),
        }
    }

    /// All frames and errors of a stream of these pieces, up to its end.
    pub(super) fn stream<'a>(
        mut self,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<Event>, String> {
        for piece in pieces {
            self.push(piece)?;
        }
        self.close()?;
        Ok(self.events)
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Verdict {
        self.arrive(piece);
        self.drain(End::Open)
    }

    pub(super) fn close(&mut self) -> Verdict {
        self.drain(End::Closed)
    }

    /// Decodes a datagram, of which nothing is kept. Returns its frames and errors.
    pub(super) fn datagram(&mut self, datagram: &[u8]) -> Result<Vec<Event>, String> {
        (self.skip, self.over) = (0, false);
        self.bytes = datagram.to_vec();
        self.events.clear();
        self.drain(End::Datagram)?;
        self.bytes.clear();
        Ok(std::mem::take(&mut self.events))
    }

    /// Adds bytes that have arrived, without asking the codec.
    pub(super) fn arrive(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
        self.pass(0);
    }

    /// Whether the codec must not be asked before more bytes arrive, or the stream is over.
    pub(super) fn waits(&self) -> bool {
        self.over || self.skip > 0
    }

    fn drain(&mut self, end: End) -> Verdict {
        while let Some(event) = self.next(end)? {
            self.events.push(event);
            if end == End::Datagram && self.bytes.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// The next frame or error; `None` if more has to arrive first.
    pub(super) fn next(&mut self, end: End) -> Result<Option<Event>, String> {
        while !self.waits() {
            let here = self.bytes.len();
            let answer = self.codec.decode(&self.bytes, end);
            let wrong = |why: &str| Err(format!("{why}: {answer:?} of {:?}", self.shown(end)));
            match answer {
                Ok(answer) if !lies_within(answer, here, end) => {
                    return wrong("no progress, or outside of the input");
                }
                Ok(Decoded::Need(_)) => return Ok(None),
                Ok(Decoded::Skip(bytes)) => {
                    self.pass(bytes as u64);
                    // A codec is not asked again about a datagram that is used up, since some take
                    // an empty one for a frame.
                    if bytes == here && end == End::Datagram {
                        return Ok(None);
                    }
                }
                Ok(Decoded::Frame {
                    start,
                    end,
                    consumed,
                }) => {
                    let frame = Bytes::copy_from_slice(&self.bytes[start..end]);
                    self.pass(consumed as u64);
                    return Ok(Some(Ok(frame)));
                }
                Ok(Decoded::Coded {
                    start,
                    end: stop,
                    consumed,
                }) => return self.restore(start..stop, consumed, end).map(Some),
                Err(ref error) if error.skip == Some(0) || here == 0 => {
                    return wrong("an error that passes over nothing");
                }
                Err(error) => return Ok(Some(Err(self.fail(error, end)))),
            }
        }
        Ok(None)
    }

    /// The frame that the codec makes of its other form. It must append it, and nothing else.
    fn restore(&mut self, coded: Range<usize>, consumed: usize, end: End) -> Result<Event, String> {
        let mut out = BytesMut::from(BEFORE);
        match self.codec.restore(&self.bytes[coded], &mut out) {
            Ok(()) => {
                let frame = out.strip_prefix(BEFORE).map(Bytes::copy_from_slice);
                let changed = || format!("`restore` changed what was there: {}", shown(&out));
                let frame = frame.ok_or_else(changed)?;
                self.pass(consumed as u64);
                Ok(Ok(frame))
            }
            Err(fault) => {
                let error = CodecError::skip(fault, consumed as u64);
                Ok(Err(self.fail(error, end)))
            }
        }
    }

    fn fail(&mut self, error: CodecError, end: End) -> Wrong {
        match error.skip {
            Some(bytes) if end != End::Datagram => self.pass(bytes),
            _ => {
                self.bytes.clear();
                self.over = true;
            }
        }
        error.into()
    }

    fn pass(&mut self, bytes: u64) {
        self.passed = self.passed.saturating_add(bytes);
        let due = self.skip.saturating_add(bytes);
        let here = usize::try_from(due).map_or(self.bytes.len(), |due| due.min(self.bytes.len()));
        self.bytes.drain(..here);
        self.skip = due - here as u64;
    }

    fn shown(&self, end: End) -> String {
        format!("{}, {end:?}", shown(&self.bytes))
    }
}

/// Whether an answer about `here` bytes is possible, and makes progress.
pub(super) fn lies_within(answer: Decoded, here: usize, end: End) -> bool {
    match answer {
        Decoded::Need(bytes) => bytes > 0 && (end == End::Open || here == 0),
        Decoded::Skip(bytes) => bytes > 0 && bytes <= here,
        Decoded::Frame {
            start,
            end: to,
            consumed,
        }
        | Decoded::Coded {
            start,
            end: to,
            consumed,
        } => {
            let progress = consumed > 0 || (here == 0 && end == End::Datagram);
            start <= to && to <= consumed && consumed <= here && progress
        }
    }
}

/// Bytes in a message: as a Rust literal, cut if there are too many to read.
pub(super) fn shown(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=200 => format!("b\"{}\"", bytes.escape_ascii()),
        len => format!("b\"{}\"… ({len} bytes)", bytes[..160].escape_ascii()),
    }
}

pub(super) fn ensure(kept: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if kept { Ok(()) } else { Err(otherwise()) }
}

/// Compares two lists of events. `how` says where they come from.
pub(super) fn same(found: &[Event], due: &[Event], how: impl FnOnce() -> String) -> Verdict {
    if found == due {
        return Ok(());
    }
    let at = found
        .iter()
        .zip(due)
        .take_while(|(found, due)| found == due)
        .count();
    let event = |events: &[Event]| events.get(at).map_or("nothing".into(), told);
    Err(format!(
        "{}: at {at} comes {}, and {} is due",
        how(),
        event(found),
        event(due)
    ))
}

fn told(event: &Event) -> String {
    match event {
        Ok(frame) => format!("the frame {}", shown(frame)),
        Err(Wrong { fault, fatal: true }) => format!("the fatal error '{fault}'"),
        Err(Wrong {
            fault,
            fatal: false,
        }) => format!("the error '{fault}'"),
    }
}
