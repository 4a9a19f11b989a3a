//! A socket that does exactly what a test says.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use socketry_transport::{
    Aborted, Endpoint, Half, Info, Received, RecvHalf, SendHalf, Shape, Socket,
};
use tokio::io::ReadBuf;

static ENDPOINT: LazyLock<Endpoint> =
    LazyLock::new(|| "mem://script".parse().expect("a well-formed endpoint"));

/// A socket that follows a script. The script says what arrives, in which pieces, with which errors
/// and pauses, and how many bytes each send takes. Clones are the same socket, so that a test keeps
/// one and gives the other away.
///
/// After the last piece a stream ends, unless it [stays open](Script::open). After the last size,
/// all further bytes are taken. A pause is one `Pending` that wakes the task at once.
#[derive(Clone, Debug)]
pub struct Script {
    info: Info,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    shape: Shape,
    /// The answers to the next receives; `None` is a pause.
    arriving: VecDeque<Option<io::Result<Vec<u8>>>>,
    stays_open: bool,
    largest_room: usize,
    /// How many bytes the next sends take, or how they fail; `None` is a pause.
    taking: VecDeque<Option<io::Result<usize>>>,
    writes: Vec<Vec<u8>>,
    aborted: Option<u64>,
}

impl Script {
    fn new(shape: Shape) -> Self {
        let state = State {
            shape,
            arriving: VecDeque::new(),
            stays_open: false,
            largest_room: 0,
            taking: VecDeque::new(),
            writes: Vec::new(),
            aborted: None,
        };
        Script {
            info: Info::new(shape, ENDPOINT.clone(), ENDPOINT.clone()),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// A stream.
    pub fn stream() -> Self {
        Script::new(Shape::Stream)
    }

    /// A datagram socket whose datagrams carry at most `max_len` bytes.
    pub fn datagrams(max_len: usize) -> Self {
        Script::new(Shape::Datagram { max_len })
    }

    /// A socket of messages that carry at most `max_len` bytes.
    pub fn messages(max_len: usize) -> Self {
        Script::new(Shape::Message { max_len })
    }

    /// Adds pieces that arrive, each as one read, one message or one datagram.
    #[must_use]
    pub fn arriving<'a>(self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let pieces = pieces.into_iter().map(|piece| Some(Ok(piece.to_vec())));
        self.state().arriving.extend(pieces);
        self
    }

    /// Adds a pause: nothing has arrived, once.
    #[must_use]
    pub fn pause(self) -> Self {
        self.state().arriving.push_back(None);
        self
    }

    /// Adds a failure of one receive.
    #[must_use]
    pub fn failing(self, kind: io::ErrorKind) -> Self {
        self.state().arriving.push_back(Some(Err(kind.into())));
        self
    }

    /// After the last piece nothing more arrives, and the stream does not end.
    #[must_use]
    pub fn open(self) -> Self {
        self.state().stays_open = true;
        self
    }

    /// After the last piece the stream ends, even if it was open until now.
    #[must_use]
    pub fn ending(self) -> Self {
        self.state().stays_open = false;
        self
    }

    /// The next sends take this many bytes each; `None` is a pause.
    #[must_use]
    pub fn taking(self, sizes: impl IntoIterator<Item = Option<usize>>) -> Self {
        let sizes = sizes.into_iter().map(|size| size.map(Ok));
        self.state().taking.extend(sizes);
        self
    }

    /// Adds a failure of one send, which takes nothing.
    #[must_use]
    pub fn refusing(self, kind: io::ErrorKind) -> Self {
        self.state().taking.push_back(Some(Err(kind.into())));
        self
    }

    /// The bytes that were sent, write by write.
    pub fn writes(&self) -> Vec<Vec<u8>> {
        self.state().writes.clone()
    }

    /// The bytes that were sent.
    pub fn written(&self) -> Vec<u8> {
        self.state().writes.concat()
    }

    /// The code that it was aborted with first.
    pub fn aborted(&self) -> Option<u64> {
        self.state().aborted
    }

    /// The most room in bytes that a receive has offered.
    pub fn largest_room(&self) -> usize {
        self.state().largest_room
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check_aborted(&self) -> io::Result<()> {
        match self.aborted {
            Some(_) => Err(io::ErrorKind::ConnectionAborted.into()),
            None => Ok(()),
        }
    }

    fn receive(&mut self, mut piece: Vec<u8>, buf: &mut ReadBuf<'_>) -> Received {
        if !self.shape.is_stream() {
            return Received::whole(&piece, buf);
        }
        let fits = piece.len().min(buf.remaining());
        buf.put_slice(&piece[..fits]);
        let rest = piece.split_off(fits);
        if !rest.is_empty() {
            self.arriving.push_front(Some(Ok(rest)));
        }
        Received::Data
    }
}

impl Half for Script {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl RecvHalf for Script {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let mut state = self.state();
        state.largest_room = state.largest_room.max(buf.remaining());
        state.check_aborted()?;
        match state.arriving.pop_front() {
            None if state.stays_open => Poll::Pending,
            None => Poll::Ready(Ok(Received::End)),
            Some(None) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Some(Err(error))) => Poll::Ready(Err(error)),
            Some(Some(Ok(piece))) => Poll::Ready(Ok(state.receive(piece, buf))),
        }
    }
}

impl SendHalf for Script {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        state.check_aborted()?;
        let mut all = Vec::new();
        for part in parts {
            all.extend_from_slice(part);
        }
        match state.taking.pop_front() {
            None => {}
            Some(Some(Ok(limit))) => all.truncate(limit),
            Some(Some(Err(error))) => return Poll::Ready(Err(error)),
            Some(None) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let taken = all.len();
        state.writes.push(all);
        Poll::Ready(Ok(taken))
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.state().aborted.get_or_insert(code);
        Ok(Aborted::Reset)
    }
}

impl Socket for Script {
    type Recv = Script;
    type Send = Script;

    fn split(self) -> (Script, Script) {
        (self.clone(), self)
    }
}
