//! The client: sends a command, and gives out what comes back.

use std::io;
use std::time::Duration;

use socketry_codec::Framed;
use socketry_transport::{BoxSocket, Encoding, Endpoint};
use tokio::time::timeout;

use super::transcode::Incoming;
use super::wire::{Command, Dialect, Exit, JsonReply, Reply, Stream, untagged};
use super::{MAX_RAW_COMMAND, QUIET_GAP};
use crate::matrix::App;
use crate::{AppError, Service};

/// A connection to a [`Server`](super::Server), or to another program that speaks as the [module](super) says.
///
/// Dropping it while a command runs kills that command. The server closes a connection over which no command has come
/// for [`IDLE`](super::IDLE), or in its first [`FIRST_REQUEST`](super::FIRST_REQUEST).
#[derive(Debug)]
pub struct Client {
    framed: Framed<BoxSocket>,
    dialect: Dialect,
    encoding: Encoding,
    quiet_gap: Duration,
}

impl Client {
    /// Connects to `to`.
    ///
    /// # Errors
    /// If commands do not run over that pairing of transport and codec, or as the transport says.
    pub async fn connect(service: &Service, to: &Endpoint) -> Result<Self, AppError> {
        let framed = service.connect(App::Command, to).await?;
        Ok(Client {
            framed,
            dialect: Dialect::of(&service.codec)?,
            encoding: service.encoding,
            quiet_gap: QUIET_GAP,
        })
    }

    /// How long nothing must arrive for a `raw` or `line` answer to be over, from its first bytes on. Default 300 ms.
    /// What comes later than that is taken for the beginning of the next answer.
    #[must_use]
    pub fn quiet_gap(mut self, gap: Duration) -> Self {
        self.quiet_gap = gap;
        self
    }

    /// Has `command` run, gives its output to `output` as it arrives, and says how it ended. It waits as long as the
    /// command runs.
    ///
    /// Not cancel-safe: dropped before its end, or after an error, the rest of the answer is still to come. Use another
    /// connection then.
    ///
    /// # Errors
    /// If the connection is lost, the server refuses or cannot start the command, the answer cannot be understood, or
    /// `output` fails. [Usage](AppError::is_usage) if the command cannot be sent as it is.
    pub async fn run(
        &mut self,
        command: impl Into<Command>,
        mut output: impl FnMut(Stream, &[u8]) -> io::Result<()>,
    ) -> Result<Exit, AppError> {
        let request = self.dialect.request(&command.into(), self.encoding)?;
        if self.dialect == Dialect::Raw && self.framed.shape().is_stream() {
            check_raw(&request)?;
        }
        self.framed.send(&request).await?;
        let mut output = |stream, bytes: &[u8]| match bytes {
            [] => Ok(()),
            _ => output(stream, bytes).map_err(|error| {
                AppError::failed(format_args!("cannot write the output: {error}"))
            }),
        };
        match self.dialect {
            Dialect::Raw | Dialect::Line(_) => self.text(&mut output).await,
            Dialect::Struct => self.tagged(&mut output).await,
            Dialect::Json => self.json(&mut output).await,
        }
    }

    /// Closes the connection, when nothing runs.
    ///
    /// # Errors
    /// If the peer is gone already.
    pub async fn close(self) -> Result<(), AppError> {
        Ok(self.framed.close().await?)
    }

    /// An answer that only silence ends.
    async fn text(&mut self, output: &mut impl Output) -> Result<Exit, AppError> {
        let mut incoming = Incoming::new(self.encoding);
        let mut next = self.framed.recv().await?;
        if next.is_none() {
            return Err(lost("an answer"));
        }
        while let Some(frame) = next {
            if self.dialect == Dialect::Raw {
                output(Stream::Stdout, incoming.push(frame, false))?;
            } else {
                let line = [incoming.push(frame, true), b"\n"].concat();
                output(Stream::Stdout, &line)?;
            }
            next = match timeout(self.quiet_gap, self.framed.recv()).await {
                Ok(next) => next?,
                Err(_quiet) => break,
            };
        }
        output(Stream::Stdout, incoming.push(b"", true))?;
        Ok(Exit::Unknown)
    }

    async fn tagged(&mut self, output: &mut impl Output) -> Result<Exit, AppError> {
        let mut streams = Streams::new(self.encoding);
        loop {
            let frame = self.framed.recv().await?.ok_or_else(|| lost("a status"))?;
            match untagged(frame, self.encoding) {
                Some(Reply::Piece(stream, bytes)) => streams.push(stream, bytes, output)?,
                Some(Reply::End(end)) => return streams.finish(end, output),
                Some(Reply::Body(..)) | None => return Err(not_understood()),
            }
        }
    }

    async fn json(&mut self, output: &mut impl Output) -> Result<Exit, AppError> {
        let mut streams = Streams::new(self.encoding);
        loop {
            let header: Option<JsonReply> = self.framed.recv_json().await?;
            match header.ok_or_else(|| lost("a status"))?.read() {
                Some(Reply::Body(stream, size)) => {
                    let mut body = self.framed.body(size)?;
                    while let Some(bytes) = body.chunk().await? {
                        streams.push(stream, bytes, output)?;
                    }
                }
                Some(Reply::End(end)) => return streams.finish(end, output),
                Some(Reply::Piece(..)) | None => return Err(not_understood()),
            }
        }
    }
}

/// Where output goes.
trait Output: FnMut(Stream, &[u8]) -> Result<(), AppError> {}

impl<F: FnMut(Stream, &[u8]) -> Result<(), AppError>> Output for F {}

/// Both streams, decoded apart.
struct Streams([Incoming; 2]);

impl Streams {
    fn new(encoding: Encoding) -> Self {
        Streams([Stream::Stdout, Stream::Stderr].map(|_| Incoming::new(encoding)))
    }

    fn push(
        &mut self,
        stream: Stream,
        bytes: &[u8],
        output: &mut impl Output,
    ) -> Result<(), AppError> {
        output(stream, self.0[stream as usize].push(bytes, false))
    }

    fn finish(
        mut self,
        end: Result<Exit, String>,
        output: &mut impl Output,
    ) -> Result<Exit, AppError> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            output(stream, self.0[stream as usize].push(b"", true))?;
        }
        end.map_err(|words| AppError::failed(format_args!("the server says: {words}")))
    }
}

fn check_raw(request: &[u8]) -> Result<(), AppError> {
    if request.is_empty() {
        return Err(AppError::usage(
            "an empty command is nothing to send on raw; use the codec line, struct or json",
        ));
    }
    if request.len() >= MAX_RAW_COMMAND {
        return Err(AppError::usage(format_args!(
            "a command of {} bytes may arrive in pieces on raw; use the codec line, struct or json",
            request.len()
        )));
    }
    Ok(())
}

fn lost(what: &str) -> AppError {
    AppError::failed(format_args!(
        "the server closed the connection before {what}"
    ))
}

fn not_understood() -> AppError {
    AppError::failed("the server's answer cannot be understood; is it a command server?")
}
