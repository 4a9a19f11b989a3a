//! The halves of a socket of packets, with one defect each.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker, ready};

use socketry_transport::{
    Aborted, Batch, Cut, Half, Info, OsRecv, OsSend, Received, RecvHalf, SendHalf, Shape, Upcoming,
};
use tokio::io::ReadBuf;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    None,
    Glues,
    Splits,
    SendsPartsApart,
    SendsTheHead,
    RefusesWithoutWords,
    TakesEmptyForTheEnd,
    DropsEmpty,
    CutsInSilence,
    MiscountsCut,
    ForetellsWrong,
    TakesNoRoomForTheEnd,
    AsksForTooLittleRoom,
    BatchesCut,
    LosesSome,
    Swaps,
    TakesWhatWaits,
    EndsOnce,
    NeverFinishes,
    NeverAborts,
    ForgetsWakers,
    LosesCancelled,
    SaysDatagrams,
}

fn info_of(half: &impl Half, defect: Defect) -> Info {
    let info = half.info().clone();
    match (defect, half.shape()) {
        (Defect::SaysDatagrams, Shape::Message { max_len }) => {
            info.with_shape(Shape::Datagram { max_len })
        }
        _ => info,
    }
}

pub(super) struct BrokenRecv {
    inner: OsRecv,
    info: Info,
    defect: Defect,
    count: usize,
    ended: bool,
    /// A message that comes later.
    kept: Option<Vec<u8>>,
    /// The buffer of the last receive was filled, and that was not said.
    filled: bool,
}

impl BrokenRecv {
    pub(super) fn new(inner: OsRecv, defect: Defect) -> Self {
        let info = info_of(&inner, defect);
        BrokenRecv {
            inner,
            info,
            defect,
            count: 0,
            ended: false,
            kept: None,
            filled: false,
        }
    }

    fn poll_glued(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let received = ready!(self.inner.poll_recv(cx, buf))?;
        if received == Received::Data && buf.remaining() > 0 {
            let _ = self
                .inner
                .poll_recv(&mut Context::from_waker(Waker::noop()), buf);
        }
        Poll::Ready(Ok(received))
    }

    /// Gives the second message first.
    fn poll_swapped(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if self.count == 0 {
            let mut first = vec![0; self.inner.recv_room()];
            let mut room = ReadBuf::new(&mut first);
            let _ = ready!(self.inner.poll_recv(cx, &mut room))?;
            self.kept = Some(room.filled().to_vec());
            self.count = 1;
        }
        if self.count == 2
            && let Some(first) = self.kept.take()
        {
            buf.put_slice(&first);
            return Poll::Ready(Ok(Received::Data));
        }
        let received = ready!(self.inner.poll_recv(cx, buf))?;
        self.count += 1;
        Poll::Ready(Ok(received))
    }

    /// Fills the buffer, and says so at the next poll, which may come with another one.
    fn poll_late(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if std::mem::take(&mut self.filled) {
            return Poll::Ready(Ok(Received::Data));
        }
        let received = ready!(self.inner.poll_recv(cx, buf))?;
        if received != Received::Data {
            return Poll::Ready(Ok(received));
        }
        self.filled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Half for BrokenRecv {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl RecvHalf for BrokenRecv {
    fn recv_room(&self) -> usize {
        match self.defect {
            Defect::AsksForTooLittleRoom => 5000,
            _ => self.inner.recv_room(),
        }
    }

    fn upcoming(&self) -> Upcoming {
        match self.defect {
            Defect::ForetellsWrong => Upcoming::Whole(1),
            _ => self.inner.upcoming(),
        }
    }

    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(match self.defect {
                Defect::TakesNoRoomForTheEnd => Received::End,
                _ => Received::Data,
            }));
        }
        match self.defect {
            Defect::Glues => return self.poll_glued(cx, buf),
            Defect::Swaps => return self.poll_swapped(cx, buf),
            Defect::LosesCancelled => return self.poll_late(cx, buf),
            Defect::EndsOnce if self.ended => return Poll::Ready(Ok(Received::Data)),
            _ => {}
        }
        let before = buf.filled().len();
        loop {
            let polled = match self.defect {
                Defect::ForgetsWakers => {
                    let mut nobody = Context::from_waker(Waker::noop());
                    self.inner.poll_recv(&mut nobody, buf)
                }
                _ => self.inner.poll_recv(cx, buf),
            };
            let received = ready!(polled)?;
            let is_empty = buf.filled().len() == before;
            self.count += 1;
            self.ended |= received == Received::End;
            match (self.defect, received) {
                (Defect::TakesEmptyForTheEnd, Received::Data) if is_empty => {
                    return Poll::Ready(Ok(Received::End));
                }
                (Defect::DropsEmpty, Received::Data) if is_empty => {}
                (Defect::LosesSome, Received::Data) if self.count == 8 => buf.set_filled(before),
                (Defect::MiscountsCut, Received::Cut(cut)) => {
                    let len = Some(cut.room + 1);
                    return Poll::Ready(Ok(Received::Cut(Cut { len, ..cut })));
                }
                (Defect::CutsInSilence, Received::Cut(_)) => {
                    return Poll::Ready(Ok(Received::Data));
                }
                _ => return Poll::Ready(Ok(received)),
            }
        }
    }

    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        batch.reserve(self.recv_room());
        let room = match self.defect {
            Defect::BatchesCut => 100,
            _ => batch.spare().len(),
        };
        let mut buf = ReadBuf::new(&mut batch.spare()[..room]);
        let received = ready!(self.poll_recv(cx, &mut buf))?;
        let len = buf.filled().len();
        if received != Received::End {
            batch.push(len, received.cut(), None);
        }
        Poll::Ready(Ok(received))
    }
}

pub(super) struct BrokenSend {
    inner: OsSend,
    info: Info,
    defect: Defect,
    /// The rest of a message that was split.
    rest: Vec<u8>,
}

impl BrokenSend {
    pub(super) fn new(inner: OsSend, defect: Defect) -> Self {
        let info = info_of(&inner, defect);
        BrokenSend {
            inner,
            info,
            defect,
            rest: Vec::new(),
        }
    }

    fn poll_split(&mut self, cx: &mut Context<'_>, whole: &[u8]) -> Poll<io::Result<usize>> {
        if self.rest.is_empty() {
            let head = &whole[..whole.len() / 2];
            ready!(self.inner.poll_send(cx, &[IoSlice::new(head)]))?;
            self.rest = whole[head.len()..].to_vec();
        }
        ready!(self.inner.poll_send(cx, &[IoSlice::new(&self.rest)]))?;
        self.rest.clear();
        Poll::Ready(Ok(whole.len()))
    }
}

impl Half for BrokenSend {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl SendHalf for BrokenSend {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let longest = self.info.shape().max_len().unwrap_or(0);
        match self.defect {
            Defect::Splits if whole.len() > 4096 => self.poll_split(cx, &whole),
            Defect::SendsPartsApart if parts.len() > 1 => self.inner.poll_send(cx, &parts[..1]),
            Defect::SendsTheHead if whole.len() > longest => {
                let head = IoSlice::new(&whole[..longest]);
                self.inner.poll_send(cx, &[head])
            }
            Defect::RefusesWithoutWords if whole.len() > longest => {
                Poll::Ready(Err(io::ErrorKind::InvalidInput.into()))
            }
            Defect::TakesWhatWaits => match self.inner.poll_send(cx, parts) {
                Poll::Pending => Poll::Ready(Ok(whole.len())),
                sent => sent,
            },
            _ => self.inner.poll_send(cx, parts),
        }
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.defect {
            Defect::NeverFinishes => Poll::Ready(Ok(())),
            _ => self.inner.poll_finish(cx),
        }
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        match self.defect {
            Defect::NeverAborts => Ok(Aborted::End),
            _ => self.inner.abort(code),
        }
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.inner.abort_on_drop(on)
    }
}
