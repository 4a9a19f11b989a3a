//! What the CPython of this machine decodes and encodes, all of it.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// For each codec: `d`, a sequence of bytes and the characters that it means; `e`, a character and
/// its bytes, where these mean the same character again; `f`, where they mean another.
const DUMP: &str = r"
import sys
every = [chr(c) for c in range(0x110000) if not 0xd800 <= c < 0xe000 and c != 10]
lines = '\n'.join(every)
out = []
for argument in sys.argv[1:]:
    codec, units = argument.split(':')
    print('codec', codec)
    def single(lead):
        if units in ('one', 'iso2022'): return True
        if units == 'sjis': return lead in (0x80, 0xa0) or 0xa1 <= lead <= 0xdf or lead > 0xfc
        return lead in (0x80, 0xff)
    def sequences():
        if units == 'iso2022':
            yield from (bytes([a, b]) for a in range(0xa1, 0xff) for b in range(0xa1, 0xff))
            return
        yield from (bytes([a]) for a in range(256))
        for a in range(0x80, 256):
            if single(a): continue
            for b in range(256):
                if units == 'eucjp' and a == 0x8f:
                    yield from (bytes([a, b, c]) for c in range(256))
                elif units == 'euckr' and (a, b) == (0xa4, 0xd4):
                    jamo = range(0xa1, 0xd5)
                    for c in jamo:
                        yield from (bytes([a, b, a, c, a, d, a, e]) for d in jamo for e in jamo)
                elif units == 'gb18030' and 0x30 <= b <= 0x39:
                    if a == 0xff: continue
                    for c in range(0x81, 0xff):
                        yield from (bytes([a, b, c, d]) for d in range(0x30, 0x3a))
                else:
                    yield bytes([a, b])
    escaped = lambda seq: b'\x1b$B' + bytes(x & 0x7f for x in seq) if units == 'iso2022' else seq
    out = []
    for seq in sequences():
        try: text = escaped(seq).decode(codec)
        except UnicodeDecodeError: continue
        out.append('d %s %x' % (seq.hex(), ord(text)))
    for c, encoded in zip(every, lines.encode(codec, 'replace').split(b'\n')):
        if encoded == b'?' != c.encode(): continue
        back = 'e' if encoded.decode(codec, 'replace') == c else 'f'
        if units == 'iso2022':
            if not encoded.startswith(b'\x1b$B'): continue
            encoded = bytes(x | 0x80 for x in encoded[3:5])
        out.append('%s %x %s' % (back, ord(c), encoded.hex()))
    print('\n'.join(out))
";

/// CPython's codecs, how the bytes of a character are told apart, and the standard's encoding that
/// is most like each.
pub(crate) const CODECS: [(&str, &str, &str); 43] = [
    ("ascii", "one", "windows-1252"),
    ("big5", "two", "big5"),
    ("cp866", "one", "ibm866"),
    ("cp874", "one", "windows-874"),
    ("cp932", "sjis", "shift_jis"),
    ("cp949", "two", "euc-kr"),
    ("cp950", "two", "big5"),
    ("cp1250", "one", "windows-1250"),
    ("cp1251", "one", "windows-1251"),
    ("cp1252", "one", "windows-1252"),
    ("cp1253", "one", "windows-1253"),
    ("cp1254", "one", "windows-1254"),
    ("cp1255", "one", "windows-1255"),
    ("cp1256", "one", "windows-1256"),
    ("cp1257", "one", "windows-1257"),
    ("cp1258", "one", "windows-1258"),
    ("euc_jp", "eucjp", "euc-jp"),
    ("euc_kr", "euckr", "euc-kr"),
    ("gb18030", "gb18030", "gb18030"),
    ("gb2312", "two", "gbk"),
    ("gbk", "two", "gbk"),
    ("iso2022_jp", "iso2022", "iso-2022-jp"),
    ("iso8859_2", "one", "iso-8859-2"),
    ("iso8859_3", "one", "iso-8859-3"),
    ("iso8859_4", "one", "iso-8859-4"),
    ("iso8859_5", "one", "iso-8859-5"),
    ("iso8859_6", "one", "iso-8859-6"),
    ("iso8859_7", "one", "iso-8859-7"),
    ("iso8859_8", "one", "iso-8859-8"),
    ("iso8859_9", "one", "windows-1254"),
    ("iso8859_10", "one", "iso-8859-10"),
    ("iso8859_11", "one", "windows-874"),
    ("iso8859_13", "one", "iso-8859-13"),
    ("iso8859_14", "one", "iso-8859-14"),
    ("iso8859_15", "one", "iso-8859-15"),
    ("iso8859_16", "one", "iso-8859-16"),
    ("koi8_r", "one", "koi8-r"),
    ("koi8_u", "one", "koi8-u"),
    ("latin_1", "one", "windows-1252"),
    ("mac_cyrillic", "one", "x-mac-cyrillic"),
    ("mac_roman", "one", "macintosh"),
    ("shift_jis", "sjis", "shift_jis"),
    ("tis_620", "one", "windows-874"),
];

/// Those that are ours without a table.
pub(crate) const PLAIN: [(&str, &str); 6] = [
    ("big5hkscs", "big5-hkscs"),
    ("utf_8", "utf-8"),
    ("utf_8_sig", "utf-8-sig"),
    ("utf_16", "utf-16"),
    ("utf_16_le", "utf-16le"),
    ("utf_16_be", "utf-16be"),
];

/// One of CPython's codecs, completely.
#[derive(Default)]
pub(crate) struct Codec {
    pub(crate) name: String,
    pub(crate) units: &'static str,
    pub(crate) like: &'static str,
    pub(crate) decode: HashMap<u64, char>,
    /// Those that come back.
    pub(crate) encode: HashMap<char, u64>,
    /// Those that come back as others.
    pub(crate) folded: HashMap<char, u64>,
}

impl Codec {
    /// How the bytes of one character travel.
    pub(crate) fn on_the_wire(&self, sequence: u64) -> Vec<u8> {
        let sequence = bytes(sequence);
        if self.units == "iso2022" {
            let low = sequence.iter().map(|byte| byte & 0x7f).collect::<Vec<_>>();
            [b"\x1b$B", &*low].concat()
        } else {
            sequence
        }
    }

    /// Characters to try, but for a line feed. Of those above the first plane, which no single byte
    /// means, some.
    pub(crate) fn characters(&self) -> impl Iterator<Item = char> + Clone {
        let step = if self.units == "one" { 997 } else { 1 };
        let above = ('\u{10000}'..=char::MAX).step_by(step);
        ('\0'..='\u{ffff}').chain(above).filter(|c| *c != '\n')
    }

    /// All sequences that may be a character, in order.
    pub(crate) fn sequences(&self) -> Vec<u64> {
        let high = || 0xa1..=0xfe_u64;
        if self.units == "iso2022" {
            return high()
                .flat_map(|a| high().map(move |b| a << 8 | b))
                .collect();
        }
        let mut all: Vec<u64> = (0..=0xff).collect();
        for a in 0x80..=0xff_u64 {
            let single = match self.units {
                "one" => true,
                "sjis" => matches!(a, 0x80 | 0xa0..=0xdf | 0xfd..),
                _ => matches!(a, 0x80 | 0xff),
            };
            for pair in (0..=0xff).filter(|_| !single).map(|b| a << 8 | b) {
                match (self.units, pair) {
                    ("eucjp", 0x8f00..=0x8fff) => all.extend((0..=0xff).map(|c| pair << 8 | c)),
                    ("euckr", 0xa4d4) => {
                        let more =
                            |before: u64| (0xa4a1..=0xa4d4).map(move |jamo| before << 16 | jamo);
                        all.extend(more(pair).flat_map(more).flat_map(more));
                    }
                    ("gb18030", _) if (0x30..=0x39).contains(&(pair & 0xff)) => {
                        let third = (0x81..=0xfe).map(|c| pair << 8 | c);
                        all.extend(
                            third.flat_map(|three| (0x30..=0x39).map(move |d| three << 8 | d)),
                        );
                    }
                    _ => all.push(pair),
                }
            }
        }
        all.sort_unstable();
        all
    }
}

/// The bytes of a sequence that is written as one number.
pub(crate) fn bytes(sequence: u64) -> Vec<u8> {
    let bytes = sequence.to_be_bytes();
    let begin = (sequence.leading_zeros() / 8).min(7);
    bytes[begin as usize..].to_vec()
}

/// What this machine's CPython answers to a script.
pub(crate) fn python(script: &str, arguments: &[String]) -> String {
    let output = Command::new("python3")
        .args(["-c", script])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .expect("python3");
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) static ALL: LazyLock<Vec<Codec>> = LazyLock::new(|| {
    let arguments = CODECS.map(|(name, units, _)| format!("{name}:{units}"));
    let dump = python(DUMP, &arguments);
    let mut all: Vec<Codec> = Vec::new();
    for line in dump.lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap();
        match word() {
            "codec" => {
                let (name, units, like) = CODECS[all.len()];
                assert_eq!(word(), name);
                all.push(Codec {
                    name: name.to_owned(),
                    units,
                    like,
                    ..Codec::default()
                });
            }
            "d" => {
                let (sequence, meaning) = (number(word()), character(word()));
                all.last_mut().unwrap().decode.insert(sequence, meaning);
            }
            kind => {
                let (sent, codec) = (character(word()), all.last_mut().unwrap());
                let map = if kind == "e" {
                    &mut codec.encode
                } else {
                    &mut codec.folded
                };
                map.insert(sent, number(word()));
            }
        }
    }
    println!(
        "{}",
        python("import sys; print('CPython', sys.version)", &[])
    );
    all
});

fn character(hex: &str) -> char {
    char::from_u32(u32::try_from(number(hex)).unwrap()).unwrap()
}

fn number(hex: &str) -> u64 {
    u64::from_str_radix(hex, 16).unwrap()
}
