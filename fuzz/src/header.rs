//! The headers and names of the file protocol. Parsed, printed and parsed again they are the same,
//! and no name leads out of the served directory.

use socketry_apps::file::{fuzzing, text_to_name};

/// The longest path that is looked up, in bytes.
const MAX_PATH: usize = 4096;

/// The first byte chooses the meaning of the rest.
pub fn run(input: &[u8]) {
    let Some((what, bytes)) = input.split_first() else {
        return;
    };
    match what % 7 {
        0 => same_again(bytes, |header| fuzzing::request(header, false)),
        1 => same_again(bytes, |header| fuzzing::request(header, true)),
        2 => same_again(bytes, fuzzing::answer),
        3 => {
            same_again(bytes, fuzzing::trailer);
            same_again(bytes, fuzzing::piece);
        }
        4 => same_again(bytes, fuzzing::listing),
        5 => upload(bytes),
        _ => path(bytes),
    }
}

/// A parsed header, printed, parses to the same.
fn same_again(bytes: &[u8], read: impl Fn(&[u8]) -> Result<Vec<u8>, String>) {
    match read(bytes) {
        Ok(once) => {
            let twice = read(&once).expect("what was printed");
            assert_eq!(
                String::from_utf8_lossy(&once),
                String::from_utf8_lossy(&twice)
            );
        }
        Err(words) => assert!(!words.is_empty()),
    }
}

/// The name of an upload is one component. It leads nowhere else and is not reserved by the server.
fn upload(bytes: &[u8]) {
    let Ok(name) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(kept) = fuzzing::last(name) else {
        return;
    };
    assert!(name.ends_with(kept) && !kept.is_empty() && text_to_name(kept).len() <= 255);
    assert!(!kept.contains(['/', '\\', '\0']) && kept != "." && kept != "..");
    assert!(!is_temporary(kept));
}

/// A path stays below the root as text, or is refused. The root's handle judges the `..` in it.
fn path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (place, to) = text.split_once('\n').unwrap_or(("/", text));
    let joined = fuzzing::join(&fuzzing::join("/", place), to);
    assert!(joined.starts_with('/'));
    assert!(
        joined
            .split('/')
            .skip(1)
            .all(|part| part != "." && part != ".." && (!part.is_empty() || joined == "/"))
    );
    assert_eq!(fuzzing::join("/", &joined), joined);
    if let Ok(below) = fuzzing::below_root(text) {
        assert!(
            !below.is_empty() && !below.starts_with('/') && text_to_name(below).len() <= MAX_PATH
        );
        assert!(!below.contains('\0') && !below.split('/').any(is_temporary));
    }
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(".socketry-") && name.ends_with(".part")
}
