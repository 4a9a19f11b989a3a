//! The state without sockets, and sockets that panic.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use socketry_codec::Line;
use socketry_transport::{Aborted, Half, Info, SendHalf, Shape};

use super::seat::{Door, Seat};
use super::state::State;
use super::take::{Part, Took};
use super::*;

fn seat(door: &Arc<Door>) -> Seat {
    Seat {
        format: 0,
        cursors: Vec::new(),
        direct: None,
        paces: false,
        stalled: false,
        cut_when_late: false,
        until: u64::MAX,
        over: false,
        written: true,
        held: true,
        since: 0,
        taken: 0,
        door: Arc::clone(door),
    }
}

fn put(state: &mut State, topic: &str, frame: &str) -> usize {
    let message = Publication::to_topic(topic, frame.as_bytes());
    state.publish(&message).expect("a line")
}

/// All messages that a reader takes now, and how many it has missed.
fn drain(state: &mut State, key: usize) -> (Vec<u64>, u64) {
    let (mut parts, mut text, mut missed) = (VecDeque::<Part>::new(), Vec::new(), 0);
    loop {
        match state.take(key, fastrand::bool(), &mut parts) {
            Took::Parts { .. } => {
                let bytes = parts.drain(..).flat_map(|part| part.bytes);
                text.extend(bytes);
            }
            Took::Missed(more) => missed += more,
            Took::Nothing => break,
            Took::End | Took::Over => unreachable!("nobody ends it"),
        }
    }
    let text = String::from_utf8(text).expect("text");
    let number = |line: &str| line.trim_start_matches('x').parse().expect("a number");
    (text.lines().map(number).collect(), missed)
}

/// Readers come to different topics and take now and then. Each gets or misses each message that
/// was published to its topics, in the order of publishing.
#[test]
fn what_is_published_is_taken_once_and_in_order_or_missed() {
    for seed in 0..200 {
        fastrand::seed(seed);
        let mut state = State::new(HubLimits {
            queue_bytes: fastrand::usize(1..4000),
            ..HubLimits::default()
        });
        state.codecs.push(Box::new(Line::new()));
        let doors: Vec<_> = (0..4).map(|_| Arc::default()).collect();
        let keys: Vec<_> = doors
            .iter()
            .map(|door| state.seats.insert(seat(door)))
            .collect();
        let topics = ["a", "b", "c"];
        let mut subscribed = [[false; 3]; 4];
        let (mut due, mut had) = ([0; 4], [0; 4]);
        let mut last = [0; 4];
        for number in 1..400_u64 {
            let reader = fastrand::usize(..4);
            match fastrand::u8(..10) {
                0 => {
                    let topic = fastrand::usize(..3);
                    assert!(state.subscribe(keys[reader], topics[topic]));
                    subscribed[reader][topic] = true;
                }
                1 => {
                    let (taken, missed) = drain(&mut state, keys[reader]);
                    for number in &taken {
                        assert!(*number > last[reader], "seed {seed}");
                        last[reader] = *number;
                    }
                    had[reader] += taken.len() as u64 + missed;
                    assert_eq!(had[reader], due[reader], "seed {seed}");
                }
                _ => {
                    let topic = fastrand::usize(..3);
                    let frame = format!("{}{number}", "x".repeat(fastrand::usize(..90)));
                    let readers = put(&mut state, topics[topic], &frame);
                    let mine = (0..4).filter(|reader| subscribed[*reader][topic]);
                    assert_eq!(readers, mine.clone().count());
                    mine.for_each(|reader| due[reader] += 1);
                }
            }
        }
    }
}

#[test]
fn an_idle_topic_keeps_no_bytes_and_an_empty_one_is_gone() {
    let mut state = State::new(HubLimits::default());
    state.codecs.push(Box::new(Line::new()));
    let key = state.seats.insert(seat(&Arc::default()));
    assert!(state.subscribe(key, "news"));
    assert_eq!(put(&mut state, "news", "1"), 1);
    assert_eq!(drain(&mut state, key), (vec![1], 0));
    let log = &state.logs.iter().next().expect("a log").1.log;
    assert_eq!(log.first(), log.end());
    state.unsubscribe(key, "news");
    assert!(state.logs.is_empty());
    assert_eq!(put(&mut state, "news", "2"), 0);
}

#[test]
fn readers_that_come_and_go_leave_nothing_in_a_quiet_topic() {
    let mut state = State::new(HubLimits::default());
    state.codecs.push(Box::new(Line::new()));
    let staying = state.seats.insert(seat(&Arc::default()));
    assert!(state.subscribe(staying, "news"));
    let mut woken = 0;
    for _ in 0..1000 {
        let key = state.seats.insert(seat(&Arc::default()));
        assert!(state.subscribe(key, "news"));
        assert_eq!(drain(&mut state, key), (Vec::new(), 0));
        state.unsubscribe(key, "news");
        state.seats.remove(key);
        woken += std::mem::take(&mut state.news.woken).len();
    }
    // Each is woken when it subscribes, and once more when the list of those that wait is cleared.
    assert!(woken <= 2000 + 50, "{woken}");
}

/// Panics when it is written to.
struct Panicking(Info);

impl Half for Panicking {
    fn info(&self) -> &Info {
        &self.0
    }
}

impl SendHalf for Panicking {
    fn poll_send(&mut self, _: &mut Context<'_>, _: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        std::panic::resume_unwind(Box::new("as the test wants it"))
    }
    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn abort(&mut self, _: u64) -> io::Result<Aborted> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[tokio::test]
async fn a_socket_that_panics_ends_its_own_reader() {
    let hub = Hub::new(HubLimits::default());
    let lines = hub.format(Line::new());
    let end = "mem://one".parse().expect("a URL");
    let info = Info::new(Shape::Stream, end, "mem://two".parse().expect("a URL"));
    let panicking = hub.join(Panicking(info.clone()), lines).start();
    let other = hub.join(Panicking(info), lines).start();
    panicking.subscribe("news").expect("a topic");
    assert_eq!(hub.publish("news", b"hello"), Ok(1));
    assert!(matches!(panicking.ended().await, ReaderEnd::Failed(_)));
    assert_eq!(hub.publish("news", b"hello"), Ok(0));
    assert!(!other.is_ended());
    drop(hub);
    assert!(matches!(other.ended().await, ReaderEnd::Cut));
}

#[tokio::test]
async fn a_reader_has_a_bounded_number_of_topics() {
    let hub = Hub::new(HubLimits {
        topics_per_reader: 1,
        ..HubLimits::default()
    });
    let lines = hub.format(Line::new());
    let end: socketry_transport::Endpoint = "mem://one".parse().expect("a URL");
    let info = Info::new(Shape::Stream, end.clone(), end);
    let reader = hub.join(Panicking(info), lines).start();
    assert_eq!(reader.subscribe("one"), Ok(()));
    assert_eq!(reader.subscribe("one"), Ok(()));
    assert_eq!(reader.subscribe("two"), Err(TooManyTopics));
    reader.unsubscribe("one");
    assert_eq!(reader.subscribe("two"), Ok(()));
}

#[test]
fn a_hub_outlives_its_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let end: socketry_transport::Endpoint = "mem://one".parse().expect("a URL");
    let info = Info::new(Shape::Stream, end.clone(), end);
    let (hub, reader) = runtime.block_on(async {
        let hub = Hub::new(HubLimits::default());
        let lines = hub.format(Line::new());
        let reader = hub.join(Panicking(info), lines).start();
        (hub, reader)
    });
    drop(runtime);
    assert!(reader.is_ended());
    assert_eq!(hub.publish("news", b"hello"), Err(Unpublished::Ended));
}
