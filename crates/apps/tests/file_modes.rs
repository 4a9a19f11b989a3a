//! The rights of files: they are transferred both ways, and are never wider than before.

mod file_support;

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};

use file_support::{Program, ended_well, mode, names, set_mode, until, upload};
use serde_json::json;

#[test]
fn a_mode_travels_both_ways() {
    let served = Program::new(&[]);
    for (at, wanted) in [0o600, 0o755, 0o644, 0o400, 0o750].into_iter().enumerate() {
        let name = format!("{at}.txt");
        fs::write(served.to(&name), "text").unwrap();
        set_mode(&served.to(&name), wanted);
        ended_well(&served.put(&served.to(&name)));
        assert_eq!(mode(&served.root(&name)), wanted);
        let back = served.to(&format!("{at}.back"));
        ended_well(&served.get(&name, &back));
        assert_eq!(mode(&back), wanted);
    }
}

#[test]
fn no_peer_gives_more_than_the_umask_does() {
    let served = Program::new(&[]);
    for (announced, given) in [(0o6755, 0o755), (0o1777, 0o755), (0o666, 0o644)] {
        let mut script = served.script();
        let header = json!({"opt": "upload", "filename": "a", "filesize": 3, "mode": announced});
        assert_eq!(
            script.send(&header).write(b"abc").answer()["status"],
            "done"
        );
        assert_eq!(mode(&served.root("a")), given, "{announced:o}");
        fs::remove_file(served.root("a")).unwrap();

        fs::write(served.root("b"), "abc").unwrap();
        set_mode(&served.root("b"), announced);
        ended_well(&served.get("b", &served.to("b")));
        assert_eq!(mode(&served.to("b")), given, "{announced:o}");
        fs::remove_file(served.to("b")).unwrap();
    }
}

#[test]
fn a_file_without_a_mode_is_an_ordinary_one() {
    let served = Program::new(&[]);
    let answer = served.script().send(&upload("a", 3)).write(b"abc").answer();
    assert_eq!(answer["status"], "done");
    assert_eq!(mode(&served.root("a")), 0o644);
}

#[test]
fn a_new_file_never_has_wider_rights_than_the_old_one() {
    let served = Program::new(&[]);
    for (before, announced, after) in [
        (0o600, Some(0o644), 0o600),
        (0o600, Some(0o400), 0o400),
        (0o640, Some(0o755), 0o640),
        (0o600, None, 0o600),
        (0o755, None, 0o755),
    ] {
        let path = served.root("a");
        fs::write(&path, "before").unwrap();
        set_mode(&path, before);
        let header = json!({"opt": "upload", "filename": "a", "filesize": 3, "mode": announced});
        let answer = served.script().send(&header).write(b"abc").answer();
        assert_eq!(answer["status"], "done");
        assert_eq!(mode(&path), after, "{before:o} {announced:?}");
        assert_eq!(fs::read(&path).unwrap(), b"abc");
    }
    fs::write(served.root("b"), "abc").unwrap();
    fs::write(served.to("b"), "before").unwrap();
    set_mode(&served.to("b"), 0o600);
    ended_well(&served.get("b", &served.to("b")));
    assert_eq!(mode(&served.to("b")), 0o600);
}

#[test]
fn a_new_file_gets_the_owner_and_group_of_the_old_one() {
    let served = Program::new(&[]);
    fs::write(served.root("a"), "new").unwrap();
    fs::write(served.to("a"), "old").unwrap();
    set_mode(&served.to("a"), 0o640);
    if chown(served.to("a"), Some(4321), Some(1234)).is_err() {
        println!("only root can try this");
        return;
    }
    ended_well(&served.get("a", &served.to("a")));
    let found = fs::metadata(served.to("a")).unwrap();
    assert_eq!(
        (found.uid(), found.gid(), found.mode() & 0o777),
        (4321, 1234, 0o640)
    );
    assert_eq!(fs::read(served.to("a")).unwrap(), b"new");
}

#[test]
fn a_part_file_is_its_owners_alone() {
    let served = Program::new(&[]);
    let root = served.root("");
    let header = json!({"opt": "upload", "filename": "a", "filesize": 6, "mode": 0o644});
    let mut script = served.script();
    script.send(&header).write(b"abc");
    until("the part file", || !names(&root).is_empty());
    let part = root.join(&names(&root)[0]);
    assert_eq!(mode(&part), 0o600);
    script.write(b"def");
    assert_eq!(script.answer()["status"], "done");
    assert_eq!(mode(&root.join("a")), 0o644);
}

#[test]
fn a_link_is_followed_and_a_second_name_keeps_the_old_bytes() {
    let served = Program::new(&[]);
    fs::write(served.root("new"), "new").unwrap();
    fs::create_dir(served.to("dir")).unwrap();
    let real = served.to("dir/real");
    fs::write(&real, "old").unwrap();
    set_mode(&real, 0o600);
    symlink("dir/real", served.to("link")).unwrap();
    fs::hard_link(&real, served.to("other")).unwrap();

    ended_well(&served.get("new", &served.to("link")));
    assert_eq!(
        fs::read_link(served.to("link")).unwrap().to_str(),
        Some("dir/real")
    );
    assert_eq!(fs::read(&real).unwrap(), b"new");
    assert_eq!(mode(&real), 0o600);
    assert_eq!(fs::read(served.to("other")).unwrap(), b"old");
    assert_eq!(fs::metadata(&real).unwrap().nlink(), 1);

    // A link to a file that does not exist yet is followed, too. A link that leads in circles is no
    // destination.
    symlink(served.to("dir/later"), served.to("dangling")).unwrap();
    ended_well(&served.get("new", &served.to("dangling")));
    assert_eq!(fs::read(served.to("dir/later")).unwrap(), b"new");
    symlink("circle", served.to("circle")).unwrap();
    assert!(!served.get("new", &served.to("circle")).status.success());
    assert_eq!(names(&served.to("dir")), ["later", "real"]);
}
