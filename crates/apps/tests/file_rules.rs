//! The real binary: what each client may do with files, by its identity.
#![allow(clippy::unwrap_used, reason = "tests")]

mod over;
mod program;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Output, Stdio};

use over::OVER;
use program::{Served, failed, private, socketry, tokens};

const RULES: &str = "
[ann]
may = ['list', 'read', 'write']
folder = 'people/ann'
quota = 10
[benjamin]
may = ['write']
[anonymous]
may = ['read']
['*']
may = ['list', 'read']
";

/// A served directory with a file in each place, the rules, and files of tokens.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let at = home.path();
    fs::create_dir_all(at.join("root/people/ann")).unwrap();
    fs::write(at.join("root/a.txt"), "for all").unwrap();
    fs::write(at.join("root/people/ann/own.txt"), "hers").unwrap();
    private(at, "rules", RULES);
    tokens(at, "tokens", &["ann", "benjamin", "eve"]);
    for name in ["ann", "benjamin", "eve"] {
        tokens(at, name, &[name]);
    }
    home
}

fn serve(home: &Path, url: &str, words: &[&str]) -> Served {
    let serve = ["file", "serve", url, "--root", "root", "--rules", "rules"];
    Served::start(home, &[&serve[..], words].concat())
}

/// A verb of the client with this token, if it has one.
fn file(home: &Path, server: &Served, token: Option<&str>, words: &[&str]) -> Output {
    let token = token.map(|name| ["--token-file", name]);
    let token = token.as_ref().map_or(&[][..], |token| &token[..]);
    let (verb, rest) = words.split_first().unwrap();
    let all = [&["file", verb, &server.url], rest, token].concat();
    socketry(home, &all).output().unwrap()
}

#[test]
fn each_client_does_what_stands_for_its_name() {
    for scheme in OVER {
        let home = home();
        let home = home.path();
        let url = over::url(scheme, home);
        let server = serve(home, &url, &["--token-file", "tokens", "--anonymous"]);
        let (ann, ben, eve) = (Some("ann"), Some("benjamin"), Some("eve"));
        let get = ["get", "a.txt", "--to", "got", "--force"];
        let put = ["put", "four"];
        fs::write(home.join("four"), "four").unwrap();
        for (name, words, ok) in [
            (ann, &["ls"][..], true),
            (ann, &put, true),
            (ann, &get, false),
            (ann, &["get", "../../a.txt", "--to", "got"], false),
            (ben, &put, true),
            (ben, &["ls"], false),
            (ben, &get, false),
            (eve, &["ls"], true),
            (eve, &get, true),
            (eve, &put, false),
            (None, &["ls"], false),
            (None, &get, true),
            (None, &put, false),
        ] {
            let output = file(home, &server, name, words);
            let said = format!("{scheme} {name:?} {words:?}: {output:?}");
            assert_eq!(output.status.success(), ok, "{said}");
            if !ok && name != ann {
                let said = failed(&output, 1);
                let words = format!(
                    "the server says: the rules of this server do not let '{}' do that",
                    name.unwrap_or("anonymous")
                );
                assert!(said.contains(&words), "{said}");
            }
        }
        let listed = file(home, &server, ann, &["ls"]).stdout;
        let listed = String::from_utf8(listed).unwrap();
        assert!(
            listed.contains("own.txt") && !listed.contains("a.txt"),
            "{listed}"
        );
        assert_eq!(
            fs::read(home.join("root/people/ann/four")).unwrap(),
            b"four"
        );
        assert_eq!(fs::read(home.join("root/four")).unwrap(), b"four");
        let log = server.log();
        assert!(log.contains("do not let 'benjamin' do that"), "{log}");
    }
}

#[test]
fn a_quota_is_all_that_a_client_stores() {
    for scheme in OVER {
        let home = home();
        let home = home.path();
        let url = over::url(scheme, home);
        let serving = ["--token-file", "tokens"];
        let server = serve(home, &url, &serving);
        let put = |server: &Served, name: &str, len: usize| {
            fs::write(home.join(name), vec![b'x'; len]).unwrap();
            file(home, server, Some("ann"), &["put", name, "--force"])
        };
        assert!(put(&server, "a", 6).status.success());
        // What is refused does not count, nor is anything of it kept.
        let said = failed(&put(&server, "b", 5), 1);
        let words = "'ann' may store 10 bytes here, of which 4 bytes are left";
        assert!(said.contains(words), "{said}");
        // A pipe has no length: its bytes are counted as they come.
        let put_pipe = |len: usize| {
            let words = ["file", "put", &server.url, "-", "--as", "b", "--token-file"];
            let mut client = socketry(home, &[&words[..], &["ann"]].concat());
            let client = client.stdin(Stdio::piped()).stderr(Stdio::piped());
            let mut client = client.spawn().unwrap();
            let mut stdin = client.stdin.take().unwrap();
            let _ = stdin.write_all(&vec![b'x'; len]);
            drop(stdin);
            client.wait_with_output().unwrap()
        };
        for len in [5, 1_000_000] {
            let said = failed(&put_pipe(len), 1);
            assert!(said.contains(words), "{said}");
        }
        let kept = fs::read_dir(home.join("root/people/ann")).unwrap();
        assert_eq!(kept.count(), 2, "own.txt and a");
        assert!(put_pipe(4).status.success());
        failed(&put(&server, "a", 1), 1);
        // The next start counts from nothing.
        drop(server);
        let server = serve(home, &url, &serving);
        assert!(put(&server, "a", 10).status.success());
    }
}

#[test]
fn over_raw_a_client_goes_no_further() {
    let home = home();
    let home = home.path();
    // No link leads out of a folder.
    symlink("../../a.txt", home.join("root/people/ann/link")).unwrap();
    let raw = ["--codec", "raw"];
    let words = ["--token-file", "tokens", "--anonymous"];
    let server = serve(home, "tcp://127.0.0.1:0", &[&words[..], &raw].concat());
    let to = ["--to", "got", "--force"];
    let get = |name| [&["get", name], &to[..], &raw].concat();
    let ls = |dir| [&["ls", dir], &raw[..]].concat();
    for (name, words, ok) in [
        (Some("ann"), ls("/"), true),
        (Some("ann"), ls("people"), false),
        (Some("ann"), get("own.txt"), true),
        (Some("ann"), get("link"), false),
        (Some("ann"), get("../../a.txt"), false),
        (Some("benjamin"), ls("/"), false),
        (Some("benjamin"), get("a.txt"), false),
        (None, ls("/"), false),
        // Our client lists a directory before it fetches from it.
        (None, get("a.txt"), false),
        (Some("eve"), get("a.txt"), true),
    ] {
        let output = file(home, &server, name, &words);
        assert_eq!(
            output.status.success(),
            ok,
            "{name:?} {words:?}: {output:?}"
        );
    }
}

#[test]
fn a_user_of_a_unix_socket_has_rules_by_its_name() {
    let home = home();
    let home = home.path();
    let uid = fs::metadata(home).unwrap().uid();
    let user = nix::unistd::User::from_uid(uid.into()).unwrap();
    let name = user.map_or_else(|| format!("uid:{uid}"), |user| user.name);
    private(home, "rules", &format!("['{name}']\nmay = ['list']\n"));
    for scheme in ["unix", "tls+unix"] {
        let url = over::url(scheme, home);
        let server = serve(home, &url, &["--allow-uid", &uid.to_string()]);
        assert!(file(home, &server, None, &["ls"]).status.success());
        let said = failed(&file(home, &server, None, &["get", "a.txt"]), 1);
        assert!(
            said.contains(&format!("do not let '{name}' do that")),
            "{said}"
        );
    }
}

#[test]
fn rules_that_cannot_be_kept_start_nothing() {
    let home = home();
    let home = home.path();
    let serve = ["file", "serve", "--root", "root", "--rules", "rules"];
    for (text, words) in [
        (
            "[ann]\nmay = ['list']\nfolder = 'nowhere'",
            "[ann]: nowhere: ",
        ),
        ("[ann]\nmay = ['list']\nfolder = '../..'", "[ann]: ../..: "),
        ("[ann]\nmay = ['list']\nfolder = 'a.txt'", "[ann]: a.txt: "),
        ("[ann]\nmay = ['list']\nquota = 1", "[ann]: a quota is for"),
        ("[ann]\nmay = ['lists']", "rules: "),
    ] {
        private(home, "rules", text);
        let output = socketry(home, &serve).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && output.stdout.is_empty(), "{said}");
    }
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(home.join("rules"), open).unwrap();
    let said = failed(&socketry(home, &serve).output().unwrap(), 1);
    assert!(said.contains("others may read"), "{said}");
    fs::remove_file(home.join("rules")).unwrap();
    failed(&socketry(home, &serve).output().unwrap(), 1);
}
