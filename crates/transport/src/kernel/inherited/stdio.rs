//! `stdio://`: standard input and output as one socket.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use socket2::Socket as KernelSocket;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::unix::pipe;

use super::{connected, failed, take, without_options};
use crate::adapters::Closing;
use crate::contract::boxed::BoxSocket;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::socket::Shape;
use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::transport::Transport;
use crate::contract::transport::listener::Listener;

/// Standard input and output as one stream: `stdio://`. A program that another one starts speaks to
/// it so: a language server, a native-messaging host, a service of inetd.
///
/// If standard input is a connected socket, as inetd passes it, that socket is used. Otherwise
/// input and output are one direction each. Finishing closes standard output, so that the peer sees
/// the end.
///
/// The streams are taken once. After that the program's own output (`println!`) goes to standard
/// error, and not between the bytes for the peer, and its standard input is empty. Pipes are waited
/// for by the kernel. A terminal or a file is read by a thread, which keeps a process alive until
/// its read returns. Options are refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdioTransport;

static TAKEN: AtomicBool = AtomicBool::new(false);

#[async_trait]
impl Transport for StdioTransport {
    type Socket = BoxSocket;
    type Listener = Never;

    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        without_options(to)?;
        if TAKEN.swap(true, Ordering::AcqRel) {
            return Err(Error::new(ErrorKind::InUse, "use", to)
                .because("standard input and output were taken already"));
        }
        opened(to).map_err(|error| failed("use", to, error))
    }

    async fn listen(&self, at: &Endpoint) -> Result<Never> {
        Err(Error::new(ErrorKind::Unsupported, "listen at", at)
            .because("standard input and output are one connection")
            .hint("connect to it, in the server too"))
    }
}

fn opened(to: &Endpoint) -> io::Result<BoxSocket> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    take::divert_input()?;
    take::divert_output()?;
    let inherited = KernelSocket::from(input);
    if inherited.peer_addr().is_ok() {
        return connected(inherited.into());
    }
    let info = Info::new(Shape::Stream, to.clone(), to.clone());
    let (input, output) = (reader(inherited.into())?, writer(output)?);
    let joined = Joined::from_read_write(input, Closing::new(output), info);
    Ok(BoxSocket::new(joined))
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Only a pipe can be waited for without a thread.
fn reader(input: OwnedFd) -> io::Result<Reader> {
    let again = input.try_clone()?;
    Ok(match pipe::Receiver::from_owned_fd(input) {
        Ok(pipe) => Box::new(pipe),
        Err(_) => Box::new(File::from_std(again.into())),
    })
}

fn writer(output: OwnedFd) -> io::Result<Writer> {
    let again = output.try_clone()?;
    Ok(match pipe::Sender::from_owned_fd(output) {
        Ok(pipe) => Box::new(pipe),
        Err(_) => Box::new(File::from_std(again.into())),
    })
}

/// There is no listener of standard input.
#[derive(Debug)]
pub struct Never(Infallible);

impl Listener for Never {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        match self.0 {}
    }
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        match self.0 {}
    }
}
