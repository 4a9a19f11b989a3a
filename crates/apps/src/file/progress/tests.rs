//! What a transfer shows, in lines and as events, with a clock that the tests move.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::time::{advance, sleep};

use super::*;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn events(&self) -> Vec<Value> {
        let lines = self.lines();
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn transfer(bytes: u64) -> Transfer {
    Transfer::whole(bytes, blake3::hash(b""), true)
}

#[tokio::test(start_paused = true)]
async fn programs_get_events() {
    let sink = Sink::default();
    let output = Output::on(Screen::events(sink.clone()), Digits::All, 2, None);
    sleep(Duration::from_millis(10)).await;
    let meter = output.meter("a\n\u{1b}");
    meter.resumed(1000);
    for second in 1..=3 {
        sleep(Duration::from_secs(1)).await;
        meter.at(1000 + second * 500, Some(3000));
    }
    let events = sink.events();
    assert_eq!(events[0], json!({"event": "start", "name": "a\n\u{1b}"}));
    assert_eq!(
        events[3],
        json!({"event": "progress", "name": "a\n\u{1b}", "done": 2000, "size": 3000,
               "resumed": 1000, "rate": 334, "eta": 3})
    );
    sleep(Duration::from_secs(10)).await;
    let events = sink.events();
    assert_eq!(
        events.last().unwrap(),
        &json!({"event": "stalled", "name": "a\n\u{1b}", "done": 2500, "size": 3000, "seconds": 9})
    );
    meter.done("sent", &transfer(3000), false).unwrap();
    output
        .refuse("b", AppError::failed("it is gone"))
        .unwrap_err();
    output.end().unwrap();
    let mut events = sink.events();
    let empty = blake3::hash(b"").to_hex();
    assert_eq!(
        events[0],
        json!({"event": "done", "name": "a\n\u{1b}", "size": 3000, "resumed": 1000,
               "seconds": 0.0, "blake3": empty.as_str(), "confirmed": true})
    );
    assert_eq!(
        events[1],
        json!({"event": "error", "name": "b", "error": "it is gone"})
    );
    assert!(events[2]["seconds"].take().as_f64().unwrap() > 13.0);
    assert_eq!(
        events[2],
        json!({"event": "end", "files": 1, "failed": 1, "size": 3000, "resumed": 1000,
               "seconds": null})
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_terminal_there_is_a_line_now_and_then() {
    let sink = Sink::default();
    let output = Output::on(Screen::lines(sink.clone()), Digits::All, 1, None);
    let meter = output.meter("a\u{1b}");
    for second in 1..=9 {
        sleep(Duration::from_secs(1)).await;
        meter.at(second << 20, Some(100 << 20));
    }
    assert!(sink.lines().is_empty());
    sleep(Duration::from_secs(1)).await;
    meter.at(10 << 20, Some(100 << 20));
    sleep(Duration::from_secs(9)).await;
    let lines = sink.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("a\\u{1b}: ") && lines[0].contains("ETA "),
        "{lines:?}"
    );
    sleep(Duration::from_secs(2)).await;
    let lines = sink.lines();
    assert!(lines[0].contains("stalled for 10 s"), "{lines:?}");
    // What has ended is told no more.
    drop(meter);
    advance(Duration::from_secs(60)).await;
    sleep(Duration::from_secs(20)).await;
    assert!(sink.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_files_together_are_one_line() {
    let output = Output::on(Screen::Nothing, Digits::All, 3, Some(30 << 20));
    let first = output.meter("a");
    sleep(Duration::from_secs(1)).await;
    first.at(10 << 20, Some(10 << 20));
    first.done("sent", &transfer(10 << 20), false).unwrap();
    let second = output.meter("b");
    sleep(Duration::from_secs(1)).await;
    second.at(5 << 20, Some(10 << 20));
    sleep(Duration::from_millis(300)).await;
    let all = output.shared.lock();
    let files = all.files.iter().map(|(_, state)| state);
    let line = line::of_all(&all.total, files, 100, Instant::now());
    assert!(
        line.starts_with("all  1 of 3 files  15.00 MiB of 30.00 MiB  "),
        "{line}"
    );
    assert!(line.contains("ETA "), "{line}");
}
