//! The client: sends a command, and passes on its output.

use std::future::Future;
use std::io;
use std::time::Duration;

use socketry_codec::{FrameError, Framed};
use socketry_transport::units::format_duration;
use socketry_transport::{BoxSocket, Encoding, Endpoint};
use tokio::time::{Instant, timeout};

use super::answer::{JsonReply, Reply, untagged};
use super::process::passed;
use super::transcode::Incoming;
use super::wire::{Command, Dialect, Exit, Stream};
use super::{FIRST_ANSWER, MAX_RAW_COMMAND, QUIET_GAP};
use crate::matrix::App;
use crate::{AppError, Service, wrong_codec};

/// A connection to a [`Server`](super::Server), or to another program that keeps the
/// [protocol](super).
///
/// Dropping the client while a command runs kills that command. The server closes a connection that
/// has sent no command for [`IDLE`](super::IDLE), or none in the first
/// [`FIRST_REQUEST`](super::FIRST_REQUEST).
#[derive(Debug)]
pub struct Client {
    framed: Framed<BoxSocket>,
    dialect: Dialect,
    encoding: Encoding,
    quiet_gap: Duration,
    answer_within: Option<Duration>,
}

impl Client {
    /// Connects to `to`.
    ///
    /// # Errors
    /// If commands do not run over this pairing of transport and codec, or if connecting fails.
    pub async fn connect(service: &Service, to: &Endpoint) -> Result<Self, AppError> {
        let framed = service.connect(App::Command, to).await?;
        let dialect = Dialect::of(&*service.own()?);
        Ok(Client {
            framed,
            dialect,
            encoding: service.encoding,
            quiet_gap: QUIET_GAP,
            answer_within: dialect.says_that_it_runs().then_some(FIRST_ANSWER),
        })
    }

    /// How long nothing must arrive for a `raw` or `line` answer to be complete, counted from its
    /// first bytes on. Default 300 ms. Bytes that come later are taken for the beginning of the
    /// next answer.
    #[must_use]
    pub fn quiet_gap(mut self, gap: Duration) -> Self {
        self.quiet_gap = gap;
        self
    }

    /// How long the first bytes of an answer may take, from the call of [`run`](Client::run) on;
    /// `None` is for ever. On `struct` and `json` a server answers at once that the command has
    /// started, and the default is [`FIRST_ANSWER`]. On `raw` and `line` it sends nothing before
    /// the command has ended, and the default is `None`.
    ///
    /// An older server, or another program, may send nothing before the first output.
    #[must_use]
    pub fn answer_within(mut self, limit: Option<Duration>) -> Self {
        self.answer_within = limit;
        self
    }

    /// Has the server run `command`, passes its output to `output` as it arrives, and returns how
    /// it ended. Once the server [has answered](Client::answer_within), it waits as long as the
    /// command runs.
    ///
    /// Not cancel-safe: after a drop before its end, or after an error, the rest of the answer
    /// still arrives. Use another connection then.
    ///
    /// # Errors
    /// If the connection is lost, the server refuses or cannot start the command, the answer is
    /// malformed, or `output` fails. [Usage](AppError::is_usage) if the command cannot be sent as
    /// it is.
    pub async fn run(
        &mut self,
        command: impl Into<Command>,
        mut output: impl FnMut(Stream, &[u8]) -> io::Result<()>,
    ) -> Result<Exit, AppError> {
        let request = self.dialect.request(&command.into(), self.encoding)?;
        if self.dialect == Dialect::Raw && self.framed.shape().is_stream() {
            check_raw(&request)?;
        }
        let answer = Wait::until(self.answer_within);
        answer.sending(self.framed.send(&request)).await?;
        let mut output = |stream, bytes: &[u8]| match bytes {
            [] => Ok(()),
            _ => output(stream, bytes).map_err(|error| {
                AppError::failed(format_args!("cannot write the output: {error}"))
            }),
        };
        match self.dialect {
            Dialect::Raw | Dialect::Line(_) => self.text(answer, &mut output).await,
            Dialect::Struct => self.tagged(answer, &mut output).await,
            Dialect::Json => self.json(answer, &mut output).await,
        }
    }

    /// Closes the connection while no command runs.
    ///
    /// # Errors
    /// If the peer is gone already.
    pub async fn close(self) -> Result<(), AppError> {
        Ok(self.framed.close().await?)
    }

    /// Receives an answer that ends with a quiet gap.
    async fn text(&mut self, mut answer: Wait, output: &mut impl Output) -> Result<Exit, AppError> {
        let mut incoming = Incoming::new(self.encoding);
        let mut next = answer.first(self.framed.recv()).await?;
        let first = next.ok_or_else(|| lost("an answer"))?;
        if let Some(told) = wrong_codec::of_bytes(first) {
            return Err(told);
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

    async fn tagged(
        &mut self,
        mut answer: Wait,
        output: &mut impl Output,
    ) -> Result<Exit, AppError> {
        let mut streams = Streams::new(self.encoding);
        loop {
            let frame = answer.first(self.framed.recv()).await?;
            let frame = frame.ok_or_else(|| lost("a status"))?;
            match untagged(frame, self.encoding) {
                Some(Reply::Piece(stream, bytes)) => streams.push(stream, bytes, output)?,
                Some(Reply::End(end)) => return streams.finish(end, output),
                Some(Reply::Body(..)) | None => {
                    return Err(wrong_codec::of_bytes(frame).unwrap_or_else(not_understood));
                }
            }
        }
    }

    async fn json(&mut self, mut answer: Wait, output: &mut impl Output) -> Result<Exit, AppError> {
        let mut streams = Streams::new(self.encoding);
        loop {
            let header: Option<JsonReply> = answer.first(self.framed.recv_json()).await?;
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

/// The wait for the first bytes of an answer.
struct Wait {
    limit: Option<Duration>,
    /// `None` without a limit, and once the server has answered.
    deadline: Option<Instant>,
}

impl Wait {
    fn until(limit: Option<Duration>) -> Self {
        Wait {
            limit,
            deadline: limit.map(|limit| Instant::now() + limit),
        }
    }

    async fn sending(
        &self,
        sending: impl Future<Output = Result<(), FrameError>>,
    ) -> Result<(), AppError> {
        self.before_deadline(sending).await?.map_err(not_sent)
    }

    /// The result of `receiving`, which is the first part of the answer. There is no limit after
    /// it.
    async fn first<T>(
        &mut self,
        receiving: impl Future<Output = Result<T, FrameError>>,
    ) -> Result<T, AppError> {
        let received = self.before_deadline(receiving).await?;
        self.deadline = None;
        Ok(received?)
    }

    async fn before_deadline<T>(&self, waiting: impl Future<Output = T>) -> Result<T, AppError> {
        tokio::select! {
            // In this order, since a result that is ready is in time.
            biased;
            done = waiting => Ok(done),
            () = passed(self.deadline) => Err(AppError::failed(format_args!(
                "the server has not answered within {}; \
                 give it longer with answer-within, if it is only slow",
                self.limit.map(format_duration).unwrap_or_default()
            ))),
        }
    }
}

/// A command that the codec cannot carry was not sent at all.
fn not_sent(error: FrameError) -> AppError {
    match error.codec_fault() {
        Some(fault) if !error.is_fatal() => AppError::usage(format_args!(
            "this command cannot be sent: {fault}; the codec json carries any"
        )),
        _ => error.into(),
    }
}

/// The caller's function that takes output.
trait Output: FnMut(Stream, &[u8]) -> Result<(), AppError> {}

impl<F: FnMut(Stream, &[u8]) -> Result<(), AppError>> Output for F {}

/// The decoders of both streams.
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
        end.map_err(|words| AppError::said(&words))
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
