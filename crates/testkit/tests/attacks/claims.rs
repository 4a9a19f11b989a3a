//! A peer claims a terabyte, and sends ten bytes.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use socketry_apps::file;
use socketry_apps::matrix::App;
use socketry_codec::Framed;
use socketry_testkit::{Places, in_time};

use crate::victims::{STREAMS, connect, free, serves, service};

fn names(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Waits until the root holds `count` files.
async fn until(root: &Path, count: usize) {
    let wait = async {
        while names(root).len() != count {
            tokio::task::yield_now().await;
        }
    };
    in_time("the server's files", wait).await;
}

/// dufs and miniserve left half a file under its final name. Others reserve the claimed size, and
/// fill the disk with nothing.
#[tokio::test]
async fn a_terabyte_claimed_and_ten_bytes_sent() {
    let places = Places::new();
    for scheme in STREAMS {
        for codec in ["json", "json:>Q", "json:bare"] {
            let directory = tempfile::tempdir().unwrap();
            let root = directory.path();
            let service = service(codec);
            let server = file::Server::bind(&service, &free(&places, scheme), root)
                .await
                .unwrap();
            let at = server.local().clone();
            let running = tokio::spawn(server.run(std::future::pending()));

            let codec = service.codec.build().unwrap();
            let mut attacker = Framed::new(connect(&at).await.unwrap(), codec);
            let header = br#"{"opt":"upload","filename":"final","filesize":1099511627776}"#;
            attacker.send(header).await.unwrap();
            attacker
                .body_writer(1 << 40)
                .unwrap()
                .write_all(b"ten bytes!")
                .await
                .unwrap();
            until(root, 1).await;
            let part = root.join(&names(root)[0]);
            assert_ne!(part, root.join("final"));
            let held = fs::metadata(&part).unwrap();
            assert!(
                held.len() <= 10 && held.blocks() * 512 <= 64 << 10,
                "{held:?}"
            );
            serves(App::File, &service, &at).await;
            // An upload gets its name only once it is whole.
            let mut client = file::Client::connect(&service, &at).await.unwrap();
            assert!(client.stat("final").await.is_err());

            drop(attacker);
            until(root, 0).await;
            serves(App::File, &service, &at).await;
            running.abort();
        }
    }
}
