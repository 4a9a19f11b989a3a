//! Each dependency that a `Cargo.toml` names has its reason in `docs/dependencies.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

/// Each kind of dependency: its table in a `Cargo.toml`, and the heading of its reasons.
const KINDS: [(&str, &str); 3] = [
    (
        "dependencies",
        "### Of libraries, programs and fuzz targets",
    ),
    ("dev-dependencies", "### Of tests and benches"),
    ("build-dependencies", "### Of build scripts"),
];

/// A package and the crate that names it.
type Pairs = BTreeSet<(String, String)>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every crate with its `Cargo.toml`, fuzz included.
fn crates() -> Vec<(String, Table)> {
    let parsed = |path: &Path| -> Table { read(path).parse().expect("it is TOML") };
    let workspace = parsed(&root().join("Cargo.toml"));
    let members = workspace["workspace"]["members"]
        .as_array()
        .expect("a list");
    let folders = members
        .iter()
        .map(|member| member.as_str().expect("a path"));
    let crates = folders.chain(["fuzz"]).map(|folder| {
        let name = Path::new(folder).file_name().expect("a folder's name");
        let manifest = parsed(&root().join(folder).join("Cargo.toml"));
        (name.to_string_lossy().into_owned(), manifest)
    });
    crates.collect()
}

/// The packages that `manifest` names in its table `kind`, for any system.
fn named(manifest: &Table, kind: &str) -> Vec<String> {
    let targets = manifest
        .get("target")
        .and_then(|targets| targets.as_table());
    let targets = targets.into_iter().flatten();
    let tables = targets.filter_map(|(_, target)| target.get(kind));
    let tables = tables.chain(manifest.get(kind));
    let packages = tables.flat_map(|table| table.as_table().expect("a table").keys());
    packages.cloned().collect()
}

/// Each package of table `kind` with each crate that names it there, but for our own packages.
fn dependencies(kind: &str) -> Pairs {
    let mut pairs = Pairs::new();
    for (name, manifest) in crates() {
        for package in named(&manifest, kind) {
            if package != "socketry" && !package.starts_with("socketry-") {
                pairs.insert((package, name.clone()));
            }
        }
    }
    pairs
}

/// Each package and crate of the table below `heading`, every one with a reason.
fn reasons(heading: &str) -> Pairs {
    let document = read(&root().join("docs/dependencies.md"));
    let mut pairs = Pairs::new();
    let lines = document.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('#'));
    for line in lines.filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [package, crates, reason] = cells[..] else {
            panic!("a line of three cells: {line}");
        };
        assert!(!reason.is_empty(), "no reason: {line}");
        for name in crates.split(", ") {
            // A feature may follow the crate's name.
            let name = name.split(' ').next().unwrap_or_default().to_owned();
            let new = pairs.insert((package.trim_matches('`').to_owned(), name));
            assert!(new, "a second reason: {line}");
        }
    }
    pairs
}

#[test]
fn each_dependency_has_a_reason_and_each_reason_a_dependency() {
    for (kind, heading) in KINDS {
        let (dependencies, reasons) = (dependencies(kind), reasons(heading));
        let unexplained: Vec<_> = dependencies.difference(&reasons).collect();
        let unneeded: Vec<_> = reasons.difference(&dependencies).collect();
        assert!(
            unexplained.is_empty() && unneeded.is_empty(),
            "docs/dependencies.md, `{heading}`: no reason for {unexplained:?}; \
             no dependency for {unneeded:?}"
        );
    }
}

#[test]
fn both_sides_are_found() {
    for (kind, heading) in &KINDS[..2] {
        assert!(dependencies(kind).len() > 20, "{kind}");
        assert!(reasons(heading).len() > 20, "{heading}");
    }
}
