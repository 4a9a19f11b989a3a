//! The words of a line, and how a name is typed as one.

use crate::AppError;

/// The words of a whole line, with the quotes of a shell.
pub(super) fn split(line: &str) -> Result<Vec<String>, AppError> {
    shlex::split(line).ok_or_else(|| AppError::failed("a quote is not closed"))
}

/// What stands before the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// The whole words.
    pub(super) words: Vec<String>,
    /// Where the word begins that ends at the cursor.
    pub(super) start: usize,
    /// That word without its quotes.
    pub(super) word: String,
}

impl Before {
    /// `line` ends at the cursor.
    pub(super) fn of(line: &str) -> Self {
        let mut before = Before::default();
        let (mut quote, mut is_in_word) = (None, false);
        let mut chars = line.char_indices();
        while let Some((at, c)) = chars.next() {
            if quote.is_none() && c.is_whitespace() {
                if is_in_word {
                    before.words.push(std::mem::take(&mut before.word));
                }
                is_in_word = false;
                continue;
            }
            if !is_in_word {
                (before.start, is_in_word) = (at, true);
            }
            match (quote, c) {
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (None | Some('"'), '\\') => before.word.extend(chars.next().map(|(_, c)| c)),
                _ => before.word.push(c),
            }
        }
        if !is_in_word {
            before.start = line.len();
        }
        before
    }
}

/// A text as a word of a line.
pub(super) fn quoted(text: &str) -> String {
    let mut word = String::new();
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '\'' | '"' | '\\' | '#') {
            word.push('\\');
        }
        word.push(c);
    }
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_word_at_the_cursor_is_found() {
        for (line, words, start, word) in [
            ("", vec![], 0, ""),
            ("ge", vec![], 0, "ge"),
            ("get ", vec!["get"], 4, ""),
            ("get a b", vec!["get", "a"], 6, "b"),
            ("  get my\\ fi", vec!["get"], 6, "my fi"),
            ("get 'my fi", vec!["get"], 4, "my fi"),
            ("get \"a \\\" b", vec!["get"], 4, "a \" b"),
            ("get 'a\\", vec!["get"], 4, "a\\"),
            ("get a\\", vec!["get"], 4, "a"),
            ("put '' é/ü", vec!["put", ""], 7, "é/ü"),
        ] {
            let words = words.into_iter().map(str::to_owned).collect();
            let word = word.to_owned();
            assert_eq!(Before::of(line), Before { words, start, word }, "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_quoted_word_is_read_as_it_was(text in "[a-c '\"\\\\#\t{}é-]{1,12}") {
            let word = quoted(&text);
            prop_assert_eq!(split(&word).unwrap(), vec![text.clone()]);
            let before = Before::of(&word);
            prop_assert_eq!((before.start, before.word), (0, text));
        }
    }
}
