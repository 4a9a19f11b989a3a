//! A browser is a client: two pages in headless Chromium, a terminal and a script of Python talk in
//! one conversation.
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "shared with other tests")]
mod chat_support;
#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::process::Command;
use std::time::Duration;

use chat_support::Program;
use serde_json::Value;

/// How long a browser may take for a step: far more than it needs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The driver of both pages and the script.
struct Browsers(Program);

impl Browsers {
    fn step(&mut self, line: &str) -> Value {
        self.0.type_line(line);
        let answer = self.0.line_within(PATIENCE);
        serde_json::from_str(&answer.unwrap_or_else(|| panic!("no answer to {line}"))).unwrap()
    }

    fn shows(&mut self, page: &str, text: &str) -> Vec<String> {
        let shown = self.step(&format!("wait {page} {text}"));
        serde_json::from_value(shown).unwrap()
    }
}

impl Drop for Browsers {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill")
            .args(["-s", "KILL", "--", &group])
            .status();
    }
}

#[test]
fn pages_a_terminal_and_a_script_talk_in_one_conversation() {
    if !tools::has("chromium-headless-shell") || !tools::has_module("websockets") {
        return;
    }
    let (mut server, url) = Program::serving(&["ws://127.0.0.1:0/chat"]);
    let page = url.replace("ws://", "http://").replace("/chat", "/");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let arguments = ["chromium-headless-shell", &page, &url, folder];
    let mut browsers = Browsers(Program::python("browsers", &arguments));
    let mut tom = Program::socketry(&["chat", "join", &url, "--name", "tom"]);

    for name in ["ann", "bob"] {
        browsers.step(&format!("open {name}"));
    }
    tom.type_line("hello from a terminal");
    for name in ["ann", "bob"] {
        let shown = browsers.shows(name, "hello from a terminal");
        assert_eq!(shown, ["tomhello from a terminal"], "{name}");
    }
    browsers.step("type ann good morning, <b>all</b> \u{1f600}");
    let shown = browsers.shows("bob", "good morning");
    let last = shown.last().unwrap();
    assert_eq!(last, "anngood morning, <b>all</b> \u{1f600}");
    assert_eq!(tom.line(), "ann : good morning, <b>all</b> \u{1f600}");
    assert_eq!(server.line(), "tom : hello from a terminal");
    assert_eq!(server.line(), "ann : good morning, <b>all</b> \u{1f600}");

    browsers.step("python print('and a script') <img src=x onerror=alert(1)>");
    for name in ["ann", "bob"] {
        let shown = browsers.shows(name, "and a script");
        let last = shown.last().unwrap();
        assert_eq!(
            last, "scriptprint('and a script') <img src=x onerror=alert(1)>",
            "{name}"
        );
    }
    browsers.step("type bob see you");
    let heard = browsers.step("heard see you");
    let heard: Vec<String> = serde_json::from_value(heard).unwrap();
    let last = &heard[heard.len() - 2..];
    assert_eq!(
        last,
        ["ann: good morning, <b>all</b> \u{1f600}", "bob: see you"]
    );
    server.type_line("welcome, all of you");
    for name in ["ann", "bob"] {
        let shown = browsers.shows(name, "welcome, all of you");
        assert_eq!(shown.len(), 5, "{name}: {shown:?}");
    }
    for name in ["ann", "bob"] {
        // Its icon is not there, and its policy loads none.
        let problems = browsers.step(&format!("problems {name}"));
        assert_eq!(problems, Value::Array(Vec::new()), "{name}");
    }
    if let Some(place) = std::env::var_os("SCREENSHOTS") {
        let place = place.to_str().unwrap();
        browsers.step(&format!("shot ann {place}/chat-page.png"));
        browsers.step("dark bob");
        browsers.step(&format!("shot bob {place}/chat-page-dark.png"));
    }
    server.type_line("q");
    for name in ["ann", "bob"] {
        let state = browsers.step(&format!("state {name} the conversation has ended"));
        assert_eq!(state, Value::Bool(true), "{name}");
    }
}
