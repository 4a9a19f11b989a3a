//! A command server runs nothing for anybody unless it was told to.
#![allow(clippy::unwrap_used, reason = "tests")]

mod command_support;

use std::process::{Command, Stdio};

use command_support::{Process, run, service, socketry, terminate};
use socketry_apps::command::{Policy, Server};

/// The one line of a server that did not start.
fn refused(arguments: &[&str]) -> String {
    let output = socketry(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    said
}

/// The line to type between `from` and the comma or the end.
fn line(said: &str, from: &str) -> String {
    let (_, behind) = said.split_once(from).expect(said);
    let line = behind.split(", ").next().unwrap();
    line.trim_end().to_owned()
}

#[test]
fn a_server_without_a_policy_says_what_to_type() {
    let directory = tempfile::tempdir().unwrap();
    let anywhere = format!("unix://@socketry-policy-{}", std::process::id());
    let path = |scheme: &str| format!("{scheme}://{}", directory.path().join("a b").display());
    for (arguments, reason) in [
        (&["serve"][..], "any web page"),
        (&["serve", "--codec", "line"], "every user of this machine"),
        (&["serve", &anywhere], "every user of this machine"),
        (
            &["serve", &path("unix")],
            "whom the mode of its file admits",
        ),
        (&["serve", "tls://127.0.0.1:0"], "any web page"),
    ] {
        let said = refused(arguments);
        assert!(said.contains("run any program as this user"), "{said}");
        assert!(said.contains(reason), "{said}");
        let any = line(&said, "type: ");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec {any}")]);
        command.env("XDG_STATE_HOME", directory.path());
        let mut server = Process::start(command.stdin(Stdio::null()));
        let at = server.line();
        let at = at.strip_prefix("listening on ").expect(&any);
        let codec = ["--codec", "line"];
        let codec = if arguments.contains(&codec[0]) {
            &codec[..]
        } else {
            &[]
        };
        let output = run(at, &[codec, &["echo ran"]].concat());
        assert_eq!(output.stdout, b"ran\n", "{any}: {output:?}");
        terminate(&server.child);
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn the_other_way_out_is_a_token() {
    let directory = tempfile::tempdir().unwrap();
    for (number, arguments) in [
        &["serve"][..],
        &["serve", "unix://@socketry-token"],
        &["serve", "tls://127.0.0.1:0?identity=d"],
        &["serve", "tls+unix://@socketry-token"],
    ]
    .into_iter()
    .enumerate()
    {
        let typed = line(&refused(arguments), "with a token: ");
        assert!(typed.ends_with("--token-file tokens"), "{typed}");
        // The line makes the token, and certificates.
        let home = directory.path().join(number.to_string());
        std::fs::create_dir(&home).unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec {typed}")])
            .current_dir(&home);
        command.env("XDG_STATE_HOME", directory.path());
        let mut server = Process::start(command.stdin(Stdio::null()));
        let at = server.line();
        let at = at.strip_prefix("listening on ").expect(&typed);
        let tokens = home.join("tokens").display().to_string();
        let output = run(at, &["--token-file", &tokens, "echo ran"]);
        assert_eq!(output.stdout, b"ran\n", "{typed}: {output:?}");
        assert!(run(at, &["echo ran"]).stdout.is_empty());
        terminate(&server.child);
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
    }
    let pin = "0".repeat(64);
    let optional = format!("tls://127.0.0.1:0?pin=sha256:{pin}&clients=optional");
    assert!(refused(&["serve", &optional]).contains("--allow-any"));
    // Over datagrams no token can be proved, and there is no TLS.
    let said = refused(&["serve", "unix-dgram://@socketry-policy", "--codec", "raw"]);
    assert!(!said.contains("with a token"), "{said}");
}

#[tokio::test]
async fn a_policy_that_an_address_cannot_keep_is_refused() {
    let anywhere = format!("unix://@socketry-nobody-{}", std::process::id());
    for url in ["tcp://127.0.0.1:0", "mem://*", &anywhere] {
        let at = url.parse().unwrap();
        let service = service("struct", "utf-8");
        let error = Server::bind(&service, &at, Policy::Authenticated).await;
        let error = error.unwrap_err();
        assert!(error.is_usage(), "{error}");
        assert!(error.to_string().contains("prove who they are"), "{error}");
        Server::bind(&service, &at, Policy::AllowAny).await.unwrap();
    }
}
