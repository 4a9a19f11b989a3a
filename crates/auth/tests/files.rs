//! Files of tokens: made, read, refused.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use socketry_auth::{Token, Tokens};
use socketry_transport::ErrorKind;
use tempfile::TempDir;

const HEX: &str = "000102030405060708090a0b0c0d0e0f";

fn written(directory: &TempDir, text: &str, mode: u32) -> PathBuf {
    let path = directory.path().join("tokens");
    std::fs::write(&path, text).unwrap();
    has_mode(&path, mode);
    path
}

#[cfg(unix)]
fn has_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn has_mode(_path: &Path, _mode: u32) {}

fn names(tokens: &Tokens) -> Vec<&str> {
    let mut names: Vec<_> = tokens.names().collect();
    names.sort_unstable();
    names
}

#[test]
fn a_file_has_a_token_in_each_line() {
    let directory = TempDir::new().unwrap();
    let text = format!(
        "# those of the house\n\nann = {HEX}\n ben=AAECAwQFBgcICQoLDA0ODw==\r\nc@d.e_f-1 = \
         AAECAwQFBgcICQoLDA0ODw\n"
    );
    for mode in [0o600, 0o400] {
        let path = written(&directory, &text, mode);
        let tokens = Tokens::from_file(&path).unwrap();
        assert_eq!(names(&tokens), ["ann", "ben", "c@d.e_f-1"]);
        std::fs::remove_file(path).unwrap();
    }
}

/// A secret is never in an error, also where it stands in a wrong place.
#[test]
fn a_file_that_is_wrong_is_refused_by_its_line_and_without_its_secrets() {
    let directory = TempDir::new().unwrap();
    let secret = "5ec4e7".repeat(8);
    for (text, words) in [
        (String::new(), "there is no token"),
        ("# nothing\n".to_owned(), "there is no token"),
        (secret.clone(), "line 1: a line is NAME = SECRET"),
        (format!("ann {secret}"), "a line is NAME = SECRET"),
        (
            format!("\n{secret}{secret} = ann"),
            "line 2: the name is not",
        ),
        (format!("a:b = {secret}"), "the name is not"),
        (format!("Anonymous = {secret}"), "the name is not"),
        (
            "ann = 5ec4e75ec4e75ec4e75ec4e75ec4e7".to_owned(),
            "has 15 bytes",
        ),
        ("ann = ".to_owned(), "has 0 bytes"),
        (format!("ann = {secret}!"), "neither hexadecimal nor base64"),
        (
            format!("ann = {secret}\nann = {secret}\n"),
            "line 2: the name 'ann' is there twice",
        ),
        (
            format!("ann = {secret}\nAnn = {secret}\n"),
            "line 2: 'ann' and 'Ann' differ only in case",
        ),
        (format!("ann = {}", secret.repeat(100)), "at most 1024"),
        (format!("#{}", "x".repeat(1 << 20)), "longer than 1 MiB"),
    ] {
        let path = written(&directory, &text, 0o600);
        let error = Tokens::from_file(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        let line = error.to_string();
        assert!(line.contains(words), "{line}");
        assert!(line.contains(&path.display().to_string()), "{line}");
        assert!(!line.contains("5ec4e7"), "{line}");
    }
}

#[test]
fn an_editors_mark_before_the_first_line_is_passed_over() {
    let directory = TempDir::new().unwrap();
    let text = format!("\u{feff}ann = {HEX}\r\n");
    let path = written(&directory, &text, 0o600);
    assert_eq!(Token::from_file(&path).unwrap().name(), "ann");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_at_once() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let error = Tokens::from_file(&path).unwrap_err();
    assert!(error.to_string().contains("it is no file"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_of_another_user_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = written(&directory, &format!("ann = {HEX}\n"), 0o600);
    // Only root gives files away.
    if std::os::unix::fs::chown(&path, Some(7), None).is_err() {
        return;
    }
    for error in [
        Tokens::from_file(&path).unwrap_err(),
        socketry_auth::unchanged_text(&path).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(
            error.to_string().contains("another user (uid 7)"),
            "{error}"
        );
    }
}

#[test]
fn a_client_has_one_token() {
    let directory = TempDir::new().unwrap();
    let path = written(&directory, &format!("ann = {HEX}\n"), 0o600);
    assert_eq!(Token::from_file(&path).unwrap().name(), "ann");
    let two = format!("ann = {HEX}\nben = {HEX}\n");
    let error = Token::from_file(written(&directory, &two, 0o600)).unwrap_err();
    assert!(
        error.to_string().contains("there are several tokens"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_read_is_refused() {
    let directory = TempDir::new().unwrap();
    for mode in [0o604, 0o640, 0o620, 0o602, 0o644, 0o601] {
        let path = written(&directory, &format!("ann = {HEX}\n"), mode);
        let error = Tokens::from_file(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{mode:o}");
        let line = error.to_string();
        assert!(
            line.contains("others may read") && line.contains("chmod go="),
            "{line}"
        );
        assert!(Tokens::kept_in(&path, "ann").is_err());
        assert!(Token::from_file(&path).is_err());
    }
    let error = Tokens::from_file(directory.path()).unwrap_err();
    assert!(error.to_string().contains("it is no file"), "{error}");
    let error = Tokens::from_file(directory.path().join("nothing")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_file_is_made_at_the_first_start_and_found_at_the_next() {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("a/b");
    let path = place.join("tokens");
    let (tokens, made) = Tokens::kept_in(&path, "ann").unwrap();
    assert!(made);
    assert_eq!(names(&tokens), ["ann"]);
    let text = std::fs::read_to_string(&path).unwrap();
    let (tokens, made) = Tokens::kept_in(&path, "ben").unwrap();
    assert!(!made);
    assert_eq!(names(&tokens), ["ann"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let secret = text.trim().strip_prefix("ann = ").unwrap();
    assert_eq!(secret.len(), 64);
    assert_eq!(Token::from_file(&path).unwrap().name(), "ann");
    // Nothing else stays.
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(path), 0o600);
        assert_eq!(mode(place), 0o700);
    }
    let another = directory.path().join("other");
    Tokens::kept_in(&another, "ann").unwrap();
    assert_ne!(std::fs::read_to_string(another).unwrap(), text);
}

#[test]
fn many_that_start_at_once_have_one_token() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("tokens");
    let start = |_| {
        let path = path.clone();
        std::thread::spawn(move || Tokens::kept_in(path, "ann").unwrap().1)
    };
    let threads: Vec<_> = (0..8).map(start).collect();
    let made = threads.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(made.filter(|made| *made).count(), 1);
    assert_eq!(Token::from_file(&path).unwrap().name(), "ann");
}

/// A link that leads nowhere is not followed: it may be another user's.
#[cfg(unix)]
#[test]
fn no_file_is_made_where_a_link_leads() {
    let directory = TempDir::new().unwrap();
    let (link, elsewhere) = (directory.path().join("link"), directory.path().join("x"));
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    assert!(Tokens::kept_in(&link, "ann").is_err());
    assert!(!elsewhere.exists());
}
