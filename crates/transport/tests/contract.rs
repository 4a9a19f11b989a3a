//! The contract imports nothing of the operating system: it can be read and compiled without a
//! kernel.

use std::fs;
use std::path::{Path, PathBuf};

/// Crates and modules that are the operating system, or reach for it.
const KERNEL: &[&str] = &[
    "socket2",
    "libc",
    "rustix",
    "quinn_udp",
    "tokio::net",
    "tokio::io::unix",
    "std::os::fd",
    "std::os::unix::fs",
    "std::os::unix::net",
    "std::fs",
    "crate::kernel",
];

/// The most lines of a file, and the most files of a folder.
const MOST_LINES: usize = 400;
const MOST_FILES: usize = 12;

fn source(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(folder)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).expect("the sources are here");
    read.map(|entry| entry.expect("it can be read").path())
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The lines of code, without comments.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("it is text");
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with("//"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_contract_imports_no_kernel() {
    let files = files(&source("contract"));
    assert!(files.len() > 10, "the contract has moved: {files:?}");
    for path in files {
        for line in code(&path) {
            let found = KERNEL.iter().find(|name| line.contains(**name));
            assert_eq!(found, None, "{}: {line}", path.display());
        }
    }
}

#[test]
fn no_file_and_no_folder_is_too_large() {
    let mut folders = vec![source("")];
    while let Some(folder) = folders.pop() {
        let (inner, files): (Vec<_>, Vec<_>) =
            entries(&folder).into_iter().partition(|path| path.is_dir());
        assert!(
            files.len() <= MOST_FILES,
            "{} has {} files",
            folder.display(),
            files.len()
        );
        folders.extend(inner);
        for file in files {
            let lines = fs::read_to_string(&file)
                .expect("it is text")
                .lines()
                .count();
            let excused = EXCUSED.iter().any(|name| file.ends_with(name));
            assert!(
                lines <= MOST_LINES || excused,
                "{} has {lines} lines",
                file.display()
            );
        }
    }
}

/// Generated from CPython, not written.
const EXCUSED: &[&str] = &["text/python/tables.rs"];
