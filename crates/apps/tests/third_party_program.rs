//! A third party's program: the apps' command line over a codec and a transport of its own.
//!
//! This binary is both that program and its tests, so it has no test harness.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "chat_support/mod.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod support;

mod netstring;

use std::fs;
use std::process::{Command, ExitCode, Output, Stdio};

use socketry_apps::cli::CommandLine;
use socketry_apps::matrix;
use socketry_transport::{Endpoint, Result, Transport, UnixTransport, async_trait};
use support::Program;

/// The arguments of the program: its name, and every app's.
const APPS: [&str; 3] = ["chat", "command", "file"];

fn main() -> ExitCode {
    let first = std::env::args().nth(1).unwrap_or_default();
    if APPS.contains(&&*first) {
        return program();
    }
    let tests: [(&str, fn()); 5] = [
        (
            "help_names_the_codec_and_the_scheme",
            help_names_the_codec_and_the_scheme,
        ),
        ("errors_name_the_codec", errors_name_the_codec),
        ("a_chat_by_name", a_chat_by_name),
        ("a_command_by_name", a_command_by_name),
        ("a_file_by_name", a_file_by_name),
    ];
    for (name, test) in tests.iter().filter(|(name, _)| name.contains(&first)) {
        test();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

/// The code of a third party that offers its own transport and codec beside ours.
fn program() -> ExitCode {
    CommandLine::default()
        .transports(matrix::transports().with("own", Own(UnixTransport::default())))
        .codecs(netstring::codecs())
        .main()
}

/// Unix sockets under a scheme of its own.
struct Own(UnixTransport);

#[async_trait]
impl Transport for Own {
    type Socket = <UnixTransport as Transport>::Socket;
    type Listener = <UnixTransport as Transport>::Listener;

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        self.0.connect(&unix(to)?).await
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        self.0.listen(&unix(at)?).await
    }
}

fn unix(own: &Endpoint) -> Result<Endpoint> {
    own.with_scheme("unix")
}

fn this() -> String {
    std::env::current_exe()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(this());
    command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn serving(arguments: &[&str]) -> (Program, String) {
    let server = Program::start(&this(), arguments);
    let first = server.line();
    let url = first
        .strip_prefix("listening on ")
        .expect(&first)
        .to_owned();
    (server, url)
}

fn help_names_the_codec_and_the_scheme() {
    for verb in [["chat", "join"], ["command", "run"], ["file", "get"]] {
        let help = run(&[&verb[..], &["--help"]].concat());
        let help = String::from_utf8(help.stdout).unwrap();
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for due in [
            "raw, line, struct, json, netstring, records or counting",
            "json:bare, netstring:max=1000000,json=false",
            "own://",
            "[default: json]",
        ] {
            assert!(words.contains(due), "{verb:?} {due}: {help}");
        }
    }
}

fn errors_name_the_codec() {
    for (codec, words) in [
        (
            "netstrings",
            "there are raw, line, struct, json, netstring, records and counting",
        ),
        (
            "netstring:max=many",
            "max cannot be \"many\" (invalid digit found in string); without it, it is 1000000",
        ),
    ] {
        let refused = run(&["chat", "join", "tcp://127.0.0.1:9", "--codec", codec]);
        assert_eq!(refused.status.code(), Some(2));
        let errors = String::from_utf8(refused.stderr).unwrap();
        assert!(errors.contains(words), "{errors}");
    }
}

fn a_chat_by_name() {
    let codec = ["--codec", "netstring:max=500"];
    let (mut server, url) = serving(&[&["chat", "serve"], &codec[..]].concat());
    let join = ["chat", "join", &url, "--name", "ann"];
    let mut ann = Program::start(&this(), &[&join, &codec[..]].concat());
    ann.type_line("hello");
    assert_eq!(server.line(), "ann : hello");
    server.type_line("welcome");
    assert_eq!(ann.line(), "welcome");
    server.type_line("q");
    assert_eq!(ann.code(), Some(0));
}

fn a_command_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let at = format!("own://{}", directory.path().join("s").display());
    let codec = ["command", "--codec", "netstring"];
    let (_server, _) = serving(&[&codec[..], &["serve", "--allow-any", &at]].concat());
    let ran = run(&[&codec[..], &["run", &at, "echo out; echo err >&2; exit 3"]].concat());
    assert_eq!(ran.status.code(), Some(3));
    assert_eq!((&*ran.stdout, &*ran.stderr), (&b"out\n"[..], &b"err\n"[..]));
}

fn a_file_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let (root, to) = (directory.path().join("root"), directory.path().join("to"));
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a.txt"), "hello\n").unwrap();
    let codec = ["--codec", "netstring:json=true"];
    let serve = ["file", "serve", "--root", root.to_str().unwrap()];
    let (_server, url) = serving(&[&serve, &codec[..]].concat());
    let get = ["file", "get", &url, "a.txt", "--to", to.to_str().unwrap()];
    assert!(run(&[&get, &codec[..]].concat()).status.success());
    assert_eq!(fs::read(&to).unwrap(), b"hello\n");
    let refused = run(&[&get, &["--codec", "netstring"][..]].concat());
    assert_eq!(refused.status.code(), Some(2));
}
