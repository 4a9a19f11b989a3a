//! A file server in memory, and clients that send anything. No file outside of its directory is
//! read or changed, and no temporary file stays. Afterwards a client connects, lists and fetches.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use socketry_apps::Service;
use socketry_apps::file::{Client, Server};
use tempfile::TempDir;

use super::stage::{Serving, Stage, in_virtual_time, place, within_long};

const CODECS: [&str; 4] = ["json", "json:bare", "raw", "json:B"];

/// A served file in a directory. No input contains the directory's name by chance, so none changes
/// the file.
const KEPT: (&str, &str) = ("kept by the server", "file.txt");

pub fn run(input: &[u8]) {
    let Some(stage) = Stage::read(&CODECS, input) else {
        return;
    };
    let tree = Tree::new();
    let root = tree.root();
    in_virtual_time(async {
        let server = Server::bind(&stage.service, &place(), &root).await;
        let server = server.expect("a server");
        let serving = Serving::start(|told| server.run(async { drop(told.await) }));
        let read = stage.play(&place()).await;
        tree.is_unread(input, &read);
        within_long("a well-behaved client", exchange(&stage.service, &tree)).await;
        serving.stop().await;
    });
    tree.is_unchanged();
}

async fn exchange(service: &Service, tree: &Tree) {
    let client = Client::connect(service, &place()).await;
    let mut client = client.expect("the server listens");
    let listed = client.list(KEPT.0).await.expect("a listing");
    assert!(listed.iter().any(|entry| entry.name == KEPT.1));
    let (name, dest) = (format!("{}/{}", KEPT.0, KEPT.1), tree.path("fetched"));
    let fetched = client.get(&name, &dest, |_, _| ()).await;
    fetched.expect("a file");
    assert_eq!(fs::read(&dest).expect("it was fetched"), KEPT.1.as_bytes());
}

/// A directory to serve, and beside it a secret file to which links lead.
struct Tree {
    base: TempDir,
    secret: String,
}

impl Tree {
    fn new() -> Self {
        let tree = Tree {
            base: TempDir::new().expect("a temporary directory"),
            secret: format!("{:016x}", RandomState::new().hash_one(1)),
        };
        tree.fill().expect("a tree");
        tree
    }

    fn fill(&self) -> std::io::Result<()> {
        let (root, secret) = (self.root(), self.path("secret"));
        fs::create_dir_all(root.join(KEPT.0))?;
        fs::write(root.join(KEPT.0).join(KEPT.1), KEPT.1)?;
        fs::create_dir(root.join("d"))?;
        fs::write(root.join("d/b"), "below")?;
        fs::write(root.join("a"), "served")?;
        fs::write(&secret, &self.secret)?;
        symlink("../secret", root.join("l"))?;
        symlink(&secret, root.join("m"))?;
        symlink("..", root.join("u"))?;
        symlink("/", root.join("r"))?;
        symlink("a", root.join("i"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.base.path().join(name)
    }

    fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// Asserts that the clients read nothing of the secret, unless they sent it themselves.
    fn is_unread(&self, input: &[u8], read: &[u8]) {
        let has = |bytes: &[u8]| {
            let mut windows = bytes.windows(self.secret.len());
            windows.any(|window| window == self.secret.as_bytes())
        };
        assert!(!has(read) || has(input), "a file outside was read");
    }

    fn is_unchanged(&self) {
        let secret = fs::read_to_string(self.path("secret")).expect("it is still there");
        assert_eq!(secret, self.secret);
        assert_eq!(
            names(self.base.path()),
            ["fetched", "root", "secret"],
            "something was made outside"
        );
        for directory in [self.root(), self.root().join("d"), self.root().join(KEPT.0)] {
            let mut names = names(&directory).into_iter();
            assert!(!names.any(|name| name.starts_with(".socketry-") && name.ends_with(".part")));
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
