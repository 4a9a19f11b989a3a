//! Files: a file under its final name is whole, on both sides and always.

use std::fs;
use std::path::{Path, PathBuf};

use socketry_apps::AppError;
use socketry_apps::file::{Client, Server};
use socketry_transport::Endpoint;
use tempfile::TempDir;

use crate::cell::Mood;
use crate::world::World;

/// The size of the file: more than the buffers between two peers, and a multiple of no buffer size.
const SIZE: usize = 150_001;

/// The files of one run.
struct Files {
    _place: TempDir,
    root: PathBuf,
    back: PathBuf,
    source: PathBuf,
    bytes: Vec<u8>,
}

impl Files {
    /// Over `raw`, which has no uploads, the file is at the server already.
    fn new(world: &World) -> Self {
        let place = TempDir::new().unwrap();
        let (root, back) = (place.path().join("root"), place.path().join("back"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&back).unwrap();
        let source = match world.cell.codec {
            "raw" => root.join("data.bin"),
            _ => place.path().join("data.bin"),
        };
        let mut noise = fastrand::Rng::with_seed(world.seed);
        let bytes: Vec<u8> = std::iter::repeat_with(|| noise.u8(..)).take(SIZE).collect();
        fs::write(&source, &bytes).unwrap();
        Files {
            _place: place,
            root,
            back,
            source,
            bytes,
        }
    }

    /// Asserts that a file under its final name, on either side, is whole.
    fn judge(&self, world: &World) {
        for directory in [&self.root, &self.back] {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let found = fs::read(&path).unwrap();
                let cut = world.cell.codec == "raw" && world.cell.scheme != "tcp";
                let right = found == self.bytes
                    || (cut && directory == &self.back && self.bytes.starts_with(&found));
                let words = path.strip_prefix(directory).unwrap().display();
                assert!(right, "{world}: {words} has {} bytes", found.len());
            }
        }
    }

    fn whole(&self, path: &Path) -> bool {
        fs::read(path).is_ok_and(|found| found == self.bytes)
    }
}

pub(crate) async fn check(world: &World) {
    let files = Files::new(world);
    let server = Server::bind(&world.service, &world.at, &files.root).await;
    let server = server.unwrap();
    let at = server.local().clone();
    let serving = world.serve(|stop| server.run(stop));
    // A failed exchange is repeated, over the same connection or a new one.
    for _ in 0..2 {
        if let Err(error) = exchange(world, &files, &at).await {
            world.is_clear(&error);
        }
    }
    world.calm();
    let (again, back) = (
        exchange(world, &files, &at).await,
        files.back.join("data.bin"),
    );
    assert!(
        again.is_ok() && files.whole(&back),
        "{world}: after all that: {again:?}"
    );
    world.stop(serving).await;
    world.nothing_is_left().await;
    files.judge(world);
}

/// Sends the file, lists it, and fetches it.
async fn exchange(world: &World, files: &Files, at: &Endpoint) -> Result<(), AppError> {
    let connecting = Client::connect(&world.service, at);
    let client = world.surely("to connect", connecting).await?;
    // A file that was stored before its answer was lost is stored again.
    let mut client = client.replacing(true);
    let mut failed = None;
    if world.cell.codec != "raw" {
        match world
            .surely("to put", client.put(&files.source, |_, _| ()))
            .await
        {
            Ok(put) if put.confirmed => {
                let there = files.whole(&files.root.join("data.bin"));
                assert!(there && put.bytes == SIZE as u64, "{world}: not put");
            }
            // A simple server answers nothing, and one that fell silent looks the same. The error
            // says that.
            Ok(_) => failed = Some(AppError::failed("the server has not confirmed the file")),
            Err(error) => failed = Some(error),
        }
    }
    match world.surely("to list", client.list("/")).await {
        Ok(all) => {
            let names: Vec<_> = all.iter().map(|entry| entry.name.as_str()).collect();
            let known = names == ["data.bin"] || (names.is_empty() && failed.is_some());
            assert!(known || is_cut(world, &names), "{world}: listed {names:?}");
        }
        Err(error) => {
            world.is_clear(&error);
            failed = Some(error);
        }
    }
    let back = files.back.join("data.bin");
    let got = world
        .surely("to get", client.get("data.bin", &back, |_, _| ()))
        .await;
    let got = got?;
    assert_eq!(got.bytes, fs::metadata(&back).unwrap().len(), "{world}");
    failed.map_or(Ok(()), Err)
}

/// Over `raw`, silence is also the end of a listing.
fn is_cut(world: &World, names: &[&str]) -> bool {
    let starts = |name: &&str| "data.bin".starts_with(*name);
    world.mood != Mood::Harmless && world.cell.codec == "raw" && names.iter().all(starts)
}
