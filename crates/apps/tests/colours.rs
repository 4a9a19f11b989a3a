//! Colours and cursor movements are for terminals that want and understand them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

/// All that a program writes to a terminal, with these variables in its environment.
fn shown(variables: &[(&str, &str)], script: &str) -> String {
    let python = "import os, pty, sys\n\
                  status = pty.spawn(['sh', '-c', *sys.argv[1:]])\n\
                  sys.exit(os.waitstatus_to_exitcode(status))";
    let output = Command::new("python3")
        .args(["-c", python, script, env!("CARGO_BIN_EXE_socketry")])
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        // Some take this for a terminal that understands colours, whatever its name.
        .env("CI", "true")
        .envs(variables.iter().copied())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A log, a bar, an error and a help.
const SCRIPTS: [&str; 3] = [
    "d=$(mktemp -d); head -c 9999999 /dev/zero >$d/a; mkdir $d/r; \
         \"$0\" file serve -v --root $d/r >$d/log 2>&1 & \
         until grep -q listening $d/log; do sleep 0.1; done; \
         \"$0\" file put -vv $(sed 's/.* //' $d/log) $d/a; kill $!; wait; rm -r $d",
    "\"$0\" file frobnicate; true",
    "\"$0\" chat --help",
];

#[test]
fn a_user_who_wants_no_colours_gets_none() {
    for script in SCRIPTS {
        let plain = shown(&[], script);
        assert!(plain.contains('\u{1b}'), "{script}: {plain}");
        for variables in [("TERM", "dumb"), ("NO_COLOR", "1")] {
            let plain = shown(&[variables], script);
            // The bar moves the cursor, which is no colour: `\x1b[2K` and its kin.
            let colours = match variables.0 {
                "TERM" => plain.matches('\u{1b}').count(),
                _ => plain.matches("\u{1b}[").count() - movements(&plain),
            };
            assert_eq!(colours, 0, "{variables:?}, {script}: {plain:?}");
        }
    }
}

/// How many control sequences are no colours, whose last letter is `m`.
fn movements(text: &str) -> usize {
    let sequences = text.split("\u{1b}[").skip(1);
    let ends = sequences.filter_map(|rest| rest.chars().find(char::is_ascii_alphabetic));
    ends.filter(|end| *end != 'm').count()
}
