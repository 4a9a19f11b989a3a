//! Files that are not regular: written to where that is clearly meant, refused by name otherwise,
//! and never replaced.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "helpers of tests are tests"
)]

mod file_support;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use file_support::{BIN, Program, complaint, ended_well, make_fifo, names};
use serde_json::{Value, json};

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 251) as u8).collect()
}

#[test]
fn a_download_is_written_into_a_fifo() {
    let served = Program::new(&[]);
    let sent = bytes(3 << 20);
    fs::write(served.root("a"), &sent).unwrap();
    let fifo = served.to("fifo");
    make_fifo(&fifo);
    symlink("fifo", served.to("link")).unwrap();
    for dest in [&fifo, &served.to("link")] {
        let client = served
            .getting("a", dest)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut got = Vec::new();
        File::open(&fifo).unwrap().read_to_end(&mut got).unwrap();
        ended_well(&client.wait_with_output().unwrap());
        assert!(got == sent);
        assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());
    }
    assert_eq!(names(&served.to("")), ["fifo", "link"]);
}

#[test]
fn a_download_is_written_into_a_device() {
    let served = Program::new(&[]);
    fs::write(served.root("a"), bytes(1 << 20)).unwrap();
    ended_well(&served.get("a", Path::new("/dev/null")));
    assert!(
        fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );

    let full = complaint(&served.get("a", Path::new("/dev/full")));
    assert!(
        full.contains("/dev/full") && full.contains("No space left"),
        "{full}"
    );
    assert!(
        fs::metadata("/dev/full")
            .unwrap()
            .file_type()
            .is_char_device()
    );
}

#[test]
fn a_download_comes_out_of_standard_output() {
    let served = Program::new(&[]);
    let sent = bytes(1 << 20);
    fs::write(served.root("a"), &sent).unwrap();
    for dest in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let output = served.get("a", Path::new(dest));
        assert!(output.status.success() && output.stdout == sent, "{dest}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("received a"));
    }
    // If standard output is a file, the bytes are appended.
    let mut file = File::create(served.to("out")).unwrap();
    file.write_all(b"before ").unwrap();
    let mut command = served.getting("a", Path::new("/dev/stdout"));
    ended_well(
        &command
            .stdout(file)
            .stderr(Stdio::piped())
            .output()
            .unwrap(),
    );
    assert!(fs::read(served.to("out")).unwrap() == [b"before ", &sent[..]].concat());
}

#[test]
fn a_standard_output_that_does_not_block_gets_all() {
    let served = Program::new(&[]);
    let sent = bytes(3 << 20);
    fs::write(served.root("a"), &sent).unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    let mut command = served.getting("a", Path::new("/dev/stdout"));
    let client = command
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Drops this process's own copy of the write end.
    drop(command);
    let mut got = Vec::new();
    reader.read_to_end(&mut got).unwrap();
    ended_well(&client.wait_with_output().unwrap());
    assert!(got == sent);
}

#[test]
fn destinations_that_take_no_file_are_refused_by_name() {
    let served = Program::new(&[]);
    fs::write(served.root("a"), "abc").unwrap();
    let socket = UnixListener::bind(served.to("socket")).unwrap();
    let refused = complaint(&served.get("a", &served.to("socket")));
    assert!(refused.contains("socket: it is a socket"), "{refused}");
    drop(socket);
    let refused = complaint(&served.get("a", &served.to("none/")));
    assert!(refused.contains("no file can be stored"), "{refused}");
    assert_eq!(names(&served.to("")), ["socket"]);
}

#[test]
fn an_upload_replaces_nothing_but_files() {
    let served = Program::new(&[]);
    make_fifo(&served.root("fifo"));
    let _socket = UnixListener::bind(served.root("socket")).unwrap();
    fs::create_dir(served.root("dir")).unwrap();
    symlink("fifo", served.root("link")).unwrap();
    symlink("/dev/null", served.root("null")).unwrap();
    let mut script = served.script();
    for (name, words) in [
        ("fifo", "it is a FIFO"),
        ("socket", "it is a socket"),
        ("dir", "it is a directory"),
        ("link", "it is a FIFO"),
        ("null", "it leads out of the served directory"),
    ] {
        let refused = script.refused_upload(name);
        assert!(
            refused.contains(name) && refused.contains(words),
            "{refused}"
        );
    }
    let kind = |name| fs::symlink_metadata(served.root(name)).unwrap().file_type();
    assert!(kind("fifo").is_fifo() && kind("socket").is_socket() && kind("null").is_symlink());
    assert_eq!(
        names(&served.root("")),
        ["dir", "fifo", "link", "null", "socket"]
    );
}

#[test]
fn links_that_stay_inside_are_followed_and_others_are_refused_with_the_reason() {
    let served = Program::new(&[]);
    fs::create_dir(served.root("dir")).unwrap();
    fs::write(served.root("dir/real"), "abc").unwrap();
    fs::write(served.to("secret"), "secret").unwrap();
    symlink(served.root("dir/real"), served.root("absolute")).unwrap();
    symlink(served.root("dir"), served.root("absolute-dir")).unwrap();
    symlink("dir/real", served.root("relative")).unwrap();
    symlink(served.root("dir/new"), served.root("dangling")).unwrap();
    symlink(served.to("secret"), served.root("out")).unwrap();
    symlink("../to/secret", served.root("out-too")).unwrap();
    symlink(served.root("../to/secret"), served.root("out-again")).unwrap();
    symlink("circle", served.root("circle")).unwrap();
    let mut script = served.script();
    for name in ["absolute", "absolute-dir/real", "relative"] {
        script.send(&json!({"opt": "download", "filename": name}));
        assert_eq!(script.answer()["filesize"], 3, "{name}");
        assert_eq!(script.read(3), b"abc");
        assert_eq!(script.answer()["status"], "done");
    }
    let listed = script
        .send(&json!({"opt": "list", "path": "absolute-dir"}))
        .answer();
    assert_eq!(listed["entries"], 1);
    script.read(usize::try_from(listed["size"].as_u64().unwrap()).unwrap());
    for name in ["out", "out-too", "out-again", "dir/../../to/secret"] {
        let answer = script
            .send(&json!({"opt": "download", "filename": name}))
            .answer();
        let error = answer["error"].as_str().unwrap();
        assert!(
            error.contains("it leads out of the served directory"),
            "{error}"
        );
    }
    let answer = script
        .send(&json!({"opt": "stat", "filename": "circle"}))
        .answer();
    assert!(
        answer["error"].as_str().unwrap().contains("symbolic links"),
        "{answer}"
    );

    for (name, stored) in [
        ("absolute", "dir/real"),
        ("relative", "dir/real"),
        ("dangling", "dir/new"),
    ] {
        let header = json!({"opt": "upload", "filename": name, "content": name});
        assert_eq!(script.send(&header).answer()["status"], "done");
        assert_eq!(fs::read_to_string(served.root(stored)).unwrap(), name);
        assert!(
            fs::symlink_metadata(served.root(name))
                .unwrap()
                .is_symlink()
        );
    }
    assert_eq!(fs::read(served.to("secret")).unwrap(), b"secret");
    assert_eq!(names(&served.root("dir")), ["new", "real"]);
}

/// A stream passes its bytes on at once, so its reader has to learn at the end that they are wrong.
#[test]
fn a_wrong_download_to_a_stream_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let frame = |header: Value| {
            let header = header.to_string();
            let len = i32::try_from(header.len()).unwrap();
            [&len.to_le_bytes(), header.as_bytes()].concat()
        };
        let mut asked = [0; 4];
        stream.read_exact(&mut asked).unwrap();
        let mut header = vec![0; usize::try_from(i32::from_le_bytes(asked)).unwrap()];
        stream.read_exact(&mut header).unwrap();
        stream
            .write_all(&frame(json!({"status": "ok", "filesize": 3})))
            .unwrap();
        stream.write_all(b"abc").unwrap();
        let last = json!({"status": "done", "filesize": 3, "digest": {"blake3": "00"}});
        stream.write_all(&frame(last)).unwrap();
        let _ = stream.read(&mut [0; 1]);
    });
    let mut command = Command::new(BIN);
    command.args(["file", "get", &url, "a", "--to", "/dev/stdout"]);
    let output = command.output().unwrap();
    assert_eq!(output.stdout, b"abc");
    let told = complaint(&output);
    assert!(
        told.contains("not to be trusted") && told.contains("blake3"),
        "{told}"
    );
    server.join().unwrap();
}
