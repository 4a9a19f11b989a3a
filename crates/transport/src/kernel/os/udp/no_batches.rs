//! Without the feature `batch` datagrams are received one by one.

use std::io;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::super::Os;
use crate::contract::datagram::PeerAddr;
use crate::contract::datagram::batch::Batch;
use crate::contract::socket::Received;

/// Whether the datagrams of a batch name their sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Yes,
    No,
}

impl Os {
    pub(crate) fn has_batches(&self) -> bool {
        false
    }

    pub(in super::super) fn merges(&self) -> bool {
        false
    }

    pub(in super::super) fn poll_recv_staged(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        self.poll_read_io(cx, |socket| self.recv_from(socket, buf))
    }

    pub(crate) fn poll_recv_batch(
        &self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
        _: Named,
    ) -> Poll<io::Result<()>> {
        batch.poll_one_from(self.recv_room(), |buf| self.poll_recv_from(cx, buf))
    }
}
