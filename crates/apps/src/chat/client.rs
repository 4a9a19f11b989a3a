//! A user's end of a conversation, for use in programs.

use std::{fmt, io};

use socketry_codec::{Fault, FrameError, FrameFault, Framed};
use socketry_transport::{BoxRecv, BoxSend, Encoding, Endpoint, Half};

use super::bounded;
use super::budget::can_be_forged;
use super::message::{Answer, Dialect, Message, RELAYED, Said, encoded, json, own_name, signed};
use super::peer_text::PeerText;
use super::proof::{Proof, Told};
use crate::looks::Looks;
use crate::matrix::App;
use crate::opening::{First, Opening};
use crate::{AppError, Service, access, wrong_codec};

/// The user's name if it chose none and the codec has a place for one.
const ANONYMOUS: &str = "anonymous";

/// A connected user: sends messages and receives those of the other users.
///
/// See [`Server`](super::Server) for an example.
pub struct Client {
    hearing: Hearing,
    speaking: Speaking,
}

impl Client {
    /// Connects to the server at `to`. With JSON the client sends its name at once. With other
    /// codecs a datagram server does not know of the user before the first message.
    ///
    /// The messages are signed with `name`, of at most 64 bytes. Without a name they are unsigned;
    /// with JSON the name is then that of the client's token, or `anonymous`.
    ///
    /// # Errors
    /// If the connection fails, or the name is empty, too long or misleading.
    pub async fn connect(
        service: &Service,
        to: &Endpoint,
        name: Option<&str>,
    ) -> Result<Self, AppError> {
        let name = name.map(own_name).transpose()?;
        let service = bounded(service)?;
        let framed = service.connect(App::Chat, to).await?;
        let own = service.own()?;
        let texts = PeerText::new(&own, framed.shape());
        let dialect = Dialect::of(&own);
        let proved = access::proved_name(framed.socket().info());
        let name = name.or(proved.filter(|_| dialect == Dialect::Json));
        let sticky = !own.properties.boundaries && framed.shape().is_stream();
        let forgeable = !framed.shape().is_reliable() && can_be_forged(framed.peer());
        let (told, proof) = Proof::new(dialect == Dialect::Json && forgeable);
        let (hearing, speaking) = framed.split();
        let mut client = Client {
            hearing: Hearing {
                frames: hearing,
                opening: Some(Opening::of_server(own, RELAYED)),
                dialect,
                texts,
                told,
            },
            speaking: Speaking {
                frames: speaking,
                dialect,
                name,
                proof,
                sticky,
            },
        };
        client.speaking.introduce().await?;
        Ok(client)
    }

    /// Sends `text` to all other users. When it returns, the message has been written. The text `q`
    /// ends the conversation. Cancel-safe.
    ///
    /// # Errors
    /// If the encoding lacks a character of `text`, or `text` is too long. Then nothing was sent,
    /// and the conversation goes on. Or if the server is gone.
    pub async fn send(&mut self, text: &str) -> Result<(), AppError> {
        Ok(self.speaking.say(text).await?)
    }

    /// The next message of another user; `None` when the server has ended the conversation.
    /// Cancel-safe.
    ///
    /// Over datagrams with JSON it also proves this user's address to the server meanwhile.
    ///
    /// # Errors
    /// If the server did not accept a frame of this user, or sent a frame that is no message. The
    /// next call goes on after it. After a broken connection the next call returns `None`.
    pub async fn recv(&mut self) -> Result<Option<Message>, AppError> {
        let heard = tokio::select! {
            heard = self.hearing.next() => heard,
            unsaid = self.speaking.prove() => return Err(unsaid.into()),
        };
        match heard {
            Heard::Message(message) => Ok(Some(message)),
            Heard::Quit | Heard::End => Ok(None),
            Heard::Fault(error) | Heard::Lost(error) => Err(error),
        }
    }

    /// Half-closes the connection: this user sends nothing more, and still receives what others say
    /// for a while.
    ///
    /// # Errors
    /// If the server is gone.
    pub async fn finish(&mut self) -> Result<(), AppError> {
        self.speaking.finish().await
    }

    /// Whether the server does not know of this user before the user's first message.
    pub(super) fn is_unknown(&self) -> bool {
        !self.hearing.is_reliable() && self.hearing.dialect != Dialect::Json
    }

    pub(super) fn split(self) -> (Hearing, Speaking) {
        (self.hearing, self.speaking)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.hearing.frames.peer())
    }
}

/// An event from the server: a message, an error, or an end.
pub(super) enum Heard {
    Message(Message),
    /// Something went wrong, and the conversation goes on.
    Fault(AppError),
    /// The server ended the conversation with the text `q`.
    Quit,
    /// The stream ended between two messages, without a `q`.
    End,
    /// The connection broke, perhaps inside a message.
    Lost(AppError),
}

/// The receiving half.
pub(super) struct Hearing {
    frames: Framed<BoxRecv>,
    /// `Some` before the first message.
    opening: Option<Opening>,
    dialect: Dialect,
    texts: PeerText,
    told: Told,
}

impl Hearing {
    pub(super) fn is_reliable(&self) -> bool {
        self.frames.shape().is_reliable()
    }

    /// Receives the next message or end. Cancel-safe.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            let heard = match &mut self.opening {
                Some(opening) => {
                    let first = opening.next(&mut self.frames).await;
                    self.of_first(first)
                }
                None => match self.frames.recv().await {
                    Ok(Some(frame)) => of_frame(self.dialect, &mut self.texts, &self.told, frame),
                    Ok(None) => Some(self.ended()),
                    Err(error) => Some(self.of_error(error)),
                },
            };
            if let Some(heard) = heard {
                return heard;
            }
        }
    }

    /// Interprets the first frame, which may be another codec's.
    fn of_first(&mut self, first: First) -> Option<Heard> {
        if !matches!(first, First::Unfinished) {
            self.opening = None;
        }
        match first {
            First::Frame(None) => Some(self.ended()),
            First::Frame(Some(frame)) => match wrong_codec::of_bytes(&frame) {
                Some(told) => Some(Heard::Lost(told)),
                None => of_frame(self.dialect, &mut self.texts, &self.told, &frame),
            },
            First::Refused(error, theirs) => Some(
                match theirs.map(|theirs| wrong_codec::differs(&theirs.to_string())) {
                    Some(foreign) => Heard::Lost(wrong_codec::of_error(&error).unwrap_or(foreign)),
                    None => self.of_error(error),
                },
            ),
            First::Foreign(theirs) => Some(Heard::Lost(wrong_codec::differs(&theirs.to_string()))),
            First::Stranger(protocol) => Some(Heard::Lost(AppError::failed(format_args!(
                "the server speaks {protocol}"
            )))),
            // The peer may still end the line.
            First::Unfinished => Some(Heard::Fault(wrong_codec::differs(&Looks::Text.to_string()))),
        }
    }

    fn ended(&mut self) -> Heard {
        match self.texts.rest() {
            Some(text) => of_message_text(text),
            // The codec was passing over a message that was too long.
            None if !self.frames.at_boundary() => {
                Heard::Lost(AppError::failed("the server ended inside a message"))
            }
            None => Heard::End,
        }
    }

    fn of_error(&self, error: FrameError) -> Heard {
        if let Some(told) = wrong_codec::of_error(&error) {
            return Heard::Lost(told);
        }
        let truncated = matches!(error.codec_fault(), Some(Fault::Truncated { .. }));
        // A message or datagram that is no whole frame is not the end.
        let cut = truncated && self.frames.shape().is_stream();
        if cut || is_lost(&error, self.is_reliable()) {
            return Heard::Lost(error.into());
        }
        Heard::Fault(error.into())
    }
}

/// Whether an error ends the conversation. Every network error does, but over datagrams: of one
/// that was refused or found no route, only that datagram is lost.
fn is_lost(error: &FrameError, reliable: bool) -> bool {
    match error.fault() {
        FrameFault::Io(io) => reliable || !is_passing(io.kind()),
        _ => error.is_fatal(),
    }
}

fn is_passing(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    )
}

fn is_too_long(error: &FrameError) -> bool {
    matches!(error.codec_fault(), Some(Fault::TooLong { .. }))
}

/// `None` if the frame completes no character, or concerns the sending half only.
fn of_frame(dialect: Dialect, texts: &mut PeerText, told: &Told, frame: &[u8]) -> Option<Heard> {
    match dialect {
        Dialect::Text(_) => texts.text(frame).map(of_message_text),
        Dialect::Json => of_json(frame, told),
    }
}

fn of_message_text(text: String) -> Heard {
    of_message(Message::plain(text))
}

fn of_message(message: Message) -> Heard {
    if message.is_quit() {
        return Heard::Quit;
    }
    Heard::Message(message)
}

pub(super) fn of_json(frame: &[u8], told: &Told) -> Option<Heard> {
    Some(match serde_json::from_slice(frame) {
        Ok(Answer::Cookie { cookie }) => {
            told.tell(cookie);
            return None;
        }
        Ok(Answer::Message(message)) => of_message(message),
        Ok(Answer::Refusal { error }) => match wrong_codec::of_bytes(error.as_bytes()) {
            Some(told) => Heard::Lost(told),
            None => Heard::Fault(AppError::said(&error)),
        },
        Err(error) => Heard::Fault(AppError::failed(format_args!(
            "the server sent a frame that is no message: {error}"
        ))),
    })
}

/// The sending half.
pub(super) struct Speaking {
    frames: Framed<BoxSend>,
    dialect: Dialect,
    name: Option<String>,
    proof: Proof,
    /// Whether the peer may read two texts as one.
    pub(super) sticky: bool,
}

/// Why a text was not sent.
pub(super) enum Unsaid {
    /// This text cannot be sent; others can.
    Refused(AppError),
    /// The server is gone.
    Lost(AppError),
}

impl From<Unsaid> for AppError {
    fn from(unsaid: Unsaid) -> Self {
        match unsaid {
            Unsaid::Refused(error) | Unsaid::Lost(error) => error,
        }
    }
}

impl Speaking {
    /// A JSON message of this user.
    fn said(&self, text: Option<&str>, cookie: Option<String>) -> Vec<u8> {
        json(&Said {
            from: Some(self.name.as_deref().unwrap_or(ANONYMOUS).into()),
            text: text.map(Into::into),
            cookie: cookie.map(Into::into),
        })
    }

    /// Sends the user's name, where the codec has a place for it.
    async fn introduce(&mut self) -> Result<(), Unsaid> {
        let Dialect::Json = self.dialect else {
            return Ok(());
        };
        let cookie = self.proof.introduction();
        let hello = self.said(None, cookie);
        self.send(&hello).await
    }

    /// Proves the user's address whenever a proof is due. It resolves only when a proof cannot be
    /// sent. Cancel-safe.
    pub(super) async fn prove(&mut self) -> Unsaid {
        loop {
            self.proof.next().await;
            if let Err(unsaid) = self.introduce().await {
                return unsaid;
            }
        }
    }

    async fn send(&mut self, frame: &[u8]) -> Result<(), Unsaid> {
        let sent = self.frames.send(frame).await;
        sent.map_err(|error| self.unsaid(error))
    }

    fn unsaid(&self, error: FrameError) -> Unsaid {
        match is_lost(&error, self.frames.shape().is_reliable()) {
            true => Unsaid::Lost(error.into()),
            false => Unsaid::Refused(error.into()),
        }
    }

    pub(super) async fn say(&mut self, text: &str) -> Result<(), Unsaid> {
        match self.dialect {
            Dialect::Json => self.say_json(text).await,
            Dialect::Text(encoding) => self.say_text(text, encoding).await,
        }
    }

    async fn say_json(&mut self, text: &str) -> Result<(), Unsaid> {
        if let Some(cookie) = self.proof.carried() {
            let frame = self.said(Some(text), Some(cookie));
            match self.frames.send(&frame).await {
                // The message may fit without the cookie.
                Err(error) if is_too_long(&error) => {}
                sent => return sent.map_err(|error| self.unsaid(error)),
            }
        }
        let frame = self.said(Some(text), None);
        self.send(&frame).await
    }

    async fn say_text(&mut self, text: &str, encoding: Encoding) -> Result<(), Unsaid> {
        let text = signed(text, self.name.as_deref());
        let bytes =
            encoded(&text, encoding).map_err(|error| Unsaid::Refused(AppError::failed(error)))?;
        self.send(&bytes).await
    }

    /// Half-closes the connection. Over datagrams it does nothing, and the proof goes on.
    pub(super) async fn finish(&mut self) -> Result<(), AppError> {
        if self.frames.shape().is_reliable() {
            self.frames.finish().await?;
        }
        Ok(())
    }
}
