//! Who gets what, and in which order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use socketry_codec::{Codec, CodecError, Decoded, End, Struct};

use super::Subject;
use super::steps::{LINE, STRUCT, same};
use super::subject::How;
use crate::law::Verdict;

pub(super) async fn all_readers_get_all_messages_in_one_order(subject: Subject) -> Verdict {
    const EACH: usize = 40;
    let mut stage = subject.stage().await?;
    let mut seats = Vec::new();
    for format in [LINE, STRUCT, STRUCT, LINE] {
        seats.push(stage.seat(format, "news").await?);
    }
    // Two threads publish at the same time, and their order is chance.
    let hub = &*stage.hub;
    std::thread::scope(|scope| {
        for name in ["ann", "bob"] {
            scope.spawn(move || {
                for count in 0..EACH {
                    let _ = hub.publish("news", format!("{name} {count}").as_bytes(), None);
                }
            });
        }
    });
    let mut orders = Vec::new();
    for seat in &mut seats {
        let mut order = Vec::new();
        for _ in 0..2 * EACH {
            order.push(seat.next().await?.unwrap_or_default());
        }
        orders.push(order);
    }
    let (first, others) = orders.split_first().ok_or("no readers")?;
    for name in ["ann", "bob"] {
        let of_one = first.iter().filter(|frame| frame.starts_with(name));
        let wanted: Vec<_> = (0..EACH).map(|count| format!("{name} {count}")).collect();
        same("one sender's order", of_one.cloned().collect(), wanted)?;
    }
    others
        .iter()
        .try_for_each(|order| same("a reader's order", order, first))
}

/// Counts how often it encodes.
#[derive(Clone)]
struct Counting(Struct, Arc<AtomicUsize>);

impl Codec for Counting {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        self.0.decode(input, end)
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.encode(frame, out)
    }
    fn at_boundary(&self) -> bool {
        self.0.at_boundary()
    }
}

pub(super) async fn a_message_is_encoded_once_for_a_codec(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Counting(Struct::default(), Arc::clone(&count));
    let format = stage.hub.format(Box::new(counting));
    let mut seats = Vec::new();
    for _ in 0..3 {
        let codec = Box::new(Struct::default());
        let seat = stage.guest_with(format, codec, How::default()).await?;
        seat.reader.subscribe("news");
        seats.push(seat);
    }
    for frame in ["one", "two"] {
        same("the readers", stage.publish("news", frame)?, 3)?;
    }
    for seat in &mut seats {
        seat.expect(&["one", "two"]).await?;
    }
    same("times encoded", count.load(Ordering::Relaxed), 2)
}

pub(super) async fn a_topic_reaches_its_subscribers_only(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let mut ann = stage.seat(LINE, "cats").await?;
    let mut bob = stage.seat(STRUCT, "dogs").await?;
    bob.reader.subscribe("cats");
    bob.reader.subscribe("dogs");
    same("the readers", stage.publish("dogs", "wuff")?, 1)?;
    same("the readers", stage.publish("cats", "miau")?, 2)?;
    same("the readers", stage.publish("fish", "…")?, 0)?;
    ann.expect(&["miau"]).await?;
    bob.expect(&["wuff", "miau"]).await?;
    bob.reader.unsubscribe("cats");
    same("the readers", stage.publish("cats", "purr")?, 1)?;
    same("the readers", stage.publish("dogs", "yelp")?, 1)?;
    ann.expect(&["purr"]).await?;
    bob.expect(&["yelp"]).await
}

pub(super) async fn topics_keep_the_order_of_publishing(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let mut ann = stage.seat(LINE, "one").await?;
    for topic in ["two", "three"] {
        ann.reader.subscribe(topic);
    }
    let mut wanted = Vec::new();
    for count in 0..60_usize {
        let topic = ["one", "two", "two", "three", "one"][count % 5];
        wanted.push(format!("{topic} {count}"));
        match count % 7 {
            // For this reader alone, in its place.
            3 => ann.reader.send(wanted[count].as_bytes()),
            _ => same("the readers", stage.publish(topic, &wanted[count])?, 1)?,
        }
    }
    let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
    ann.expect(&wanted).await
}

pub(super) async fn a_sender_does_not_hear_itself(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let mut ann = stage.seat(LINE, "room").await?;
    let mut bob = stage.seat(STRUCT, "room").await?;
    for (from, text) in [
        (&ann, "a1"),
        (&ann, "a2"),
        (&bob, "b1"),
        (&ann, "a3"),
        (&bob, "b2"),
    ] {
        let readers = from.reader.publish("room", text.as_bytes());
        same("the readers", readers, 1)?;
    }
    stage.publish("room", "end")?;
    ann.expect(&["b1", "b2", "end"]).await?;
    bob.expect(&["a1", "a2", "a3", "end"]).await
}

pub(super) async fn a_message_that_a_codec_refuses_reaches_nobody(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let mut lines = stage.seat(LINE, "news").await?;
    let mut frames = stage.seat(STRUCT, "news").await?;
    stage.publish("news", "before")?;
    // A line cannot hold it.
    if stage.publish("news", "two\nlines").is_ok() {
        return Err("a message that no line can hold was published".to_owned());
    }
    stage.publish("news", "after")?;
    lines.expect(&["before", "after"]).await?;
    frames.expect(&["before", "after"]).await
}
