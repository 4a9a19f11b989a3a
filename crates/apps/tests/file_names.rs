//! Names of any bytes: they are shown as text that gives the same name again, both ways and over
//! every codec.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use file_support::{BIN, Program, ended_well};
use serde_json::{Value, json};

/// Names as they are on disk, and as users see them.
const NAMES: [(&[u8], &str); 5] = [
    (b"caf\xe9.txt", "caf‛E9.txt"),
    (b"\xd6\xd0\xce\xc4", "‛D6‛D0‛CE‛C4"),
    ("a‛E9".as_bytes(), "a‛E2‛80‛9BE9"),
    ("a‛b".as_bytes(), "a‛b"),
    ("名前".as_bytes(), "名前"),
];

fn names(dir: &Path) -> Vec<OsString> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|one| one.unwrap().file_name())
        .collect();
    names.sort();
    names
}

fn expected() -> Vec<OsString> {
    let mut names: Vec<_> = NAMES
        .iter()
        .map(|(raw, _)| OsString::from_vec(raw.to_vec()))
        .collect();
    names.sort();
    names
}

fn socketry(arguments: &[&OsStr], dir: &Path) -> Output {
    let mut command = Command::new(BIN);
    command.arg("file").args(arguments).current_dir(dir);
    command.stdin(Stdio::null()).output().unwrap()
}

/// Puts one file of each name into the served directory.
fn filled(options: &[&str]) -> Program {
    let served = Program::new(options);
    for (raw, text) in NAMES {
        fs::write(served.root("").join(OsStr::from_bytes(raw)), text).unwrap();
    }
    served
}

#[test]
fn files_of_any_name_are_sent() {
    let served = Program::new(&[]);
    for (raw, text) in NAMES {
        let path = served.to("").join(OsStr::from_bytes(raw));
        fs::write(&path, text).unwrap();
        let (said, _) = ended_well(&served.put(&path));
        assert!(said.contains(&format!("sent {text} ")), "{said}");
    }
    assert_eq!(names(&served.root("")), expected());
}

#[test]
fn files_of_any_name_are_listed_and_fetched_by_shown_or_raw_names() {
    for codec in ["json", "json:bare", "raw"] {
        let served = filled(&["--codec", codec]);
        let (url, codec) = (OsStr::new(served.url()), OsStr::new(codec));
        let option = OsStr::new("--codec");
        let (listed, _) = ended_well(&socketry(
            &[option, codec, "ls".as_ref(), url],
            Path::new("/"),
        ));
        for (raw, text) in NAMES {
            assert!(
                listed
                    .lines()
                    .any(|line| line.ends_with(&format!(" {text}"))),
                "{listed}"
            );
            let raw = OsStr::from_bytes(raw);
            // A name that is text is taken as it is shown; any other as its bytes.
            let spellings = if raw.to_str().is_some() {
                vec![OsStr::new(text)]
            } else {
                vec![raw, OsStr::new(text)]
            };
            for name in spellings {
                let get = [option, codec, "get".as_ref(), url, name];
                ended_well(&socketry(&get, &served.to("")));
                let got = served.to("").join(raw);
                assert_eq!(fs::read_to_string(&got).unwrap(), text);
                fs::remove_file(got).unwrap();
            }
        }
    }
}

#[test]
fn a_person_browses_to_such_names() {
    let served = Program::new(&[]);
    let dir = served.root("").join(OsStr::from_bytes(b"d\xefr"));
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join(OsStr::from_bytes(b"f\xff")), "text").unwrap();
    let mut command = Command::new(BIN);
    command
        .args(["file", "browse", served.url()])
        .current_dir(served.to(""));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut browsing = command.spawn().unwrap();
    let mut input = browsing.stdin.take().unwrap();
    input.write_all("cd d‛EFr\nget f‛FF\n".as_bytes()).unwrap();
    drop(input);
    let (said, complained) = ended_well(&browsing.wait_with_output().unwrap());
    assert!(
        said.contains("f‛FF") && complained.is_empty(),
        "{said}{complained}"
    );
    assert_eq!(
        fs::read(served.to("").join(OsStr::from_bytes(b"f\xff"))).unwrap(),
        b"text"
    );
}

#[test]
fn a_plain_script_uses_the_names_that_it_reads() {
    let served = filled(&[]);
    let mut script = served.script();
    let header = script.send(&json!({"opt": "list"})).answer();
    let lines = script.read(usize::try_from(header["size"].as_u64().unwrap()).unwrap());
    let mut seen = Vec::new();
    for line in lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let name = serde_json::from_slice::<Value>(line).unwrap()["name"].clone();
        let answer = script
            .send(&json!({"opt": "download", "filename": name}))
            .answer();
        assert_eq!(
            (&answer["status"], &answer["filename"]),
            (&json!("ok"), &name)
        );
        let text = script.read(usize::try_from(answer["filesize"].as_u64().unwrap()).unwrap());
        assert_eq!(script.answer()["status"], "done");
        assert_eq!(name, String::from_utf8(text).unwrap());
        let upload = json!({"opt": "upload", "filename": name, "content": "new"});
        assert_eq!(script.send(&upload).answer()["filename"], name);
        seen.push(name);
    }
    assert_eq!(seen.len(), NAMES.len());
    assert_eq!(names(&served.root("")), expected());
}

#[test]
fn a_name_is_as_long_as_its_bytes() {
    let served = Program::new(&[]);
    let mut script = served.script();
    for (len, status) in [(255, "done"), (256, "error")] {
        let upload = json!({"opt": "upload", "filename": "‛E9".repeat(len), "content": "x"});
        assert_eq!(script.send(&upload).answer()["status"], status, "{len}");
    }
}

#[test]
fn over_raw_only_names_are_told_that_its_encoding_has_letters_for() {
    let served = filled(&["--codec", "raw", "--encoding", "gbk"]);
    let ls = [
        "file",
        "ls",
        "--codec",
        "raw",
        "--encoding",
        "gbk",
        served.url(),
    ];
    let (listed, _) = ended_well(&Command::new(BIN).args(ls).output().unwrap());
    assert!(
        listed.contains("名前") && !listed.contains("caf"),
        "{listed}"
    );
}
