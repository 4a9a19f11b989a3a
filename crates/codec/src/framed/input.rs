//! The receive buffer: what arrived, what of it was given out, and how much room the next read gets.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socketry_transport::{Received, RecvHalf, poll_recv_into};
use tokio::time::{Sleep, sleep};

use super::{FrameFault, spare};
use crate::limits::DEFAULT_FRAME_TIME;
use crate::reader::{cut, drop_front};
use crate::{Codec, CodecError, Decoded, End, Fault};

/// The first read of a connection, in bytes; it doubles while reads are filled.
const READ_MIN: usize = 8 * 1024;
/// The most that one read asks for. More would leave the peer's writer waiting for us (measured: 64 KiB reads into a
/// 1 MiB frame beat one read of it all).
const READ_MAX: usize = 64 * 1024;
/// A parked connection whose unread rest is this small gives back a larger buffer.
const PARKED_REST: usize = 512;
/// How many of the bytes that a codec refused its error shows.
const MAX_FOUND: usize = 128;
/// The most room for one datagram, whatever the socket says of itself.
const DATAGRAM_MAX: usize = 1 << 20;
/// How much longer a late frame may take when bytes arrive just then and nobody received when the deadline came: they may
/// be here only now because of that.
const GRACE: Duration = Duration::from_secs(1);
/// Who looks so long after the deadline was not there when it came. Whoever waits for a frame is woken by the deadline, so
/// no peer gains time by sending something in that moment.
const ABSENT: Duration = Duration::from_millis(100);

/// What the receive side holds.
pub(super) struct Input {
    buf: BytesMut,
    /// Everything before is given out or passed over.
    pos: usize,
    /// Bytes to pass over that have not arrived yet.
    skip: u64,
    /// Bytes of the current body that were not read yet.
    pub(super) body: u64,
    state: State,
    read_size: usize,
    /// The largest frame that the peer has completed, with what surrounds it.
    largest: usize,
    pub(super) frame_time: Option<Duration>,
    deadline: Option<Pin<Box<Sleep>>>,
    /// The codec has looked at bytes behind the last frame, so that they can be no body any more. Wherever there is a
    /// deadline for the next frame it has.
    looked: bool,
    /// Bytes arrived since the last time that nothing was there.
    arrived: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A stream that may bring more.
    Stream,
    /// A stream that has ended: what is here is the last.
    Ended,
    /// Datagrams, and none is here.
    NoDatagram,
    /// Datagrams, and (the rest of) one is here. It may be empty.
    Datagram,
    /// Nothing more is to be had.
    Over,
}

/// What a codec says of the bytes that are here.
pub(super) type Answer = Result<Decoded, CodecError>;
/// The answer to a question that was put already: a codec is not asked twice.
pub(super) type Asked = Option<Answer>;

/// What the bytes that are here amount to.
pub(super) enum Step {
    Frame(Range<usize>),
    /// That many bytes more are needed.
    More(usize),
    Over,
}

/// An error of the codec, and the front of the bytes that it is about.
pub(super) struct Refused {
    pub(super) error: CodecError,
    pub(super) found: Box<[u8]>,
}

/// Where a frame lies, as [`Decoded::Frame`] says it.
struct Frame {
    start: usize,
    end: usize,
    consumed: usize,
}

/// The frame in an answer about `here` bytes; or the answer, where it is any other. (It is taken apart in two steps: an answer that
/// stays whole until then is stored and loaded again for each frame, since an error's strings may have to be dropped.)
#[inline(always)]
fn sound(answer: Answer, here: usize) -> Result<Frame, Answer> {
    let decoded = match answer {
        Ok(decoded) => decoded,
        Err(error) => return Err(Err(error)),
    };
    match decoded {
        Decoded::Frame {
            start,
            end,
            consumed,
        } if Decoded::is_sound_frame(start, end, consumed, here) => Ok(Frame {
            start,
            end,
            consumed,
        }),
        other => Err(Ok(other)),
    }
}

impl Input {
    pub(super) fn new(stream: bool) -> Self {
        Input {
            buf: BytesMut::new(),
            pos: 0,
            skip: 0,
            body: 0,
            state: if stream {
                State::Stream
            } else {
                State::NoDatagram
            },
            read_size: READ_MIN,
            largest: 0,
            frame_time: Some(DEFAULT_FRAME_TIME),
            deadline: None,
            looked: false,
            arrived: false,
        }
    }

    pub(super) fn restore(&mut self, received: BytesMut) {
        if self.state == State::NoDatagram && !received.is_empty() {
            self.state = State::Datagram;
        }
        self.buf = received;
    }

    pub(super) fn into_unread(mut self) -> BytesMut {
        self.compact();
        self.buf
    }

    pub(super) fn in_step(&self) -> bool {
        self.skip == 0 && self.body == 0
    }

    /// The bytes at `range`, for the moment.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        &self.buf[range]
    }

    /// The bytes at `range`, for good, cut from the buffer without a copy. Everything before them is dropped.
    #[inline]
    pub(super) fn cut(&mut self, range: Range<usize>) -> Bytes {
        self.pos -= range.end;
        cut(&mut self.buf, range)
    }

    pub(super) fn fail(&mut self) {
        self.state = State::Over;
        self.deadline = None;
        self.buf = BytesMut::new();
        (self.pos, self.skip, self.body) = (0, 0, 0);
    }

    /// The next frame, where all of it is here and nothing else is to be done first, as it mostly is: this alone is in
    /// line. Otherwise [`step`](Input::step) goes on with what the codec was asked and answered.
    #[inline(always)]
    pub(super) fn frame_here<C: Codec>(&mut self, codec: &mut C) -> Result<Range<usize>, Asked> {
        let plain = self.state == State::Stream && self.skip == 0 && self.body == 0;
        if !plain || self.pos == self.buf.len() {
            return Err(None);
        }
        let answer = codec.decode(&self.buf[self.pos..], End::Open);
        let frame = sound(answer, self.here()).map_err(Some)?;
        let range = self.note(&frame);
        self.pos += frame.consumed;
        Ok(range)
    }

    /// Notes a frame, which is then to be consumed; where it lies.
    #[inline(always)]
    fn note(&mut self, frame: &Frame) -> Range<usize> {
        if frame.consumed > self.largest {
            self.largest = frame.consumed;
        }
        if self.looked {
            self.looked = false;
            self.deadline = None;
        }
        self.pos + frame.start..self.pos + frame.end
    }

    /// Looks for a frame in what is here, from what was [asked](Input::frame_here) already.
    pub(super) fn step<C: Codec>(
        &mut self,
        codec: &mut C,
        mut asked: Asked,
    ) -> Result<Step, Refused> {
        loop {
            let (answer, end) = match asked.take() {
                Some(answer) => (answer, End::Open),
                None => match self.look_at() {
                    Ok(end) => (codec.decode(&self.buf[self.pos..], end), end),
                    Err(step) => return Ok(step),
                },
            };
            match sound(answer, self.here()) {
                Ok(frame) => {
                    let range = self.note(&frame);
                    self.consume(frame.consumed);
                    return Ok(Step::Frame(range));
                }
                Err(answer) => {
                    if let Some(step) = self.no_frame(answer, end, codec)? {
                        return Ok(step);
                    }
                }
            }
        }
    }

    /// The bytes that are here and belong to no frame that was given out.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buf[self.pos..]
    }

    /// How many bytes are here and not looked at.
    #[inline]
    fn here(&self) -> usize {
        self.buf.len() - self.pos
    }

    /// What the next bytes are the front of, after those that are to be passed over; or why there is nothing to look at.
    fn look_at(&mut self) -> Result<End, Step> {
        if self.skip > 0 {
            self.pass_over();
        }
        match self.state {
            // With something left to pass over, this is so too.
            State::Stream if self.pos == self.buf.len() => Err(Step::More(1)),
            State::Stream => Ok(End::Open),
            State::Datagram => Ok(End::Datagram),
            State::Ended if self.pos < self.buf.len() => Ok(End::Closed),
            State::Ended | State::Over => Err(Step::Over),
            State::NoDatagram => Err(Step::More(1)),
        }
    }

    /// Takes any other answer; `None` says to look again.
    fn no_frame<C: Codec>(
        &mut self,
        answer: Answer,
        end: End,
        codec: &C,
    ) -> Result<Option<Step>, Refused> {
        let here = self.here();
        match answer {
            Ok(Decoded::Need(bytes)) if end == End::Open => {
                self.looked = true;
                return Ok(Some(Step::More(bytes.max(1))));
            }
            Ok(Decoded::Need(_)) if here == 0 => self.consume(0),
            Ok(Decoded::Need(missing)) => {
                let fault = Fault::Truncated {
                    have: here,
                    missing,
                };
                return Err(self.wrong(CodecError::skip(fault, here as u64), end));
            }
            Ok(skip @ Decoded::Skip(bytes)) if skip.is_sound(here) => {
                self.consume(bytes);
                if codec.in_step() {
                    self.deadline = None;
                }
            }
            Ok(_) => return Err(self.wrong(CodecError::unsound(), end)),
            Err(error) => return Err(self.wrong(error, end)),
        }
        Ok(None)
    }

    #[inline]
    fn consume(&mut self, bytes: usize) {
        self.pos += bytes;
        if self.state == State::Datagram && self.pos == self.buf.len() {
            self.state = State::NoDatagram;
        }
    }

    fn pass_over(&mut self) {
        let here = (self.buf.len() - self.pos) as u64;
        let passed = self.skip.min(here);
        self.skip -= passed;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "no more than the buffer holds"
        )]
        self.consume(passed as usize);
        if self.skip == 0 {
            self.deadline = None;
        }
    }

    /// Takes an error's consequences. A datagram's error is never fatal, and takes the rest of that datagram with it.
    #[cold]
    fn wrong(&mut self, mut error: CodecError, end: End) -> Refused {
        let unread = self.unread();
        let found = unread[..unread.len().min(MAX_FOUND)].into();
        self.deadline = None;
        if end == End::Datagram {
            error.skip = Some((self.buf.len() - self.pos) as u64);
            self.pos = self.buf.len();
            self.state = State::NoDatagram;
            return Refused { error, found };
        }
        match error.skip {
            Some(bytes) if bytes > 0 => self.skip = bytes,
            // Nothing passed over would be the same error for ever.
            _ => {
                error.skip = None;
                self.fail();
            }
        }
        Refused { error, found }
    }

    /// Receives once. `Ok` says that there is something new to look at.
    pub(super) fn poll_fill<R: RecvHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut R,
        need: usize,
        in_step: bool,
    ) -> Poll<Result<(), FrameFault>> {
        ready!(super::poll_turn(cx));
        self.compact();
        let before = self.buf.len();
        let read = self.make_room(socket, need);
        match poll_recv_into(socket, cx, &mut self.buf, read) {
            Poll::Ready(Ok(received)) => {
                let filled = self.buf.len() - before == read;
                self.arrived = true;
                Poll::Ready(self.received(received, filled))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.failed(error))),
            Poll::Pending => self.parked(cx, in_step),
        }
    }

    /// Makes room for what is needed, as far as what has arrived makes that credible, and says how much of it one read
    /// is to fill.
    fn make_room<R: RecvHalf>(&mut self, socket: &R, need: usize) -> usize {
        if !socket.shape().is_stream() {
            return socket.recv_room().clamp(1, DATAGRAM_MAX);
        }
        let here = self.buf.len();
        let spare = self.buf.capacity() - here;
        // A large frame is not moved while there is room for what it needs, and then to a place half as large again at
        // least: who sends one in small pieces would otherwise have all of it copied for each.
        if here >= READ_MAX && spare >= need.min(READ_MAX) {
            return spare.min(READ_MAX);
        }
        let credible = (2 * here).max(self.largest);
        let wanted = here.saturating_add(need.max(self.read_size).max(here / 2));
        let room = wanted.min(credible).max(self.read_size) - here;
        self.reserve(room.max(1));
        room.clamp(1, READ_MAX)
    }

    /// `BytesMut` would double what it has; the law is exact.
    fn reserve(&mut self, room: usize) {
        if !self.buf.try_reclaim(room) {
            let mut larger = spare::take(self.buf.len() + room);
            larger.extend_from_slice(&self.buf);
            self.buf = larger;
        }
    }

    fn received(&mut self, received: Received, filled: bool) -> Result<(), FrameFault> {
        match (received, self.state) {
            (Received::End, State::NoDatagram) => self.state = State::Over,
            (Received::End, _) => self.state = State::Ended,
            (Received::Cut, _) => {
                self.buf.clear();
                return Err(FrameFault::Cut);
            }
            (Received::Data, State::NoDatagram) => self.state = State::Datagram,
            (Received::Data, _) if filled => self.read_size = (self.read_size * 2).min(READ_MAX),
            (Received::Data, _) => {}
        }
        Ok(())
    }

    /// A datagram socket goes on after an error; a stream does not.
    fn failed(&mut self, error: io::Error) -> FrameFault {
        if self.state != State::NoDatagram {
            self.fail();
        }
        error.into()
    }

    /// Nothing is there now: give memory back, and watch the time of a frame that has begun.
    fn parked(&mut self, cx: &mut Context<'_>, in_step: bool) -> Poll<Result<(), FrameFault>> {
        let here = self.buf.len();
        if here <= PARKED_REST && self.buf.capacity() > 2 * PARKED_REST {
            let rest = BytesMut::from(&self.buf[..]);
            spare::give(std::mem::replace(&mut self.buf, rest));
        }
        let arrived = std::mem::take(&mut self.arrived);
        let Some(limit) = self.frame_time else {
            return Poll::Pending;
        };
        if here == 0 && self.skip == 0 && in_step {
            return Poll::Pending;
        }
        self.looked = true;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(deadline.as_mut().poll(cx));
        if arrived && deadline.deadline().elapsed() > ABSENT {
            deadline.set(sleep(GRACE));
            ready!(deadline.as_mut().poll(cx));
        }
        self.fail();
        Poll::Ready(Err(FrameFault::TimedOut(limit)))
    }

    fn compact(&mut self) {
        drop_front(&mut self.buf, self.pos);
        self.pos = 0;
    }

    /// Whether an error that was just reported ended it.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Begins a body of `len` bytes.
    pub(super) fn begin_body(&mut self, len: u64) -> Result<(), FrameFault> {
        match self.state {
            State::NoDatagram | State::Datagram => Err(FrameFault::NoBody),
            _ if self.body > 0 => Err(FrameFault::BodyUnread(self.body)),
            _ if self.looked || self.skip > 0 => Err(FrameFault::BodyLate),
            _ => {
                self.body = len;
                Ok(())
            }
        }
    }

    /// The next bytes of the body, all that are here; receives if none is. An empty range is the end of the body.
    pub(super) fn poll_body<R: RecvHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut R,
    ) -> Poll<Result<Range<usize>, FrameFault>> {
        while self.body > 0 && self.pos == self.buf.len() {
            if self.state != State::Stream {
                let missing = self.body;
                self.fail();
                return Poll::Ready(Err(FrameFault::BodyCut(missing)));
            }
            ready!(super::poll_turn(cx));
            self.compact();
            let room = usize::try_from(self.body).map_or(READ_MAX, |left| left.min(READ_MAX));
            self.reserve(room);
            match poll_recv_into(socket, cx, &mut self.buf, room) {
                Poll::Ready(Ok(received)) => self.received(received, false)?,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.failed(error))),
                Poll::Pending => {
                    spare::give(std::mem::take(&mut self.buf));
                    return Poll::Pending;
                }
            }
        }
        let here = self.here();
        let len = usize::try_from(self.body).map_or(here, |left| left.min(here));
        Poll::Ready(Ok(self.pos..self.pos + len))
    }

    /// Takes `len` bytes that [`poll_body`](Input::poll_body) showed.
    pub(super) fn take_body(&mut self, len: usize) {
        self.pos += len;
        self.body -= len as u64;
    }
}
