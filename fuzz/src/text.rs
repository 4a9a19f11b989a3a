//! Text in every encoding: decoded in pieces as in one, decoded as encoding_rs does, and encoded as
//! encoding_rs does.

use std::borrow::Cow;

use encoding_rs as rs;
use socketry_transport::{Encoding, TextDecoder, TextEncoder, TextError, TextPolicy};

/// Every accepted encoding, by its name in encoding_rs. The encodings with a mark and those of
/// CPython come after them.
const TABLES: [&rs::Encoding; 39] = [
    rs::UTF_8,
    rs::GBK,
    rs::GB18030,
    rs::BIG5,
    rs::SHIFT_JIS,
    rs::EUC_JP,
    rs::EUC_KR,
    rs::ISO_2022_JP,
    rs::UTF_16LE,
    rs::UTF_16BE,
    rs::IBM866,
    rs::ISO_8859_2,
    rs::ISO_8859_3,
    rs::ISO_8859_4,
    rs::ISO_8859_5,
    rs::ISO_8859_6,
    rs::ISO_8859_7,
    rs::ISO_8859_8,
    rs::ISO_8859_8_I,
    rs::ISO_8859_10,
    rs::ISO_8859_13,
    rs::ISO_8859_14,
    rs::ISO_8859_15,
    rs::ISO_8859_16,
    rs::KOI8_R,
    rs::KOI8_U,
    rs::MACINTOSH,
    rs::WINDOWS_874,
    rs::WINDOWS_1250,
    rs::WINDOWS_1251,
    rs::WINDOWS_1252,
    rs::WINDOWS_1253,
    rs::WINDOWS_1254,
    rs::WINDOWS_1255,
    rs::WINDOWS_1256,
    rs::WINDOWS_1257,
    rs::WINDOWS_1258,
    rs::X_MAC_CYRILLIC,
    rs::X_USER_DEFINED,
];

const OTHERS: [&str; 12] = [
    "utf-16",
    "utf-8-sig",
    "python:latin_1",
    "python:cp1252",
    "python:gbk",
    "python:gb18030",
    "python:big5",
    "python:cp932",
    "python:shift_jis",
    "python:euc_jp",
    "python:euc_kr",
    "python:iso2022_jp",
];

thread_local! {
    static ENCODINGS: Vec<Encoding> = {
        let names = TABLES.iter().map(|table| table.name()).chain(OTHERS);
        names.map(|name| name.parse().expect("a label")).collect()
    };
}

/// Three bytes choose the encoding, the check, and the pieces. The third byte's upper four bits say
/// where the first piece ends, its lower four how long the others are.
pub fn run(input: &[u8]) {
    let [number, check, cuts, bytes @ ..] = input else {
        return;
    };
    let number = usize::from(*number) % (TABLES.len() + OTHERS.len());
    let subject = Subject {
        encoding: ENCODINGS.with(|all| all[number]),
        table: TABLES.get(number).copied(),
        cuts: *cuts,
        bytes,
    };
    match check % 7 {
        0 => subject.strict_in_pieces(),
        1 => subject.replaced_in_pieces(),
        2 => subject.detected_in_pieces(),
        3 => subject.strict_as_theirs(),
        4 => subject.replaced_as_theirs(),
        5 => subject.joined(),
        _ => subject.encoded_as_theirs(),
    }
}

struct Subject<'a> {
    encoding: Encoding,
    /// The table of encoding_rs, which has none for encodings with a mark and for CPython's.
    table: Option<&'static rs::Encoding>,
    cuts: u8,
    bytes: &'a [u8],
}

/// Text, and the errors in it. Each has the number of bytes of text before it, and names the offset
/// of the bad bytes.
type Decoded = (String, Vec<(usize, TextError)>);

impl Subject<'_> {
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let first = usize::from(self.cuts >> 4).min(self.bytes.len());
        let (first, rest) = self.bytes.split_at(first);
        let others = rest.chunks(usize::from(self.cuts & 15) + 1);
        [first].into_iter().chain(others)
    }

    fn strict_in_pieces(&self) {
        let whole = self.decode([self.bytes].into_iter(), TextPolicy::Strict);
        assert_eq!(whole, self.decode(self.pieces(), TextPolicy::Strict));
    }

    fn replaced_in_pieces(&self) {
        let (whole, _) = self.decode([self.bytes].into_iter(), TextPolicy::Replace);
        let (pieces, errors) = self.decode(self.pieces(), TextPolicy::Replace);
        assert_eq!(whole, pieces);
        assert!(errors.is_empty());
    }

    /// Text that was given out as UTF-8 before the detection stays. All later text is GB18030.
    fn detected_in_pieces(&self) {
        let (text, errors) = self.decode(self.pieces(), TextPolicy::Detect);
        assert_eq!(text, self.guessed());
        assert!(errors.is_empty());
    }

    fn guessed(&self) -> String {
        let (mut given, mut arrived) = (0, 0);
        for piece in self.pieces() {
            arrived += piece.len();
            match std::str::from_utf8(&self.bytes[given..arrived]) {
                Ok(_) => given = arrived,
                Err(error) if error.error_len().is_none() => given += error.valid_up_to(),
                Err(_) => break,
            }
        }
        let (sure, rest) = self.bytes.split_at(given);
        let (rest, _) = rs::GB18030.decode_without_bom_handling(rest);
        String::from_utf8_lossy(sure).into_owned() + &rest
    }

    fn strict_as_theirs(&self) {
        let Some(table) = self.table else {
            return;
        };
        let bytes = self.without_empty_escapes();
        let theirs = table.decode_without_bom_handling_and_without_replacement(&bytes);
        let ours = self.encoding.decode(self.bytes, TextPolicy::Strict);
        assert_eq!(ours.ok(), theirs.map(Cow::into_owned));
    }

    fn replaced_as_theirs(&self) {
        let Some(table) = self.table else {
            return;
        };
        let bytes = self.without_empty_escapes();
        let (theirs, _) = table.decode_without_bom_handling(&bytes);
        let ours = self.encoding.decode(self.bytes, TextPolicy::Replace);
        assert_eq!(ours.as_deref(), Ok(&*theirs));
    }

    /// Without the first of two escape sequences in a row in ISO-2022-JP, since that is an error
    /// there.
    fn without_empty_escapes(&self) -> Vec<u8> {
        let escapes = self.table == Some(rs::ISO_2022_JP);
        let mut kept = Vec::new();
        let mut rest = self.bytes;
        while let [first, others @ ..] = rest {
            if escapes && escape(rest) && escape(&rest[3..]) {
                rest = &rest[3..];
            } else {
                kept.push(*first);
                rest = others;
            }
        }
        kept
    }

    /// The encoding is the same as that of encoding_rs, if it has all characters and each decodes
    /// to itself. encoding_rs does not write UTF-16.
    fn encoded_as_theirs(&self) {
        let Ok(text) = std::str::from_utf8(self.bytes) else {
            return;
        };
        let Ok(ours) = self.encoding.encode(text, TextPolicy::Strict) else {
            // CPython's codecs lack the character, or a mark would be lost.
            let Some(table) = self.table else {
                return;
            };
            let (theirs, _, lacking) = table.encode(text);
            let (back, _) = table.decode_without_bom_handling(&theirs);
            assert!(lacking || back != text);
            return;
        };
        let back = self.encoding.decode(&ours, TextPolicy::Strict);
        assert_eq!(back.as_deref(), Ok(text));
        if let Some(table) = self.table.filter(|table| table.output_encoding() == *table) {
            assert_eq!((ours, table, false), table.encode(text));
        }
    }

    /// Texts that were sent into a stream one after another.
    fn joined(&self) {
        let texts = String::from_utf8_lossy(self.bytes).into_owned();
        let mut encoder = TextEncoder::new(self.encoding, TextPolicy::Strict);
        let (mut stream, mut alone, mut sent) = (Vec::new(), Vec::new(), String::new());
        for text in texts.split_inclusive('\n') {
            if let Ok(bytes) = encoder.encode(text) {
                stream.extend_from_slice(&bytes);
                sent.push_str(text);
                let bytes = self.encoding.encode(text, TextPolicy::Strict);
                alone.extend_from_slice(&bytes.expect("encoded it in a stream"));
            }
        }
        stream.extend_from_slice(&encoder.finish());
        if !sent.is_empty() {
            let whole = self.encoding.encode(&sent, TextPolicy::Strict);
            assert_eq!(whole.as_deref(), Ok(&*stream));
        }
        for bytes in [&stream, &alone] {
            let back = self.decode([&**bytes].into_iter(), TextPolicy::Strict);
            assert_eq!(back, (sent.clone(), Vec::new()));
        }
    }

    fn decode<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>, policy: TextPolicy) -> Decoded {
        let mut decoder = TextDecoder::new(self.encoding, policy);
        let mut decoded = Decoded::default();
        for piece in pieces {
            step(&mut decoder, piece, false, &mut decoded);
        }
        step(&mut decoder, &[], true, &mut decoded);
        decoded
    }
}

/// Decodes a piece, and goes on after each error.
fn step(decoder: &mut TextDecoder, mut piece: &[u8], last: bool, (text, errors): &mut Decoded) {
    while let Err(error) = decoder.decode(piece, last, text) {
        errors.push((text.len(), error));
        piece = &[];
    }
}

fn escape(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x1b, b'(', b'B' | b'I' | b'J', ..] | [0x1b, b'$', b'@' | b'B', ..]
    )
}
