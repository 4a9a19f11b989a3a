//! Text from a peer, made safe to show.

use std::fmt;

/// Shows a text that a peer wrote. It stays on one line, and cannot drive the terminal or reorder
/// the text around it.
///
/// Control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls and
/// invisible characters are escaped as `\u{…}` or `\n`, `\t`. All other characters are written as
/// they are.
///
/// ```
/// use socketry_apps::Shown;
/// assert_eq!(Shown("a\nb \u{1b}[2J").to_string(), r"a\nb \u{1b}[2J");
/// assert_eq!(Shown("schön 你好").to_string(), "schön 你好");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plain = 0;
        for (at, character) in self.0.char_indices().filter(|(_, c)| is_unsafe(*c)) {
            f.write_str(&self.0[plain..at])?;
            write_out(f, character)?;
            plain = at + character.len_utf8();
        }
        f.write_str(&self.0[plain..])
    }
}

/// Escapes a character. `escape_debug` takes some invisible characters for printable, and leaves
/// them.
fn write_out(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    if character.is_control() {
        return write!(f, "{}", character.escape_debug());
    }
    write!(f, "{}", character.escape_unicode())
}

/// Whether a character could drive a terminal or mislead a reader: controls, Unicode's
/// `Bidi_Control`, separators, and invisible characters (soft hyphen, fillers, tags, and variation
/// selectors beyond the basic plane).
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_drive_terminals_or_mislead_readers_are_escaped() {
        for (text, shown) in [
            ("\u{1b}]0;x\u{7}", r"\u{1b}]0;x\u{7}"),
            ("a\rb", r"a\rb"),
            ("c1 \u{9b}2J", r"c1 \u{9b}2J"),
            ("exe.\u{202e}txt", r"exe.\u{202e}txt"),
            ("two\u{2028}lines", r"two\u{2028}lines"),
            ("del \u{7f}", r"del \u{7f}"),
        ] {
            assert_eq!(Shown(text).to_string(), shown);
        }
    }

    #[test]
    fn invisible_characters_are_escaped() {
        for invisible in [
            '\u{ad}',
            '\u{115f}',
            '\u{1160}',
            '\u{180e}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{e0000}',
            '\u{e0041}',
            '\u{e0fff}',
        ] {
            let shown = format!("a\\u{{{:x}}}b", u32::from(invisible));
            assert_eq!(Shown(&format!("a{invisible}b")).to_string(), shown);
        }
    }
}
