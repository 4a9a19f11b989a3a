//! Every format beside the `struct` module of the Python that is installed, and delimiters beside
//! its `readuntil`: one process answers all questions.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socketry_codec::{Delimited, Delimiter, Fault, Format, Struct};

use crate::common::{encode, ok, stream};

const LETTERS: &str = "bBhHiIlLqQ";
const ORDERS: [&str; 6] = ["", "@", "=", "<", ">", "!"];

struct Python {
    _process: Child,
    asked: ChildStdin,
    said: BufReader<ChildStdout>,
}

/// Its standard input ends with this process, and it with that.
static PYTHON: LazyLock<Option<Mutex<Python>>> = LazyLock::new(start);

fn start() -> Option<Mutex<Python>> {
    if !crate::tools::has("python3") {
        return None;
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/differential/questions.py"
    );
    let mut python = Command::new("python3");
    let started = python
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut process = started.unwrap();
    let asked = process.stdin.take().unwrap();
    let said = BufReader::new(process.stdout.take().unwrap());
    Some(Mutex::new(Python {
        _process: process,
        asked,
        said,
    }))
}

/// What Python answers, or the error that it raises; `None` where there is no Python.
fn ask(words: &[&str]) -> Option<Result<String, String>> {
    let mut python = PYTHON
        .as_ref()?
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    writeln!(python.asked, "{}", words.join("\t")).unwrap();
    let mut answer = String::new();
    python.said.read_line(&mut answer).unwrap();
    let answer = answer.strip_suffix('\n').expect("an answer");
    Some(match answer.strip_prefix('!') {
        Some(error) => Err(error.to_owned()),
        None => Ok(answer.to_owned()),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

fn formats() -> Vec<String> {
    let with = |order: &'static str| {
        LETTERS
            .chars()
            .map(move |letter| format!("{order}{letter}"))
    };
    ORDERS.into_iter().flat_map(with).collect()
}

/// The same of both: what `value` is when it is packed, or that it cannot be.
fn packs_alike(form: &str, value: i128) {
    let Some(theirs) = ask(&["pack", form, &value.to_string()]) else {
        return;
    };
    let format: Format = form.parse().unwrap();
    let Ok(len) = u64::try_from(value) else {
        // No length: that it packs, if it does, is for `unpacks_alike`.
        return assert!(value < 0 || theirs.is_err(), "{form} {value}");
    };
    let ours = format.write(len).map(|bytes| hex(&bytes));
    assert_eq!(ours, theirs.clone().ok(), "{form} {value}: {theirs:?}");
    assert_eq!(len <= format.max(), theirs.is_ok(), "{form} {value}");
}

/// The same of both: what these bytes are when they are unpacked.
fn unpacks_alike(form: &str, bytes: &[u8]) {
    let Some(theirs) = ask(&["unpack", form, &hex(bytes)]) else {
        return;
    };
    let format: Format = form.parse().unwrap();
    if bytes.len() != format.size() {
        assert!(
            theirs.unwrap_err().contains("requires a buffer"),
            "{form} {bytes:?}"
        );
        assert_eq!(format.read(bytes) == Ok(None), bytes.len() < format.size());
        return;
    }
    let value: i128 = theirs.unwrap().parse().unwrap();
    match format.read(bytes) {
        Ok(len) => assert_eq!(len.map(i128::from), Some(value), "{form} {bytes:?}"),
        Err(error) => {
            let value = i64::try_from(value).unwrap();
            assert!(value < 0, "{form} {bytes:?}");
            assert_eq!(
                error.fault,
                Fault::NegativeLength(value),
                "{form} {bytes:?}"
            );
        }
    }
}

#[test]
fn sizes_are_those_of_python_and_no_other_text_is_a_format() {
    let letters = (0x20..0x7f).map(|byte| char::from(byte).to_string());
    for letter in letters.chain([
        "".to_owned(),
        "2i".to_owned(),
        "ii".to_owned(),
        " i".to_owned(),
    ]) {
        for order in ORDERS.iter().chain(&["<<", "?"]) {
            let form = format!("{order}{letter}");
            let Some(theirs) = ask(&["calcsize", &form]) else {
                return;
            };
            match form.parse::<Format>() {
                Ok(format) => assert_eq!(theirs, Ok(format.size().to_string()), "{form}"),
                // Theirs has more: floats, texts, counts and nothing at all. A length is one
                // integer.
                Err(_) => assert!(!formats().contains(&form), "{form}: {theirs:?}"),
            }
        }
    }
}

#[test]
fn values_at_the_ends_of_every_range_pack_alike() {
    for form in formats() {
        for bits in [0, 7, 8, 15, 16, 31, 32, 63, 64] {
            for near in -2..=2 {
                packs_alike(&form, (1i128 << bits) + near);
                packs_alike(&form, -(1i128 << bits) + near);
            }
        }
    }
}

#[test]
fn bytes_at_the_ends_of_every_range_unpack_alike() {
    for form in formats() {
        for size in 0..=9 {
            for fill in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut bytes = vec![fill; size];
                unpacks_alike(&form, &bytes);
                for end in [0, size.saturating_sub(1)] {
                    for byte in [0x00, 0x7f, 0x80, 0xff] {
                        bytes.fill(fill);
                        bytes.get_mut(end).into_iter().for_each(|end| *end = byte);
                        unpacks_alike(&form, &bytes);
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_value_packs_alike(
        form in select(formats()),
        value in any::<i128>(),
        shift in 0..128u32,
    ) {
        packs_alike(&form, value >> shift);
    }

    #[test]
    fn any_bytes_unpack_alike(form in select(formats()), bytes in vec(any::<u8>(), 0..10)) {
        unpacks_alike(&form, &bytes);
    }

    /// The tutorial's programs and this crate read each other's frames.
    #[test]
    fn whole_frames_are_written_alike(
        form in select(formats()),
        frames in vec(vec(any::<u8>(), 0..40), 0..5),
    ) {
        let payloads: Vec<String> = frames.iter().map(|frame| format!("x{}", hex(frame))).collect();
        let words = ["frames", &form].into_iter().chain(payloads.iter().map(String::as_str));
        if let Some(theirs) = ask(&words.collect::<Vec<_>>()) {
            let theirs = unhex(&theirs.unwrap());
            let mut codec = Struct::new(form.parse().unwrap());
            prop_assert_eq!(encode(&mut codec, &frames), theirs.clone());
            let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(stream(codec, [&theirs[..]]), ok(&frames));
        }
    }

    /// asyncio's `StreamReader.readuntil` and this crate end a frame at the same place.
    #[test]
    fn delimiters_are_found_alike(
        delimiter in vec(select(&b"ab"[..]), 1..6),
        wire in vec(select(&b"aab"[..]), 0..60),
        size in 1..9usize,
    ) {
        if let Some(theirs) = ask(&["until", &hex(&delimiter), &format!("x{}", hex(&wire))]) {
            let theirs = theirs.unwrap();
            let mut theirs: Vec<_> = theirs.split(' ').map(|part| unhex(&part[1..])).collect();
            let rest = theirs.pop().unwrap();
            let whole = theirs.iter().map(|frame| frame.strip_suffix(&delimiter[..]).unwrap());
            let mut due = ok(&whole.collect::<Vec<_>>());
            if !rest.is_empty() {
                let (have, missing) = (rest.len(), 1);
                due.push(Err(Fault::Truncated { have, missing }));
            }
            let codec = Delimited::new(Delimiter::new(&delimiter).unwrap());
            prop_assert_eq!(stream(codec, wire.chunks(size)), due);
        }
    }
}
