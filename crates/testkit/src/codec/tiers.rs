//! All ways to use a codec agree.

use bytes::{Bytes, BytesMut};
use socketry_codec::{
    Ahead, BoxCodec, Codec, CodecError, Compat, Decoded, End, Fault, FrameError, FrameFault,
    Framed, NamedCodec, Reader,
};
use tokio_util::codec::Decoder;

use super::Subject;
use super::drive::{Driver, Event, Wrong, ensure, same, shown};
use super::inputs::{pieces, random};
use crate::Script;
use crate::law::{Verdict, block_on};

/// A stream, and the places where it is cut.
type CutStream = (Vec<u8>, [usize; 6]);

/// Streams in pieces of a few bytes.
fn cut_streams(subject: &Subject) -> Result<Vec<CutStream>, String> {
    let mut random = random();
    let streams = subject.streams(&mut random)?;
    let cut = |stream: Vec<u8>| {
        let cuts = std::array::from_fn(|_| random.usize(..=stream.len()));
        (stream, cuts)
    };
    Ok(streams.into_iter().map(cut).collect())
}

pub(super) fn the_reader_agrees(subject: &Subject) -> Verdict {
    for (stream, cuts) in cut_streams(subject)? {
        let due = subject
            .driver(subject.small())
            .stream(pieces(&stream, &cuts))?;
        let mut reader = Reader::new(subject.codec(subject.small()));
        let mut found = Vec::new();
        for piece in pieces(&stream, &cuts) {
            reader.push(piece);
            read(&mut reader, &mut found);
        }
        reader.close();
        read(&mut reader, &mut found);
        same(&found, &due, || format!("a reader of {}", shown(&stream)))?;

        reader = Reader::new(subject.codec(subject.small()));
        found.clear();
        reader.load(&stream);
        read(&mut reader, &mut found);
        let due = subject.driver(subject.small()).datagram(&stream)?;
        same(&found, &due, || {
            format!("a reader of the datagram {}", shown(&stream))
        })?;
    }
    Ok(())
}

/// Reads every second frame borrowed, the others as `Bytes`.
fn read(reader: &mut Reader<BoxCodec>, events: &mut Vec<Event>) {
    loop {
        let next = match events.len() % 2 {
            0 => reader
                .next_frame()
                .map(|frame| frame.map(Bytes::copy_from_slice)),
            _ => reader.next_bytes(),
        };
        let Some(event) = next.transpose() else {
            return;
        };
        events.push(event.map_err(Wrong::from));
    }
}

pub(super) fn framed_agrees(subject: &Subject) -> Verdict {
    for (stream, cuts) in cut_streams(subject)? {
        let pieces: Vec<&[u8]> = pieces(&stream, &cuts)
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .collect();
        let socket = || Script::stream().arriving(pieces.iter().copied());
        let due = subject
            .driver(subject.small())
            .stream(pieces.iter().copied())?;
        agrees(subject, socket, &due, &stream)?;

        let socket = || Script::datagrams(1 << 16).arriving([&stream[..], b"", &stream]);
        let mut driver = subject.driver(subject.small());
        let [one, empty, last] =
            [&stream[..], b"", &stream].map(|datagram| driver.datagram(datagram));
        agrees(subject, socket, &[one?, empty?, last?].concat(), &stream)?;
    }
    Ok(())
}

/// The ways to receive.
#[derive(Clone, Copy, Debug)]
enum Way {
    Borrowed,
    Kept,
    Many(usize),
    /// Only the first frame of each batch is taken.
    FirstOfMany,
    ManyKept(usize),
}

const WAYS: [Way; 7] = [
    Way::Borrowed,
    Way::Kept,
    Way::Many(2),
    Way::Many(usize::MAX),
    Way::FirstOfMany,
    Way::ManyKept(2),
    Way::ManyKept(usize::MAX),
];

/// Compares frames that are received in every way with the codec's own answers.
fn agrees(subject: &Subject, socket: impl Fn() -> Script, due: &[Event], stream: &[u8]) -> Verdict {
    let datagrams = !Framed::new(socket(), subject.codec(subject.small()))
        .shape()
        .is_stream();
    let codec = || subject.codec(subject.small());
    for (way, boxed) in WAYS.into_iter().flat_map(|way| [(way, true), (way, false)]) {
        let found = if boxed {
            block_on_events(Framed::new(socket(), codec()), way)?
        } else {
            block_on_events(Framed::new(socket(), Plain(codec())), way)?
        };
        // An error that is fatal on a stream ends only its datagram there.
        let as_there = |event: &Event| {
            event.clone().map_err(|wrong| Wrong {
                fatal: wrong.fatal && !datagrams,
                ..wrong
            })
        };
        let due: Vec<Event> = due.iter().map(as_there).collect();
        same(&found, &due, || {
            format!(
                "Framed over {}, datagrams: {datagrams}, boxed: {boxed}, {way:?}",
                shown(stream)
            )
        })?;
    }
    Ok(())
}

/// A codec whose type is not that of a boxed one: `Framed` then finds the frames of a batch one by
/// one.
#[derive(Clone)]
struct Plain(BoxCodec);

impl Codec for Plain {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        self.0.decode(input, end)
    }
    fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        self.0.restore(coded, out)
    }
    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        self.0.whole(input, end)
    }
    fn decode_many(
        &mut self,
        input: &[u8],
        end: End,
        ahead: &mut Ahead,
    ) -> Result<Decoded, CodecError> {
        self.0.decode_many(input, end, ahead)
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.0.encode(frame, out)
    }
    fn at_boundary(&self) -> bool {
        self.0.at_boundary()
    }
}

fn block_on_events<C: Codec>(
    mut framed: Framed<Script, C>,
    way: Way,
) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    block_on(async {
        loop {
            match received(&mut framed, way).await {
                Ok(frames) if frames.is_empty() => return Ok(()),
                Ok(frames) => events.extend(frames.into_iter().map(Ok)),
                Err(error) => events.push(Err(wrong(&error)?)),
            }
        }
    })?;
    Ok(events)
}

/// The result of one call; no frames are the end.
async fn received<C: Codec>(
    framed: &mut Framed<Script, C>,
    way: Way,
) -> Result<Vec<Bytes>, FrameError> {
    let mut kept = Vec::new();
    match way {
        Way::Kept => kept.extend(framed.recv_bytes().await?),
        Way::Borrowed => kept.extend(framed.recv().await?.map(Bytes::copy_from_slice)),
        Way::Many(most) => {
            let frames = framed.recv_many(most).await?.into_iter().flatten();
            kept.extend(frames.map(Bytes::copy_from_slice));
        }
        Way::FirstOfMany => {
            let frames = framed.recv_many(usize::MAX).await?.into_iter().flatten();
            kept.extend(frames.take(1).map(Bytes::copy_from_slice));
        }
        Way::ManyKept(most) => drop(framed.recv_many_bytes(&mut kept, most).await?),
    }
    Ok(kept)
}

fn wrong(error: &FrameError) -> Result<Wrong, String> {
    match error.fault() {
        FrameFault::Codec(wrong) => Ok(wrong.clone().into()),
        _ => Err(error.to_string()),
    }
}

pub(super) fn framed_sends_the_bytes_of_encode(subject: &Subject) -> Verdict {
    let mut random = random();
    let mut frames = subject.frames(&mut random, 8)?;
    frames.push(subject.frame(&mut random, subject.most.min(200_000))?);
    // On a stream an empty frame may be no message. `send` may refuse it if the codec writes no
    // bytes for it.
    let wire = subject.wire(&frames)?;
    for way in ["send", "feed", "feed_many"] {
        let socket = Script::stream();
        let mut framed = Framed::new(socket.clone(), subject.codec(subject.roomy()));
        block_on(async {
            let sent = send(&mut framed, &frames, way).await;
            sent.map_err(|error| error.to_string())
        })?;
        let written = socket.written();
        ensure(written == wire, || {
            format!("{way} of {} writes {}", shown(&wire), shown(&written))
        })?;
    }
    Ok(())
}

async fn send(
    framed: &mut Framed<Script, BoxCodec>,
    frames: &[Vec<u8>],
    way: &str,
) -> Result<(), FrameError> {
    if way == "feed_many" {
        framed.feed_many(frames).await?;
        return framed.flush().await;
    }
    for frame in frames {
        match way {
            "feed" => framed.feed(frame).await?,
            _ => framed.send(frame).await?,
        }
    }
    framed.flush().await
}

pub(super) fn tokio_util_agrees(subject: &Subject) -> Verdict {
    for (stream, cuts) in cut_streams(subject)? {
        let due = subject
            .driver(subject.small())
            .stream(pieces(&stream, &cuts))?;
        let mut adapter = Compat::new(subject.codec(subject.small()));
        let (mut wire, mut found) = (BytesMut::new(), Vec::new());
        for piece in pieces(&stream, &cuts) {
            wire.extend_from_slice(piece);
            adapt(&mut found, || adapter.decode(&mut wire))?;
        }
        adapt(&mut found, || adapter.decode_eof(&mut wire))?;
        same(&found, &due, || {
            format!("tokio-util, of {}", shown(&stream))
        })?;
    }
    Ok(())
}

/// Takes items until there is none. tokio-util's `Framed` ends at the fatal error.
fn adapt(
    events: &mut Vec<Event>,
    mut next: impl FnMut() -> std::io::Result<Option<Result<Bytes, CodecError>>>,
) -> Verdict {
    loop {
        match next() {
            Ok(None) => return Ok(()),
            Ok(Some(item)) => events.push(item.map_err(Wrong::from)),
            Err(error) => {
                let inner = error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<CodecError>());
                let inner = inner.ok_or_else(|| format!("no codec's error: {error}"))?;
                events.push(Err(inner.clone().into()));
            }
        }
    }
}

pub(super) fn a_boxed_codec_is_the_plain_one(subject: &Subject) -> Verdict {
    for stream in subject.streams(&mut random())? {
        let boxed = subject.driver(subject.small()).stream(stream.chunks(1))?;
        let plain = subject.plain(subject.small(), &stream)?;
        same(&boxed, &plain, || format!("boxed, {}", shown(&stream)))?;
    }
    Ok(())
}

pub(super) fn its_name_builds_the_same_codec(subject: &Subject) -> Verdict {
    let Some((codecs, name)) = &subject.name else {
        return Ok(());
    };
    let named = |name: &str| codecs.named(name).map_err(|error| error.to_string());
    let (first, full) = (named(name)?, named(name)?.full_name().to_owned());
    for printed in [first.name(), &full] {
        let again = named(printed)?;
        ensure(again.name() == first.name(), || {
            format!("{name} is printed as {printed}, which is {}", again.name())
        })?;
        same_codec(subject, &first, &again)?;
    }
    Ok(())
}

fn same_codec(subject: &Subject, first: &NamedCodec, again: &NamedCodec) -> Verdict {
    let mut random = random();
    let printed = again.name();
    let frames = subject.frames(&mut random, 8)?;
    let (mut codec, mut out) = (again.codec().clone(), BytesMut::new());
    for frame in &frames {
        codec
            .encode(frame, &mut out)
            .map_err(|error| format!("{printed}: {error}"))?;
    }
    ensure(out == subject.wire(&frames)?, || {
        format!("{printed} writes {}", shown(&out))
    })?;
    for stream in subject.streams(&mut random)? {
        let found = Driver::new(again.codec().clone()).stream([&stream[..]])?;
        let due = Driver::new(first.codec().clone()).stream([&stream[..]])?;
        same(&found, &due, || format!("{printed}, of {}", shown(&stream)))?;
    }
    Ok(())
}
