//! The first frame of a peer, and whether the peer speaks another codec.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use socketry_codec::{Fault, FrameError, Framed};
use socketry_transport::RecvHalf;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::looks::{self, Looks};
use crate::own::Own;
use crate::stranger;
use crate::wrong_codec::{self, PATIENCE};

/// From this length on, in bytes, a first line that has not ended is not reported: it may be a long
/// one.
const LONG: usize = 4096;

/// After this pause a silent peer's bytes are not looked at again, until it sends more.
const SILENT: Duration = Duration::from_secs(120);

/// The result of `receiving`, unless that takes longer than `patience`.
async fn within<T>(patience: Duration, receiving: impl Future<Output = T>) -> Result<T, Elapsed> {
    match patience < SILENT {
        true => timeout(patience, receiving).await,
        false => Ok(receiving.await),
    }
}

/// How a peer begins.
#[derive(Debug)]
pub(crate) enum First {
    /// A frame, or the end.
    Frame(Option<Vec<u8>>),
    /// Bytes that are no frame, and the codec that they look like, if any. The conversation may go
    /// on unless the error is fatal.
    Refused(FrameError, Option<Looks>),
    /// Another codec. The conversation is over.
    Foreign(Looks),
    /// HTTP or TLS, whose bytes a web page may have chosen. The conversation is over.
    Stranger(&'static str),
    /// A line that has not ended. Its end may still come.
    Unfinished,
}

/// Waits for the first frame of a peer.
pub(crate) struct Opening {
    own: Arc<Own>,
    /// Each JSON frame has at least one of these keys.
    keys: &'static [&'static str],
    patience: Duration,
    told: bool,
    texts: Texts,
}

/// The meaning of a text that looks like HTTP.
#[derive(Clone, Copy)]
enum Texts {
    /// A web page may have sent it, so it is not obeyed.
    Orders,
    /// The same, unless a person writes about HTTP.
    Talk,
    /// Any user may have written it, since a server relays it.
    Relayed,
}

fn log<R: RecvHalf>(first: &First, frames: &Framed<R>) {
    if let First::Stranger(protocol) = first {
        let peer = frames.peer();
        tracing::warn!(%peer, "refused: speaks {protocol}; a web page may be the cause");
    }
}

impl Opening {
    pub(crate) fn new(own: Arc<Own>, keys: &'static [&'static str]) -> Self {
        Opening {
            own,
            keys,
            patience: PATIENCE,
            told: false,
            texts: Texts::Orders,
        }
    }

    /// For the first frame of a server.
    pub(crate) fn of_server(own: Arc<Own>, keys: &'static [&'static str]) -> Self {
        Opening {
            texts: Texts::Relayed,
            ..Opening::new(own, keys)
        }
    }

    /// For the first frame of a person, whose texts are for other persons.
    pub(crate) fn of_person(own: Arc<Own>, keys: &'static [&'static str]) -> Self {
        Opening {
            texts: Texts::Talk,
            ..Opening::new(own, keys)
        }
    }

    /// The first frame. After [`First::Unfinished`], the next call gives the frame. Cancel-safe.
    pub(crate) async fn next<R: RecvHalf>(&mut self, frames: &mut Framed<R>) -> First {
        let first = self.receive(frames).await;
        log(&first, frames);
        first
    }

    /// The first datagram of a sender that has proved nothing, and so gets no advice: it may be in
    /// any codec, and only HTTP and TLS are refused. Cancel-safe.
    pub(crate) async fn of_unproven<R: RecvHalf>(&self, frames: &mut Framed<R>) -> First {
        let first = match frames.recv().await {
            Ok(Some(frame)) => match self.stranger(frame) {
                Some(protocol) => First::Stranger(protocol),
                None => First::Frame(Some(frame.to_vec())),
            },
            Ok(None) => First::Frame(None),
            Err(error) => match stranger::of_bytes(error.found()) {
                Some(protocol) => First::Stranger(protocol),
                None => First::Refused(error, None),
            },
        };
        log(&first, frames);
        first
    }

    async fn receive<R: RecvHalf>(&mut self, frames: &mut Framed<R>) -> First {
        loop {
            match within(self.patience, frames.recv()).await {
                Ok(Ok(Some(frame))) => return self.carried(frame),
                Ok(Ok(None)) => return First::Frame(None),
                Ok(Err(error)) => return self.refused(error),
                Err(_) => {
                    // A silent peer's bytes are looked at less and less often.
                    self.patience *= 2;
                    if let Some(first) = self.stuck(frames.unread()) {
                        return first;
                    }
                }
            }
        }
    }

    /// A server's words about bytes that are no frame; empty for a frame.
    pub(crate) fn words(&self, first: &First) -> String {
        match first {
            First::Frame(_) => String::new(),
            First::Refused(_, Some(theirs)) | First::Foreign(theirs) => {
                wrong_codec::refusal(&self.own.name, format_args!("the codec {theirs}"))
            }
            First::Stranger(protocol) => wrong_codec::refusal(&self.own.name, protocol),
            First::Refused(error, None) => error.fault().to_string(),
            First::Unfinished => wrong_codec::unfinished(&self.own.name),
        }
    }

    /// The protocol of a peer with this first frame, if it is HTTP or TLS.
    fn stranger(&self, frame: &[u8]) -> Option<&'static str> {
        let is_request = match self.texts {
            Texts::Orders => true,
            Texts::Talk => !stranger::is_talk(frame),
            Texts::Relayed => false,
        };
        stranger::of_frame(frame, &self.own).filter(|_| is_request)
    }

    fn carried(&self, frame: &[u8]) -> First {
        if let Some(protocol) = self.stranger(frame) {
            return First::Stranger(protocol);
        }
        match inside(frame, &self.own, self.keys) {
            Some(theirs) => First::Foreign(theirs),
            None => First::Frame(Some(frame.to_vec())),
        }
    }

    fn refused(&self, error: FrameError) -> First {
        if let Some(protocol) = stranger::of_bytes(error.found()) {
            return First::Stranger(protocol);
        }
        // The beginning of a long frame of ours looks like a text.
        let endless = matches!(error.codec_fault(), Some(Fault::TooLong { len: None, .. }));
        let theirs = match endless {
            true => None,
            false => looks::registered(error.found(), &self.own)
                .or_else(|| looks::looks_like(error.found(), &self.own)),
        };
        First::Refused(error, theirs)
    }

    /// Judges a beginning after which nothing came for a while.
    fn stuck(&mut self, unread: &[u8]) -> Option<First> {
        if let Some(protocol) = stranger::of_bytes(unread) {
            return Some(First::Stranger(protocol));
        }
        if self.own.delimiter().is_none() {
            // Otherwise it may be the beginning of a frame of ours.
            if !looks::begins_unlike_text(&self.own) {
                return None;
            }
            return looks::looks_like(unread, &self.own)
                .filter(|theirs| !is_framed_alike(&self.own, theirs))
                .map(First::Foreign);
        }
        let theirs = looks::looks_like(unread, &self.own)
            // A text may begin with a brace.
            .filter(|theirs| !matches!(theirs, Looks::Object | Looks::Text))
            .or_else(|| looks::json_inside(unread, &self.own, self.keys));
        if let Some(theirs) = theirs {
            return Some(First::Foreign(theirs));
        }
        // A person may be typing, or the peer speaks raw.
        let is_news = (1..LONG).contains(&unread.len()) && !self.told;
        self.told |= is_news;
        is_news.then_some(First::Unfinished)
    }
}

/// The codec of the peer that sent `frame`, which `own` carried, if it is another one. An object
/// that has one of `keys` is JSON.
pub(crate) fn inside(frame: &[u8], own: &Own, keys: &[&str]) -> Option<Looks> {
    // A frame of JSON is an object anyway, and so may be a line.
    if own.is_json() || own.delimiter().is_some() {
        return None;
    }
    if !own.properties.boundaries {
        return looks::looks_like(frame, own)
            // A text may begin with a brace.
            .filter(|theirs| *theirs != Looks::Object)
            .or_else(|| looks::json_inside(frame, own, keys));
    }
    // No other codec has a form for objects.
    looks::length_of(own).and_then(|_| looks::json_inside(frame, own, keys))
}

/// Whether both codecs cut the same frames. The content is looked at once a frame is whole.
fn is_framed_alike(own: &Own, theirs: &Looks) -> bool {
    match theirs {
        Looks::ObjectBehind(theirs) => looks::length_of(own) == Some(*theirs),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use socketry_codec::{Codec, CodecError, CodecRegistry, Decoded, End};

    use super::*;

    /// The answer to a peer that has sent `unread` and pauses.
    fn pausing(own: &str, unread: &[u8]) -> Option<First> {
        let keys = &["from", "text"];
        let own = crate::Service::with_codec(own).unwrap().own().unwrap();
        Opening::new(own, keys).stuck(unread)
    }

    #[test]
    fn the_front_of_a_frame_of_ours_may_be_followed_by_a_pause() {
        for (own, front) in [
            ("struct", &b"\x09\0\0\0"[..]),
            ("struct", b"\x09\0\0\0{ ok"),
            ("struct", b"\x7b\0\0\0"),
            ("struct", b"\x7b\0\0\0hello"),
            ("struct:<H", b"\x09\0{ ok"),
            ("json", b"\x7b\0\0\0"),
            ("json", b"\x7b\0\0\0{\"from\":"),
            ("json", b"\x02\0\0\0"),
            ("json:bare", b" {\"from\":"),
            ("line", b"hello{"),
        ] {
            let told = pausing(own, front);
            let is_told = matches!(told, None | Some(First::Unfinished));
            assert!(is_told, "{own} {front:?}: {told:?}");
        }
    }

    #[test]
    fn the_front_of_another_codecs_frame_is_known_by_a_pause() {
        for (own, front) in [
            ("struct", &b"{\"from\":\"ann\"}"[..]),
            ("json", b"hi\n"),
            ("struct", b"hi"),
        ] {
            let told = pausing(own, front);
            assert!(
                matches!(told, Some(First::Foreign(_))),
                "{own} {front:?}: {told:?}"
            );
        }
    }
    /// A third party's codec, recognised by the bytes that it writes before and after each frame.
    #[derive(Clone)]
    struct Marked(&'static [u8], &'static [u8]);

    impl Codec for Marked {
        fn decode(&mut self, _: &[u8], _: End) -> Result<Decoded, CodecError> {
            Ok(Decoded::Need(1))
        }
        fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
            out.extend_from_slice(&[self.0, frame, self.1].concat());
            Ok(())
        }
        fn at_boundary(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_third_partys_frame_may_begin_as_any_text_does_unless_it_says_otherwise() {
        for (before, behind, is_foreign) in [
            (&b"2:"[..], &b","[..], false),
            (b"", b"\xc0", false),
            // A header of one byte may be a letter if the frame is longer.
            (b"\x02", b"", false),
            (b"\xff\xff\0\x02", b"", true),
        ] {
            let codecs = CodecRegistry::standard()
                .with("marked", move |_| Ok(Box::new(Marked(before, behind))));
            let service = crate::Service {
                codecs,
                codec: "marked".into(),
                ..crate::Service::default()
            };
            for front in [&b"300:hello"[..], b"{\"from\":", b"hello\n"] {
                let mut opening = Opening::new(service.own().unwrap(), &["from"]);
                let told = opening.stuck(front);
                let foreign = matches!(told, Some(First::Foreign(_)));
                assert_eq!(foreign, is_foreign, "{before:?} {front:?}: {told:?}");
            }
        }
    }
}
