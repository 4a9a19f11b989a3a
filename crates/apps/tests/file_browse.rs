//! `file browse` at a terminal, as its user sees it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::path::Path;

use file_support::*;
use serde_json::{Value, json};

const TAB: &str = "\t";
const UP: &str = "\u{1b}[A";
const LEFT: &str = "\u{1b}[D";
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";

/// A server with some names, and the home of a user.
struct Home {
    program: Program,
    home: tempfile::TempDir,
}

impl Home {
    fn new(options: &[&str]) -> Self {
        let program = Program::new(options);
        fs::create_dir_all(program.root("my dir/inner")).unwrap();
        fs::write(program.root("my dir/a b.txt"), "a b").unwrap();
        fs::write(program.root("odd\u{1b}[2J.txt"), "odd").unwrap();
        fs::write(program.root("plain.txt"), bytes(5000)).unwrap();
        let home = tempfile::tempdir().unwrap();
        Home { program, home }
    }

    fn browse(&self, steps: &[Value], options: &[&str]) -> (String, i64) {
        browse(self.program.url(), self.home.path(), steps, options)
    }

    fn history(&self) -> std::path::PathBuf {
        self.home.path().join("socketry/browse_history")
    }
}

fn browse(url: &str, home: &Path, steps: &[Value], options: &[&str]) -> (String, i64) {
    let words = [&[BIN, "file", "browse", url], options].concat();
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    let variables = [
        ("XDG_STATE_HOME", home.to_str().unwrap()),
        ("HOME", home.to_str().unwrap()),
    ];
    on_terminal(80, &json!(steps), &words, &variables)
}

/// The user types a line once there is a prompt, in which `words` are all that it shows of it.
fn line(prompt: &str, typed: &str) -> [Value; 2] {
    [
        json!(["wait", prompt]),
        json!(["type", format!("{typed}\r")]),
    ]
}

fn quits(steps: &mut Vec<Value>) {
    steps.extend(line("> ", "quit"));
}

#[test]
fn a_line_is_edited_and_commands_are_obeyed() {
    let home = Home::new(&[]);
    let mut steps = vec![json!(["wait", "4.88 KiB  plain.txt"])];
    // A typing error, mended at its place.
    steps.extend(line("/> ", &format!("cd 'my ir'{LEFT}{LEFT}{LEFT}d")));
    steps.push(json!(["wait", "3 B  a b.txt"]));
    steps.extend(line("/my dir> ", "pwd"));
    steps.push(json!(["wait", "/my dir\r\n"]));
    steps.extend(line("/my dir> ", "ls -l"));
    steps.push(json!(["wait", "-rw-"]));
    steps.extend(line("/my dir> ", ".."));
    steps.extend(line("/> ", ".."));
    steps.push(json!(["wait", "this is the top"]));
    steps.extend(line("/> ", "fly"));
    steps.push(json!(["wait", "cannot do 'fly' here; there is cd"]));
    steps.extend(line("/> ", "cd 'x"));
    steps.push(json!(["wait", "a quote is not closed"]));
    quits(&mut steps);
    let (shown, code) = home.browse(&steps, &[]);
    assert_eq!(code, 0, "{shown:?}");
    // The name of a file cannot clear the screen.
    assert!(
        !shown.contains("\u{1b}[2J") && shown.contains("odd\\u{1b}[2J.txt"),
        "{shown:?}"
    );
}

#[test]
fn files_go_both_ways() {
    let home = Home::new(&[]);
    fs::write(home.home.path().join("up file"), "up").unwrap();
    let to = home.program.to("");
    let to = to.to_str().unwrap();
    let mut steps = line("/> ", &format!("get plain.txt {to}")).to_vec();
    steps.push(json!(["wait", "received /plain.txt"]));
    steps.extend(line("/> ", "put ~/up\\ file"));
    steps.push(json!(["wait", "sent up file"]));
    steps.extend(line("/> ", "put ~/up\\ file 'my dir/as this'"));
    steps.push(json!(["wait", "sent my dir/as this"]));
    steps.extend(line("/> ", "put ~/up\\ file 'my dir'"));
    steps.push(json!(["wait", "sent my dir/up file"]));
    steps.extend(line("/> ", "put ~/up\\ file"));
    steps.push(json!(["wait", "exists"]));
    steps.extend(line("/> ", "put -f ~/up\\ file"));
    steps.push(json!(["wait", "sent up file"]));
    quits(&mut steps);
    let (shown, code) = home.browse(&steps, &[]);
    assert_eq!(code, 0, "{shown:?}");
    assert!(fs::read(home.program.to("plain.txt")).unwrap() == bytes(5000));
    for name in ["up file", "my dir/as this", "my dir/up file"] {
        assert_eq!(fs::read(home.program.root(name)).unwrap(), b"up", "{name}");
    }
}

#[test]
fn tab_completes_names_of_both_sides() {
    let home = Home::new(&[]);
    let to = home.program.to("x");
    let to = to.parent().unwrap().to_str().unwrap();
    let mut steps = line("/> ", &format!("c{TAB}m{TAB}i{TAB}")).to_vec();
    steps.extend(line("/my dir/inner> ", &format!("get ../a{TAB}{to}/1")));
    steps.push(json!(["wait", "received /my dir/a b.txt"]));
    // A name that is shown with escapes is typed with them.
    steps.extend(line("/my dir/inner> ", &format!("get /o{TAB}{to}/2")));
    steps.push(json!(["wait", "received /odd"]));
    // Where there are several names, they are shown.
    steps.extend(line("/my dir/inner> ", "cd /"));
    steps.extend([
        json!(["wait", "/> "]),
        json!(["type", format!("get {TAB}{TAB}")]),
    ]);
    steps.push(json!(["wait", "my dir/"]));
    steps.push(json!(["wait", "plain.txt"]));
    steps.push(json!(["type", format!("p{TAB}{to}/3\r")]));
    steps.push(json!(["wait", "received /plain.txt"]));
    // Local names.
    steps.extend(line("/> ", &format!("put {to}/1{TAB}again")));
    steps.push(json!(["wait", "sent again"]));
    quits(&mut steps);
    let (shown, code) = home.browse(&steps, &[]);
    assert_eq!(code, 0, "{shown:?}");
    assert_eq!(fs::read(home.program.to("1")).unwrap(), b"a b");
    assert_eq!(fs::read(home.program.to("2")).unwrap(), b"odd");
    assert!(fs::read(home.program.to("3")).unwrap() == bytes(5000));
    assert_eq!(fs::read(home.program.root("again")).unwrap(), b"a b");
}

#[test]
fn what_was_typed_comes_back_the_next_time() {
    let home = Home::new(&[]);
    let mut steps = line("/> ", "cd 'my dir'").to_vec();
    steps.extend(line("/my dir> ", " pwd"));
    quits(&mut steps);
    let (shown, code) = home.browse(&steps, &[]);
    assert_eq!(code, 0, "{shown:?}");
    assert_eq!(mode(&home.history()), 0o600);
    // A line that begins with a space is not kept.
    assert_eq!(
        fs::read_to_string(home.history()).unwrap(),
        "cd 'my dir'\nquit\n"
    );
    let mut steps = line("/> ", &format!("{UP}{UP}")).to_vec();
    steps.extend(line("/my dir> ", "quit"));
    let (shown, code) = home.browse(&steps, &[]);
    assert_eq!(code, 0, "{shown:?}");
    // Who wants none has none.
    fs::remove_file(home.history()).unwrap();
    let mut steps = Vec::new();
    quits(&mut steps);
    let (shown, code) = home.browse(&steps, &["--no-history"]);
    assert_eq!(code, 0, "{shown:?}");
    assert!(!home.history().exists());
}

#[test]
fn ctrl_c_ends_the_command_and_ctrl_d_the_prompt() {
    let home = Home::new(&["--limit", "64KiB/s"]);
    fs::write(home.program.root("slow"), bytes(10 << 20)).unwrap();
    let to = home.program.to("slow");
    let mut steps = vec![
        json!(["wait", "/> "]),
        json!(["type", format!("cd nowhere{CTRL_C}")]),
    ];
    steps.extend(line("/> ", &format!("get slow {}", to.display())));
    steps.push(json!(["wait", "ETA"]));
    steps.push(json!(["type", CTRL_C]));
    steps.push(json!(["wait", "socketry: interrupted"]));
    steps.extend(line("/> ", "pwd"));
    steps.push(json!(["wait", "/\r\n"]));
    steps.extend([json!(["wait", "/> "]), json!(["type", CTRL_D])]);
    let (shown, code) = home.browse(&steps, &[]);
    assert_eq!(code, 0, "{shown:?}");
    assert!(!shown.contains("No such file"), "{shown:?}");
    let left = names(to.parent().unwrap());
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let home = Home::new(&[]);
    let ahead = "cd 'my dir'\rpwd\rquit\r";
    let steps = [json!(["wait", "/> "]), json!(["type", ahead])];
    let (shown, code) = home.browse(&steps, &[]);
    assert_eq!(code, 0, "{shown:?}");
    assert!(shown.contains("/my dir\r\n"), "{shown:?}");
}

/// `on_terminal` checks that the terminal is as it was.
#[test]
fn a_signal_at_the_prompt_leaves_the_terminal_as_it_was() {
    let home = Home::new(&[]);
    let steps = [
        json!(["wait", "/> "]),
        json!(["type", "get"]),
        json!(["wait", "get"]),
    ];
    let steps = [&steps[..], &[json!(["signal", 15])]].concat();
    let (shown, code) = home.browse(&steps, &[]);
    assert_eq!(code, 130, "{shown:?}");
}

#[test]
fn a_server_that_restarted_is_no_error() {
    for codec in ["json", "raw"] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("sub/below")).unwrap();
        let url = format!("unix://{}", dir.path().join("s").display());
        let serve = [BIN, "file", "serve", &url, "--codec", codec, "--root"];
        let serve = [&serve[..], &[root.to_str().unwrap()]].concat();
        let mut steps = vec![json!(["serve", serve])];
        steps.extend(line("/> ", "cd sub"));
        steps.push(json!(["wait", "/sub> "]));
        steps.push(json!(["serve", serve]));
        steps.push(json!(["type", "cd below\r"]));
        steps.push(json!(["wait", "connected again, in /sub/below"]));
        steps.extend(line("/sub/below> ", ".."));
        steps.extend(line("/sub> ", "quit"));
        let (shown, code) = browse(&url, dir.path(), &steps, &["--codec", codec]);
        assert_eq!(code, 0, "{codec}: {shown:?}");
        assert_eq!(
            shown.matches("connected again").count(),
            1,
            "{codec}: {shown:?}"
        );
    }
}

#[test]
fn a_script_of_the_tutorial_is_browsed() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("root/sub dir")).unwrap();
    fs::write(dir.path().join("root/sub dir/x.txt"), "the text").unwrap();
    let server = Process::python("file_raw_server.py", &dir.path().join("root"));
    let url = format!("tcp://127.0.0.1:{}", server.line);
    let to = dir.path().join("y.txt");
    let mut steps = line("/> ", &format!("cd s{TAB}")).to_vec();
    steps.extend(line("/sub dir> ", &format!("get x{TAB} {}", to.display())));
    steps.push(json!(["wait", "received /sub dir/x.txt"]));
    steps.extend(line("/sub dir> ", "put x"));
    steps.push(json!(["wait", "nothing can be put; use --codec json"]));
    steps.extend(line("/sub dir> ", "quit"));
    let (shown, code) = browse(&url, dir.path(), &steps, &["--codec", "raw"]);
    assert_eq!(code, 0, "{shown:?}");
    assert_eq!(fs::read_to_string(to).unwrap(), "the text");
}
