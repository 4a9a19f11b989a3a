//! Each promise in `SECURITY.md` names tests, and these exist.

use std::fs;
use std::path::Path;

/// The promises, each with the files that it names, and their tests.
fn promises(document: &str) -> Vec<(String, Vec<Tests>)> {
    let mut behind = document.split("\n## What is promised\n").skip(1);
    let mut sections = behind.next().expect("promises").split("\n## ");
    let promised = sections.next().unwrap_or_default();
    let promises = promised.split("\n* ").skip(1).map(|promise| {
        // A heading may stand between it and the next one.
        let promise = promise.split("\n\n").next().unwrap_or_default();
        let words: Vec<_> = promise.split_whitespace().collect();
        let one_line = words.join(" ");
        let mut parts = one_line.split(" - `").map(str::to_owned);
        let words = parts.next().unwrap_or_default();
        (words, parts.map(|part| tests(&part)).collect())
    });
    promises.collect()
}

/// A file, and the names of tests in it.
type Tests = (String, Vec<String>);

fn tests(part: &str) -> Tests {
    let (file, names) = part.split_once("`: ").expect("a file and its tests");
    let names = names
        .split(", ")
        .map(|name| name.trim_matches('`').to_owned());
    (file.to_owned(), names.collect())
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
    assert!(promises.len() > 40, "only {} promises", promises.len());
    for (promise, groups) in promises {
        assert!(!groups.is_empty(), "no test for: {promise}");
        for (file, names) in groups {
            let source = read(&file);
            for name in names {
                assert!(has(&source, &name), "{file} has no test {name}: {promise}");
            }
        }
    }
}
