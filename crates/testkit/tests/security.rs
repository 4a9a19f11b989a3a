//! Each promise in `SECURITY.md` names tests, and these exist.

use std::fs;
use std::path::Path;

/// The promises, each with the cell that names its tests.
fn promises(document: &str) -> Vec<(&str, &str)> {
    let lines = document
        .lines()
        .skip_while(|line| *line != "| promise | tests |");
    let rows = lines.filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter(|row| *row != "promise | tests");
    rows.map(|row| row.split_once(" | ").expect("two cells"))
        .collect()
}

/// Whether `source` has a test of this name.
fn has(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let head = format!("fn {name}(");
    let Some(at) = lines.iter().position(|line| line.contains(&head)) else {
        return false;
    };
    let attributes = lines[..at].iter().rev();
    let mut attributes = attributes.take_while(|line| line.starts_with("#["));
    attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

#[test]
fn each_promise_has_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |file: &str| {
        let found = fs::read_to_string(root.join(file));
        found.unwrap_or_else(|error| panic!("SECURITY.md names {file}: {error}"))
    };
    let document = read("SECURITY.md");
    let promises = promises(&document);
    assert!(promises.len() > 20, "only {} promises", promises.len());
    for (promise, tests) in promises {
        for group in tests.split("; ") {
            let (file, names) = group
                .split_once(": ")
                .unwrap_or_else(|| panic!("no test for: {promise}"));
            let source = read(file.trim_matches('`'));
            for name in names.split(", ") {
                let name = name.trim_matches('`');
                assert!(has(&source, name), "{file} has no test {name}: {promise}");
            }
        }
    }
}
