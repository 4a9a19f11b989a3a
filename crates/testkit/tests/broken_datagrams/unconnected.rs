//! An unconnected socket with a defect.

use std::io::{self, IoSlice};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, ready};

use socketry_transport::{
    Batch, BoxFuture, DatagramSocket, Endpoint, OsDatagram, PeerAddr, Received,
};
use tokio::io::ReadBuf;

use crate::Defect::{self, *};

pub(crate) struct Bound {
    inner: OsDatagram,
    defect: Defect,
    before: Mutex<Option<PeerAddr>>,
    stopped: AtomicBool,
}

impl Bound {
    pub(crate) fn new(inner: OsDatagram, defect: Defect) -> Self {
        Bound {
            inner,
            defect,
            before: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }
}

impl DatagramSocket for Bound {
    fn local(&self) -> &Endpoint {
        self.inner.local()
    }
    fn max_len(&self) -> usize {
        self.inner.max_len()
    }
    fn recv_room(&self) -> usize {
        self.inner.recv_room()
    }

    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        let (received, from) = ready!(self.inner.poll_recv_from(cx, buf))?;
        let before = self.before.lock().unwrap().replace(from.clone());
        let from = match self.defect {
            NamesTheSenderBefore => before.unwrap_or(from),
            ForgetsSendersOfCut if received.cut().is_some() => PeerAddr::Unnamed,
            _ => from,
        };
        Poll::Ready(Ok((received, from)))
    }

    fn poll_recv_batch(&self, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<io::Result<()>> {
        let mut new = Batch::new();
        ready!(self.inner.poll_recv_batch(cx, &mut new))?;
        for datagram in new.iter() {
            batch.spare()[..datagram.bytes.len()].copy_from_slice(datagram.bytes);
            let sender = datagram.from.unwrap();
            let mut first = self.before.lock().unwrap();
            let from = match self.defect {
                BatchNamesTheFirst => first.get_or_insert_with(|| sender.clone()).clone(),
                _ => sender.clone(),
            };
            batch.push(datagram.bytes.len(), datagram.cut, Some(from));
        }
        Poll::Ready(Ok(()))
    }

    fn try_send_to(&self, parts: &[IoSlice<'_>], to: &PeerAddr) -> io::Result<usize> {
        if self.stopped.load(SeqCst) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let sent = self.inner.try_send_to(parts, to);
        if sent.is_err() && self.defect == StopsAtAnError {
            self.stopped.store(true, SeqCst);
        }
        sent
    }

    fn writable<'a>(&'a self, to: &'a PeerAddr) -> BoxFuture<'a, io::Result<()>> {
        self.inner.writable(to)
    }
}
