//! Trees of small files over loopback TCP: our client and server against rsync and its daemon. Each
//! run takes all files into a new directory, which is removed after it.
//!
//! Our sides are two threads of this process, each with a runtime of its own, and rsync's client is
//! a process that has to start first: some milliseconds. Ours check each file with BLAKE3 and, where
//! they do not say "unsynced", report it only when it is on disk; rsync waits for no disk.

use std::cell::LazyCell;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use socketry_apps::Service;
use socketry_apps::file::{Choice, Client, LocalTree, Report, Server};
use tempfile::TempDir;

use crate::contest::{Contest, Unit, Work};
use crate::stream::block_on;

const FILES: usize = 10_000;
const LEN: usize = 4096;
/// How many files are in one directory.
const TOGETHER: usize = 100;

/// Made when a side runs for the first time.
type Later = Rc<LazyCell<Files, Box<dyn FnOnce() -> Files>>>;

pub(crate) fn contests() -> Vec<Contest> {
    let places = [("tmpfs", "/dev/shm"), ("disk", "/var/tmp")];
    let places = places
        .into_iter()
        .filter(|(_, place)| Path::new(place).is_dir());
    let contests = places.map(|(label, place)| contest(label, place));
    contests.collect()
}

fn contest(label: &str, place: &'static str) -> Contest {
    let files: Later = Rc::new(LazyCell::new(Box::new(move || Files::new(place.as_ref()))));
    let side = |run: fn(&Files, &str)| {
        let files = Rc::clone(&files);
        move || files.work(run)
    };
    let contest = Contest::new("file", format!("10,000 × 4 KiB, {label}"), Unit::Files)
        .side("put", side(|files, to| files.put(to, true)))
        .side("get", side(|files, to| files.get(to, true)))
        .side("put, unsynced", side(|files, to| files.put(to, false)))
        .side("get, unsynced", side(|files, to| files.get(to, false)));
    if !has_rsync() {
        return contest;
    }
    contest
        .side(
            "rsync put",
            side(|files, to| files.rsync("from", &format!("{}/{to}", files.url))),
        )
        .side(
            "rsync get",
            side(|files, to| files.rsync(&format!("{}/from", files.url), to)),
        )
        .target("put", "rsync put", 1.5)
        .target("get", "rsync get", 1.5)
        .target("put, unsynced", "rsync put", 1.5)
        .target("get, unsynced", "rsync get", 1.5)
}

fn has_rsync() -> bool {
    let mut version = Command::new("rsync");
    let version = version.arg("--version").stdout(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// A directory with the files in `from`, and servers of all of it.
struct Files {
    place: TempDir,
    daemon: Option<Child>,
    /// Of the daemon.
    url: String,
}

impl Files {
    fn new(at: &Path) -> Self {
        let place = TempDir::new_in(at).unwrap();
        for number in 0..FILES {
            let dir = place.path().join(format!("from/{}", number / TOGETHER));
            fs::create_dir_all(&dir).unwrap();
            let bytes: Vec<u8> = (0..LEN).map(|at| (at * 31 + number) as u8).collect();
            fs::write(dir.join(number.to_string()), bytes).unwrap();
        }
        // Files that were changed right before would be read twice.
        rustix::fs::sync();
        thread::sleep(Duration::from_millis(100));
        let (daemon, url) = match has_rsync() {
            true => daemon(place.path()),
            false => (None, String::new()),
        };
        Files { place, daemon, url }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn work(&self, run: fn(&Files, &str)) -> Work {
        let begun = Instant::now();
        run(self, "to");
        let elapsed = begun.elapsed();
        let last = format!("{}/{}", (FILES - 1) / TOGETHER, FILES - 1);
        assert_eq!(
            fs::metadata(self.path("to").join(last)).unwrap().len(),
            LEN as u64
        );
        fs::remove_dir_all(self.path("to")).unwrap();
        Work {
            amount: FILES as f64,
            elapsed,
        }
    }

    fn put(&self, to: &str, sync: bool) {
        self.transfer(sync, async |client: &mut Client| {
            let choice = Choice::default();
            let tree = LocalTree::find_as(&self.path("from"), to, &choice)
                .await
                .unwrap();
            client.put_tree(tree, "/", |_, _| ()).await.unwrap()
        });
    }

    fn get(&self, to: &str, sync: bool) {
        self.transfer(sync, async |client: &mut Client| {
            let tree = client.tree("from", &Choice::default()).await.unwrap();
            client
                .get_tree(tree, &self.path(to), |_, _| ())
                .await
                .unwrap()
        });
    }

    /// Runs a client here, and a server of ours in another thread.
    fn transfer(&self, sync: bool, run: impl AsyncFnOnce(&mut Client) -> Report) {
        let (found, place) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let root = self.place.path().to_owned();
        let server = thread::spawn(move || {
            block_on(async {
                let at = "tcp://127.0.0.1:0".parse().unwrap();
                let server = Server::bind(&Service::default(), &at, &root).await.unwrap();
                let server = server.syncing(sync);
                found.send(server.local().clone()).unwrap();
                server.run(async { drop(stopped.await) }).await.unwrap();
            });
        });
        let at = place.recv().unwrap();
        let report = block_on(async {
            let client = Client::connect(&Service::default(), &at).await.unwrap();
            run(&mut client.syncing(sync)).await
        });
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        stop.send(()).unwrap();
        server.join().unwrap();
    }

    fn rsync(&self, from: &str, to: &str) {
        let mut rsync = Command::new("rsync");
        rsync.args(["-rt", &format!("{from}/"), &format!("{to}/")]);
        let ran = rsync.current_dir(self.place.path()).status().unwrap();
        assert!(ran.success());
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// An rsync daemon of `place`, and the URL of its module.
fn daemon(place: &Path) -> (Option<Child>, String) {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let config = place.join("rsyncd.conf");
    let root = place.display();
    let text = format!(
        "use chroot = no\nlog file = /dev/null\npid file = {root}/pid\n\
         [all]\npath = {root}\nread only = no\nuid = {}\ngid = {}\n",
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw()
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("rsync");
    command.args(["--daemon", "--no-detach", "--address=127.0.0.1"]);
    command
        .arg(format!("--port={port}"))
        .arg(format!("--config={}", config.display()));
    let daemon = command.stdin(Stdio::null()).spawn().unwrap();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        thread::sleep(Duration::from_millis(5));
    }
    (Some(daemon), format!("rsync://127.0.0.1:{port}/all"))
}
