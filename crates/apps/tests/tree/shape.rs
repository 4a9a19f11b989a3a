//! Trees of any shape, and their comparison.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

/// What is in a directory, or in its place.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Dir(u32, BTreeMap<OsString, Shape>),
    /// Its length, its mode.
    File(usize, u32),
    /// Parts of 4 KiB at these places, and its length.
    Sparse(Vec<u64>, u64),
    /// A link to a name in its own directory, which may not be there.
    Link(OsString),
}

const PART: u64 = 4096;

/// Names of any bytes that a file can have.
fn names() -> impl Strategy<Value = OsString> {
    let bytes = prop::sample::select(b"ab.-\\\n *~\xff\x80\xe2\x80\x9bE9\x1b".to_vec());
    let name = prop::collection::vec(bytes, 1..9).prop_map(OsString::from_vec);
    let long = Just(OsString::from_vec(vec![b'\xfe'; 255]));
    let name = prop_oneof![30 => name, 1 => long];
    name.prop_map(|name| match name.as_bytes() {
        b"." | b".." => OsString::from("dots"),
        _ => name,
    })
}

pub(crate) fn shapes() -> impl Strategy<Value = Shape> {
    let len =
        prop_oneof![4 => 0..5000_usize, 2 => 65_530..65_540_usize, 1 => 262_140..600_000_usize];
    let file = (len, 0..0o400_u32).prop_map(|(len, mode)| Shape::File(len, mode | 0o400));
    let sparse = (prop::collection::vec(0..600_u64, 0..5), 300..700_u64);
    let sparse = sparse.prop_map(|(parts, len)| Shape::Sparse(parts, len * PART + 17));
    let link = names().prop_map(Shape::Link);
    let leaf = prop_oneof![6 => file, 1 => sparse, 1 => link];
    let dir = |inner| {
        let inside = prop::collection::btree_map(names(), inner, 0..5);
        (0..0o100_u32, inside).prop_map(|(mode, inside)| Shape::Dir(mode | 0o700, inside))
    };
    let any = leaf.prop_recursive(5, 40, 5, dir);
    dir(any.boxed())
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 251) as u8).collect()
}

impl Shape {
    /// Small files, 100 in a directory.
    pub(crate) fn many(files: usize) -> Shape {
        let file = |at: usize| (format!("f{at}").into(), Shape::File(at % 97 * 50, 0o640));
        let dir = |at| Shape::Dir(0o750, (at * 100..(at + 1) * 100).map(file).collect());
        let dirs = (0..files / 100).map(|at| (format!("d{at}").into(), dir(at)));
        Shape::Dir(0o755, dirs.collect())
    }

    /// How many bytes all files have, without holes.
    pub(crate) fn data(&self) -> u64 {
        match self {
            Shape::Dir(_, inside) => inside.values().map(Shape::data).sum(),
            Shape::File(len, _) => *len as u64,
            Shape::Sparse(..) | Shape::Link(_) => 0,
        }
    }

    pub(crate) fn make(&self, at: &Path) {
        match self {
            Shape::Dir(mode, inside) => {
                fs::create_dir(at).unwrap();
                for (name, shape) in inside {
                    shape.make(&at.join(name));
                }
                touch(&File::open(at).unwrap(), *mode, at);
            }
            Shape::File(len, mode) => {
                fs::write(at, bytes(*len)).unwrap();
                touch(&File::open(at).unwrap(), *mode, at);
            }
            Shape::Sparse(parts, len) => {
                let file = File::create(at).unwrap();
                file.set_len(*len).unwrap();
                for part in parts.iter().filter(|part| (*part + 1) * PART <= *len) {
                    file.write_all_at(&bytes(PART as usize), part * PART)
                        .unwrap();
                }
                touch(&file, 0o644, at);
            }
            Shape::Link(to) => symlink(to, at).unwrap(),
        }
    }
}

/// Gives a mode, and a time of which each nanosecond counts.
fn touch(file: &File, mode: u32, at: &Path) {
    let name = at.as_os_str().as_bytes().iter();
    let nanos = name.fold(7_u64, |sum, byte| {
        (sum * 31 + u64::from(*byte)) % 1_000_000_000
    });
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_500_000_000, nanos as u32);
    file.set_permissions(fs::Permissions::from_mode(mode))
        .unwrap();
    file.set_modified(time).unwrap();
}

/// Asserts that two trees are equal. Modes, and the times of directories, only if they were kept.
pub(crate) fn assert_same(one: &Path, other: &Path, preserved: bool) {
    let found = |path: &Path| fs::symlink_metadata(path).unwrap();
    let (a, b) = (found(one), found(other));
    assert_eq!(a.file_type(), b.file_type(), "{one:?} {other:?}");
    if a.is_symlink() {
        assert_eq!(fs::read_link(one).unwrap(), fs::read_link(other).unwrap());
        return;
    }
    if preserved || a.is_file() {
        let times = |of: &fs::Metadata| (of.mtime(), of.mtime_nsec());
        assert_eq!(times(&a), times(&b), "the times of {one:?} and {other:?}");
    }
    if preserved {
        assert_eq!(a.mode(), b.mode(), "the modes of {one:?} and {other:?}");
    }
    assert_eq!(
        b.mode() & !a.mode() & 0o7777 & !0o700,
        0,
        "{other:?} has more rights"
    );
    if a.is_file() {
        assert!(
            fs::read(one).unwrap() == fs::read(other).unwrap(),
            "{other:?}"
        );
        if a.len() >= 64 << 10 {
            assert!(
                b.blocks() <= a.blocks() + 16,
                "{other:?}: {} of {} blocks",
                b.blocks(),
                a.blocks()
            );
        }
        return;
    }
    let entries = |dir: &Path| {
        let entries = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut entries: Vec<OsString> = entries.collect();
        entries.sort();
        entries
    };
    assert_eq!(entries(one), entries(other), "{one:?} {other:?}");
    for name in entries(one) {
        let name: &OsStr = &name;
        assert_same(&one.join(name), &other.join(name), preserved);
    }
}
