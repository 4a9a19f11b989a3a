//! The server's answers to a client.

use std::fmt;
use std::sync::OnceLock;

use socketry_codec::{FrameError, Framed};
use socketry_transport::Encoding;

use super::answer::{JsonReply, tagged, tagged_end};
use super::execution::Execution;
use super::killed::Why;
use super::process::Event;
use super::progress::{Progress, Stalled};
use super::transcode::{Outgoing, encode};
use super::wire::{Dialect, Exit, Stream};
use super::{MAX_COLLECTED, MAX_PIECE};
use crate::Shown;

/// The longest error that is sent to a client, in characters.
const MAX_WORDS: usize = 200;

/// An answer could not be sent.
pub(super) struct Unheard<E> {
    pub(super) error: FrameError,
    /// The command, which still runs; `None` if it has ended.
    pub(super) job: Option<E>,
}

impl<E> From<FrameError> for Unheard<E> {
    fn from(error: FrameError) -> Self {
        Unheard { error, job: None }
    }
}

/// The sending half of a conversation.
pub(super) struct Replies {
    pub(super) send: Framed<Progress>,
    /// Reports that the client has read nothing for too long.
    pub(super) stalled: Stalled,
    pub(super) dialect: Dialect,
    pub(super) encoding: Encoding,
    /// How many bytes of output one frame carries.
    pub(super) room: usize,
}

impl Replies {
    /// Answers with all output of `job` and with how it ended. If `why` holds a reason, the answer
    /// says first why the job was killed.
    ///
    /// # Errors
    /// If the answer cannot be sent. The job goes on.
    pub(super) async fn carry<E: Execution>(
        &mut self,
        job: E,
        why: &OnceLock<Why>,
    ) -> Result<(), Unheard<E>> {
        match self.dialect {
            Dialect::Raw | Dialect::Line(_) => self.collect(job, why).await.map_err(Unheard::from),
            Dialect::Struct | Dialect::Json => self.pass_on(job, why).await,
        }
    }

    /// Answers that nothing is run, and why.
    pub(super) async fn refuse(&mut self, words: impl fmt::Display) -> Result<(), FrameError> {
        let words = shortened(&Shown(&words.to_string()).to_string());
        match self.dialect {
            Dialect::Raw | Dialect::Line(_) => {
                self.text(format!("socketry: {words}\n").as_bytes()).await
            }
            Dialect::Struct | Dialect::Json => self.end(&Err(words)).await,
        }
    }

    /// Collects all output, and then answers.
    async fn collect(
        &mut self,
        mut job: impl Execution,
        why: &OnceLock<Why>,
    ) -> Result<(), FrameError> {
        let mut buf = vec![0; MAX_PIECE];
        let (mut stdout, mut stderr) = (Collected::default(), Collected::default());
        let end = loop {
            match job.next(&mut buf).await {
                Event::Output(Stream::Stdout, bytes) => stdout.push(bytes),
                Event::Output(Stream::Stderr, bytes) => stderr.push(bytes),
                Event::Ended(end) => break end,
            }
        };
        drop(job);
        if let Some(why) = why.get() {
            stderr.bytes.extend_from_slice(why.note().as_bytes());
        }
        if let Err(words) = end {
            stderr.bytes.extend_from_slice(words.as_bytes());
        }
        let answer = if stderr.bytes.is_empty() {
            stdout
        } else {
            stderr
        };
        self.text(&answer.finish()).await
    }

    /// Answers with the output as it comes.
    async fn pass_on<E: Execution>(
        &mut self,
        mut job: E,
        why: &OnceLock<Why>,
    ) -> Result<(), Unheard<E>> {
        match self.pieces(&mut job, why).await {
            Ok(end) => {
                drop(job);
                Ok(self.end(&end).await?)
            }
            Err(error) => Err(Unheard {
                error,
                job: Some(job),
            }),
        }
    }

    /// Sends all pieces of output, and how the command ended.
    async fn pieces(
        &mut self,
        job: &mut impl Execution,
        why: &OnceLock<Why>,
    ) -> Result<Result<Exit, String>, FrameError> {
        let mut buf = vec![0; MAX_PIECE];
        let mut streams = [Stream::Stdout, Stream::Stderr].map(|_| Outgoing::new(self.encoding));
        // An empty piece at once tells the client that its command runs, however long that is
        // silent.
        self.put(Stream::Stdout, b"").await?;
        self.send.flush().await?;
        let end = loop {
            match job.next(&mut buf).await {
                Event::Output(stream, bytes) => {
                    let bytes = streams[stream as usize].push(bytes, false);
                    self.piece(stream, &bytes).await?;
                }
                Event::Ended(end) => break end,
            }
        };
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = streams[stream as usize].push(b"", true);
            self.piece(stream, &rest).await?;
        }
        if let Some(why) = why.get() {
            let words = encode(why.note().as_bytes(), self.encoding).into_owned();
            self.piece(Stream::Stderr, &words).await?;
        }
        Ok(end)
    }

    async fn piece(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), FrameError> {
        for piece in bytes.chunks(self.room) {
            self.put(stream, piece).await?;
        }
        self.send.flush().await
    }

    async fn put(&mut self, stream: Stream, piece: &[u8]) -> Result<(), FrameError> {
        if self.dialect == Dialect::Json {
            let header = JsonReply::body(stream, piece.len());
            self.send.feed_json(&header).await?;
            let mut body = self.send.body_writer(piece.len() as u64)?;
            body.write_all(piece).await
        } else {
            self.send.feed(&tagged(stream, piece)).await
        }
    }

    async fn end(&mut self, end: &Result<Exit, String>) -> Result<(), FrameError> {
        match self.dialect {
            Dialect::Json => self.send.send_json(&JsonReply::end(end)).await,
            _ => {
                let mut frame = tagged_end(end, self.encoding);
                frame.truncate(self.room);
                self.send.send(&frame).await
            }
        }
    }

    /// Sends a whole answer on `raw` or `line`.
    async fn text(&mut self, answer: &[u8]) -> Result<(), FrameError> {
        let Dialect::Line(delimiter) = self.dialect else {
            let answer = if answer.is_empty() { b"\n" } else { answer };
            self.frames(&encode(answer, self.encoding)).await?;
            return self.send.flush().await;
        };
        // Tested on the whole answer, since a single line of GBK may look like UTF-8.
        let is_text = std::str::from_utf8(answer).is_ok();
        for line in lines(answer, delimiter) {
            if is_text {
                self.frames(&encode(line, self.encoding)).await?;
            } else {
                self.frames(line).await?;
            }
        }
        self.send.flush().await
    }

    /// Feeds frames of as much as fits, or one empty frame for nothing. The caller flushes.
    async fn frames(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        let (first, rest) = bytes.split_at(bytes.len().min(self.room));
        self.send.feed(first).await?;
        for frame in rest.chunks(self.room) {
            self.send.feed(frame).await?;
        }
        Ok(())
    }
}

/// Shortens the words, so that an answer fits a frame even if it quotes the request.
fn shortened(words: &str) -> String {
    match words.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// The lines of an answer without their ends; at least one.
fn lines(answer: &[u8], delimiter: u8) -> impl Iterator<Item = &[u8]> {
    let answer = answer.strip_suffix(b"\n").unwrap_or(answer);
    // A frame cannot hold its delimiter, so the delimiter ends a line as well.
    let lines = answer.split(move |byte| *byte == b'\n' || *byte == delimiter);
    lines.map(|mut line| {
        while let Some(rest) = line.strip_suffix(b"\r") {
            line = rest;
        }
        line
    })
}

/// Output that is kept for one answer, up to the bound.
#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    cut: bool,
}

impl Collected {
    fn push(&mut self, bytes: &[u8]) {
        let room = MAX_COLLECTED - self.bytes.len();
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.cut |= bytes.len() > room;
    }

    fn finish(mut self) -> Vec<u8> {
        if self.cut {
            if let Err(error) = std::str::from_utf8(&self.bytes)
                && error.error_len().is_none()
            {
                self.bytes.truncate(error.valid_up_to());
            }
            let note = format!("\n[socketry: only the first {} MiB]\n", MAX_COLLECTED >> 20);
            self.bytes.extend_from_slice(note.as_bytes());
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_at_least_one_line() {
        let of = |answer: &str| -> Vec<String> {
            let lines = lines(answer.as_bytes(), b'\n');
            lines
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect()
        };
        assert_eq!(of(""), [""]);
        assert_eq!(of("\n"), [""]);
        assert_eq!(of("a\r\n\nb"), ["a", "", "b"]);
        assert_eq!(of("a\n\n"), ["a", ""]);
        let by_nul: Vec<&[u8]> = lines(b"a\0b\n", 0).collect();
        assert_eq!(by_nul, [b"a", b"b"]);
    }

    #[test]
    fn kept_output_is_bounded() {
        let mut kept = Collected::default();
        let megabyte = "é".repeat(512 << 10);
        kept.push(b"x");
        for _ in 0..20 {
            kept.push(megabyte.as_bytes());
        }
        let kept = String::from_utf8(kept.finish()).unwrap();
        assert!(kept.len() < MAX_COLLECTED + 100);
        assert!(kept.ends_with("\n[socketry: only the first 16 MiB]\n"));
    }
}
