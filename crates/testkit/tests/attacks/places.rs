//! A valuable file is at the path where a socket is to be bound.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;

use socketry_testkit::in_time;
use socketry_transport::{Endpoint, ErrorKind, listen};

const SCHEMES: [&str; 2] = ["unix", "unix-dgram"];

fn endpoint(scheme: &str, path: &Path) -> Endpoint {
    format!("{scheme}://{}", path.display()).parse().unwrap()
}

/// The identity and state of the file at a path, as far as a change would show in them.
fn identity(path: &Path) -> (u64, u64, u32, u64) {
    let found = fs::symlink_metadata(path).unwrap();
    (found.dev(), found.ino(), found.mode(), found.len())
}

/// Asserts that a failed bind, and dropping it, leaves the file alone.
async fn is_left_alone(path: &Path) {
    let before = identity(path);
    for scheme in SCHEMES {
        for reclaim in [true, false] {
            let at = endpoint(scheme, path).with("reclaim", reclaim);
            let error = listen(&at).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InUse, "{error}");
            assert!(
                error.to_string().contains(path.to_str().unwrap()),
                "{error}"
            );
            assert_eq!(identity(path), before, "{at}");
        }
    }
}

/// msg-rs deletes the file at the path that it is to bind.
#[tokio::test]
async fn nothing_but_a_stale_socket_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);

    fs::write(at("file"), "precious").unwrap();
    is_left_alone(&at("file")).await;
    assert_eq!(fs::read_to_string(at("file")).unwrap(), "precious");

    fs::create_dir(at("directory")).unwrap();
    is_left_alone(&at("directory")).await;

    symlink(at("file"), at("link-to-a-file")).unwrap();
    is_left_alone(&at("link-to-a-file")).await;
    assert_eq!(fs::read_link(at("link-to-a-file")).unwrap(), at("file"));

    symlink(at("nothing"), at("link-to-nothing")).unwrap();
    is_left_alone(&at("link-to-nothing")).await;
    assert!(!at("nothing").exists());

    assert!(
        Command::new("mkfifo")
            .arg(at("pipe"))
            .status()
            .unwrap()
            .success()
    );
    is_left_alone(&at("pipe")).await;
    assert!(fs::metadata(at("pipe")).unwrap().file_type().is_fifo());
}

/// A socket that another process serves is not taken away, and neither is one that a link leads to.
#[tokio::test]
async fn a_socket_in_use_is_not_taken_away() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let _stream = UnixListener::bind(at("stream")).unwrap();
    let _datagrams = UnixDatagram::bind(at("datagrams")).unwrap();
    is_left_alone(&at("stream")).await;
    is_left_alone(&at("datagrams")).await;

    drop(UnixListener::bind(at("stale")).unwrap());
    symlink(at("stale"), at("link-to-a-stale-socket")).unwrap();
    is_left_alone(&at("link-to-a-stale-socket")).await;
    assert!(fs::metadata(at("stale")).unwrap().file_type().is_socket());
}

/// A socket that a killed server has left does not prevent binding.
#[tokio::test]
async fn a_stale_socket_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    for scheme in SCHEMES {
        for left in 0..2 {
            let path = directory.path().join(format!("{scheme}{left}"));
            match left {
                0 => drop(UnixListener::bind(&path).unwrap()),
                _ => drop(UnixDatagram::bind(&path).unwrap()),
            }
            let listener = listen(endpoint(scheme, &path)).await.unwrap();
            assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
            drop(listener);
            // The task that distributes datagrams ends a moment later.
            let gone = async {
                while path.exists() {
                    tokio::task::yield_now().await;
                }
            };
            in_time("the file is removed", gone).await;
        }
    }
}
