//! `exec:///path/to/program?arg=…`: a child process's pipes as a socket.

mod halves;
mod process;

use std::convert::Infallible;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use tokio::process::Command;

use crate::adapters::Closing;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::socket::Shape;
use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::contract::transport::listener::Listener;
pub use halves::{ExecRecv, ExecSend};
use process::Process;
pub use process::{ChildProcess, Exited};

const KEYS: Keys = Keys::new(&["arg", "dir"]);

/// A program that this process starts, as a stream to its standard input and from its standard
/// output: what `ProxyCommand` of ssh and `EXEC` of socat do. A language server is one URL:
/// `exec://pylsp`.
///
/// * `exec:///usr/bin/program` is a path, and `exec://program`, without a slash, is found in
///   `PATH`.
/// * `?arg=-v&arg=two%20words` are its arguments, each exactly as it stands there, in this order.
///   There is no shell. Ask for one by its name: `exec:///bin/sh?arg=-c&arg=grep%20x%20|%20wc`. A
///   file that is no program, such as a script without `#!`, is an error.
/// * `?dir=/path` is its working directory. Its environment and its standard error are ours.
///
/// [Finishing](crate::SendExt::finish) closes its input. Its end is [`Received::End`] if it exits
/// with success, and otherwise an error, [`Exited`], once all of its output was received; both wait
/// until it has exited. [`ChildProcess`], in the [`Info`], tells its id and how it ended.
///
/// It leads a process group. When both halves are dropped before its end, or when the socket is
/// aborted, the whole group is killed. What has left the group, or has closed its output before the
/// program ended, is left alone. The program is always reaped. If this process is killed, it sees
/// the end of its input.
///
/// It is in no registry by itself, since a URL runs a program: add it where all URLs are the
/// user's, and none is a peer's. There is nothing to listen at.
///
/// ```
/// use socketry_transport::{ExecTransport, Received, RecvExt, Registry, SendExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::standard().with("exec", ExecTransport::default());
/// let mut sorted = registry.connect("exec://sort?arg=-r").await?;
/// sorted.send_all(b"1\n3\n2\n").await?;
/// sorted.finish().await?;
/// let mut buf = [0; 16];
/// assert_eq!(sorted.recv(&mut buf).await?, (6, Received::Data));
/// assert_eq!(&buf[..6], b"3\n2\n1\n");
/// assert_eq!(sorted.recv(&mut buf).await?, (0, Received::End));
/// # Ok(()) }
/// ```
///
/// [`Received::End`]: crate::Received::End
#[derive(Clone, Copy, Debug, Default)]
pub struct ExecTransport {
    _more: (),
}

/// The socket of an [`ExecTransport`].
pub type ExecSocket = Joined<ExecRecv, ExecSend>;

/// The command that `to` names.
fn command(to: &Endpoint) -> Result<Command> {
    // The arguments may have secrets.
    let place = to.clone().without_query();
    let program = to.socket_path().filter(|path| !path.as_os_str().is_empty());
    let program = program.ok_or_else(|| {
        Error::new(ErrorKind::InvalidEndpoint, "run", &place)
            .because("it names no program")
            .hint("write exec:///path/to/program?arg=first&arg=second")
    })?;
    let mut command = Command::new(&*program);
    for (key, value) in to.query() {
        match key {
            "arg" => command.arg(value),
            "dir" => command.current_dir(value),
            _ => return Err(KEYS.refusal(key, &place, false)),
        };
    }
    Ok(command)
}

#[async_trait]
impl Transport for ExecTransport {
    type Socket = ExecSocket;
    type Listener = NoListener;

    fn keys(&self) -> Keys {
        KEYS
    }

    async fn connect(&self, to: &Endpoint) -> Result<ExecSocket> {
        let mut command = command(to)?;
        let place = to.clone().without_query();
        let failed = |error| Error::io("run", &place, error);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let pipes = child.stdout.take().zip(child.stdin.take());
        let process = Arc::new(Process::new(child));
        let (output, input) = pipes.ok_or_else(|| failed(std::io::ErrorKind::BrokenPipe.into()))?;
        let info = Info::new(Shape::Stream, place.clone(), place.clone());
        let info = info.with(ChildProcess::of(&process));
        let pipes = Joined::from_read_write(output, Closing::new(input), info);
        let (recv, send) = pipes.into_halves();
        Ok(Joined::new(
            ExecRecv::new(recv, Arc::clone(&process)),
            ExecSend::new(send, process),
        ))
    }

    async fn listen(&self, at: &Endpoint) -> Result<NoListener> {
        Err(Error::new(
            ErrorKind::Unsupported,
            "listen at",
            at.clone().without_query(),
        )
        .because("a program that is started is one connection")
        .hint("connect to it, or run the server by itself and let it listen"))
    }
}

/// There is no listener of programs.
#[derive(Debug)]
pub struct NoListener(Infallible);

impl Listener for NoListener {
    type Socket = ExecSocket;

    fn local(&self) -> &Endpoint {
        match self.0 {}
    }
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<Result<ExecSocket>> {
        match self.0 {}
    }
}
