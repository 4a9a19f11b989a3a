//! No descriptors and no packets: they are passed on Linux only.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use socket2::Socket;
use tokio::io::ReadBuf;

use super::Os;
use super::calls::{recv_datagram, recv_some, send_parts};
use crate::contract::socket::Received;

impl Os {
    pub(crate) fn passing_at_most(self, _: Option<usize>) -> Self {
        self
    }

    pub(super) fn recv_stream(&self, socket: &Socket, buf: &mut ReadBuf<'_>) -> io::Result<usize> {
        recv_some(socket, buf)
    }

    pub(super) fn recv_one(&self, socket: &Socket, buf: &mut ReadBuf<'_>) -> io::Result<Received> {
        recv_datagram(socket, buf)
    }

    pub(super) fn send(&self, socket: &Socket, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        send_parts(socket, parts, self.shape.is_stream())
    }

    pub(super) fn tell_packets_from_the_end(&self) {}

    pub(super) fn poll_recv_packet(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        self.poll_read_io(cx, |socket| self.recv_one(socket, buf))
    }

    pub(super) fn noting(&self, error: io::Error) -> io::Error {
        error
    }
}
