//! A writer whose shutdown closes it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// A writer that its shutdown drops: of a pipe and a file, closing is the only end that a reader
/// sees, and tokio's `ChildStdin` is shut down without it.
///
/// [`Joined::from_read_write`](crate::Joined::from_read_write) over it makes a socket whose finish
/// reaches a child process.
///
/// ```
/// use std::process::Stdio;
/// use socketry_transport::{Closing, Info, Joined, Received, RecvExt, SendExt, Shape};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut child = tokio::process::Command::new("cat")
///     .stdin(Stdio::piped())
///     .stdout(Stdio::piped())
///     .spawn()?;
/// let (output, input) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
/// let info = Info::new(Shape::Stream, "pipe://us".parse()?, "pipe://cat".parse()?);
/// let mut socket = Joined::from_read_write(output, Closing::new(input), info);
/// socket.send_all(b"meow").await?;
/// socket.finish().await?;
/// let mut buf = [0; 8];
/// assert_eq!(socket.recv(&mut buf).await?, (4, Received::Data));
/// assert_eq!(socket.recv(&mut buf).await?, (0, Received::End));
/// # child.wait().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Closing<W>(Option<W>);

impl<W> Closing<W> {
    /// `writer`, until it is shut down.
    pub fn new(writer: W) -> Self {
        Closing(Some(writer))
    }

    fn open(&mut self) -> io::Result<&mut W> {
        let closed = || io::Error::new(io::ErrorKind::BrokenPipe, "this end was closed");
        self.0.as_mut().ok_or_else(closed)
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Closing<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.open()?).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.open()?).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(writer) = &mut self.0 {
            ready!(Pin::new(writer).poll_flush(cx))?;
        }
        self.0 = None;
        Poll::Ready(Ok(()))
    }
}
