//! Times of files arrive exactly, to the nanosecond, both ways.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use file_support::{BIN, Program, ended_well, upload};

const EPOCH: SystemTime = SystemTime::UNIX_EPOCH;

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn the_last_nanosecond_of_a_second_arrives_as_such() {
    let served = Program::new(&[]);
    let second = Duration::from_secs(1_700_000_000);
    for (at, time) in [
        EPOCH + second + Duration::from_nanos(999_999_999),
        EPOCH + second + Duration::from_nanos(1),
        EPOCH + second,
        EPOCH + Duration::from_nanos(123_456_789),
        EPOCH - Duration::from_millis(500),
        EPOCH + Duration::new(9_000_000_000, 999_999_999),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{at}");
        let file = File::create(served.to(&name)).unwrap();
        file.set_modified(time).unwrap();
        // The time as the file system stored it.
        let time = modified(&served.to(&name));
        ended_well(&served.put(&served.to(&name)));
        assert_eq!(modified(&served.root(&name)), time);
        let back = served.to(&format!("{at}.back"));
        ended_well(&served.get(&name, &back));
        assert_eq!(modified(&back), time);
    }
}

/// A simple script sends and reads numbers of its own language.
#[test]
fn a_script_sends_and_reads_times_as_numbers() {
    let served = Program::new(&[]);
    let mut script = served.script();
    for (sent, time) in [
        (
            serde_json::json!(1_700_000_000),
            Duration::from_secs(1_700_000_000),
        ),
        (
            serde_json::json!(1_700_000_000.5),
            Duration::from_millis(1_700_000_000_500),
        ),
    ] {
        let mut header = upload("a", 3);
        header["mtime"] = sent.clone();
        assert_eq!(
            script.send(&header).write(b"abc").answer()["status"],
            "done"
        );
        assert_eq!(modified(&served.root("a")), EPOCH + time);
        let stat = script
            .send(&serde_json::json!({"opt": "stat", "filename": "a"}))
            .answer();
        assert_eq!(stat["mtime"].as_f64(), sent.as_f64());
    }
    let mut header = upload("a", 3);
    header["mtime"] = "yesterday".into();
    let answer = script.send(&header).write(b"abc").answer();
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("key mtime has to be a number of seconds")
    );
}

#[test]
fn a_listing_survives_an_impossible_time() {
    let served = Program::new(&[]);
    let file = File::create(served.root("far")).unwrap();
    let far = Duration::from_secs(300_000_000_000);
    if file.set_modified(EPOCH + far).is_err() {
        println!("this file system has no such times");
    }
    fs::write(served.root("near"), "").unwrap();
    let ls = ["file", "ls", served.url()];
    let (listed, _) = ended_well(&Command::new(BIN).args(ls).output().unwrap());
    assert!(
        listed.contains("far") && listed.contains("near"),
        "{listed}"
    );
}
