//! The names of CPython's codecs.

use socketry_transport::Encoding;

use crate::cpython::python;
use crate::tables::names;

/// Prints each name of each codec of text, and whether it is one.
const OTHERS: &str = r"
import codecs, encodings.aliases
names = encodings.aliases.aliases
for name in sorted(set(names) | set(names.values())):
    try:
        if codecs.lookup(name)._is_text_encoding: print(name)
    except LookupError: pass
";

#[test]
fn each_name_of_a_codec_that_is_ours_is_understood() {
    for (name, codec) in names() {
        let python = Encoding::python(&codec).unwrap();
        assert_eq!(Encoding::python(&name), Ok(python), "{name}");
        for label in [name.clone(), name.replace('_', "-"), name.to_uppercase()] {
            let bare: Encoding = label.parse().unwrap();
            assert_eq!(bare.to_string().parse(), Ok(bare), "{label}");
        }
        let prefixed = format!("python:{name}");
        assert_eq!(prefixed.parse(), Ok(python));
    }
}

#[test]
fn each_other_name_that_cpython_has_is_refused_with_the_nearest_that_is_ours() {
    let others = python(OTHERS, &[]);
    let unknown = others
        .lines()
        .filter_map(|name| Some((name, name.parse::<Encoding>().err()?)));
    let mut refused = 0;
    for (name, error) in unknown {
        let words = error.to_string();
        let nearest = words
            .split_once("the nearest is ")
            .and_then(|(_, rest)| rest.split_once(';'));
        let (nearest, _) = nearest.unwrap_or_else(|| panic!("{name}: {words}"));
        assert!(nearest.parse::<Encoding>().is_ok(), "{words}");
        refused += 1;
    }
    assert!(refused > 50, "{refused}");
}
