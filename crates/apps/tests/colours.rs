//! Colours and cursor movements are for terminals that understand them, and users that want them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

/// Everything that a program writes to a terminal, with these environment variables.
fn shown(variables: &[(&str, &str)], script: &str) -> String {
    let python = "import os, pty, sys\n\
                  status = pty.spawn(['sh', '-c', *sys.argv[1:]])\n\
                  sys.exit(os.waitstatus_to_exitcode(status))";
    let output = Command::new("python3")
        .args(["-c", python, script, env!("CARGO_BIN_EXE_socketry")])
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .env("TERM", "xterm")
        // Some programs take this variable for a terminal that understands colours, whatever its
        // name is.
        .env("CI", "true")
        .envs(variables.iter().copied())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A log, a progress bar, an error and a help text. A transfer that is done at once has no bar, so
/// this one takes a second.
const SCRIPTS: [&str; 3] = [
    "d=$(mktemp -d); head -c 9999999 /dev/zero >$d/a; mkdir $d/r; \
         \"$0\" file serve -v --limit 8MiB/s --root $d/r >$d/log 2>&1 & \
         until grep -q listening $d/log; do sleep 0.1; done; \
         \"$0\" file put -vv $(sed 's/.* //' $d/log) $d/a; kill $!; wait; rm -r $d",
    "\"$0\" file frobnicate; true",
    "\"$0\" chat --help",
];

#[test]
fn no_color_turns_colours_off() {
    for script in SCRIPTS {
        let plain = shown(&[], script);
        assert!(plain.contains('\u{1b}'), "{script}: {plain}");
        for variables in [("TERM", "dumb"), ("NO_COLOR", "1"), ("CLICOLOR", "0")] {
            let plain = shown(&[variables], script);
            // The bar moves the cursor, which is not a colour (`\x1b[2K` and similar).
            let colours = match variables.0 {
                "TERM" => plain.matches('\u{1b}').count(),
                _ => plain.matches("\u{1b}[").count() - movements(&plain),
            };
            assert_eq!(colours, 0, "{variables:?}, {script}: {plain:?}");
        }
    }
}

/// What a server logs about a client, into a file.
const LOG: &str = "d=$(mktemp -d); \"$0\" file serve -v --root $d >$d/log 2>&1 & \
    until grep -q listening $d/log; do sleep 0.1; done; \
    \"$0\" file ls $(sed 's/.* //' $d/log) >$d/list; kill $!; wait; cat $d/log; rm -r $d";

#[test]
fn colours_can_be_had_without_a_terminal() {
    let log = |variables: &[(&str, &str)]| {
        let output = Command::new("sh")
            .args(["-c", LOG, env!("CARGO_BIN_EXE_socketry")])
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(log.contains("listed"), "{log}");
        log.contains('\u{1b}')
    };
    assert!(!log(&[("CLICOLOR_FORCE", "0")]));
    assert!(log(&[("CLICOLOR_FORCE", "1")]));
    assert!(!log(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

/// How many control sequences are no colours: those of colours end in `m`.
fn movements(text: &str) -> usize {
    let sequences = text.split("\u{1b}[").skip(1);
    let ends = sequences.filter_map(|rest| rest.chars().find(char::is_ascii_alphabetic));
    ends.filter(|end| *end != 'm').count()
}
