//! `--help` of every subcommand: the URLs that it takes, their options, and examples that parse.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

fn help(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socketry"));
    let output = command.args(words).arg("--help").output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The subcommands that a help lists.
fn subcommands(help: &str) -> Vec<String> {
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let lines = listed.lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_verb_lists_urls_options_and_two_examples() {
    let mut verbs = 0;
    for app in subcommands(&help(&[])) {
        for verb in subcommands(&help(&[&app])) {
            let help = help(&[&app, &verb]);
            for word in [
                "tcp://HOST:PORT",
                "unix:///PATH",
                "keepalive=off",
                "mode",
                "recv_buffer",
            ] {
                assert!(help.contains(word), "{app} {verb}: {word}");
            }
            assert_eq!(help.contains("udp://"), app == "chat", "{app} {verb}");
            let (_, examples) = help.split_once("Examples:\n").unwrap();
            let examples: Vec<_> = examples.lines().collect();
            assert_eq!(examples.len(), 2, "{app} {verb}");
            for example in examples {
                understood(example, &format!("socketry {app} {verb}"));
            }
            verbs += 1;
        }
    }
    assert_eq!(verbs, 9);
}

/// The example also asks for help. So the help is printed if it parses, and an error if not.
fn understood(example: &str, begins: &str) {
    let (_, words) = example.split_once(begins).unwrap();
    // Words after `--`, or after a command to run, do not ask for help.
    let behind = if words.contains(" -- ") {
        " -- "
    } else {
        " 'ls"
    };
    let words = match words.split_once(behind) {
        Some((before, rest)) => format!("{before} --help{behind}{rest}"),
        None => format!("{words} --help"),
    };
    let script = begins.replace("socketry", "\"$0\"") + &words;
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_socketry")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}");
}
