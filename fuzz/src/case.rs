//! The beginning of an input for a codec: three bytes choose the codec, its limits, and one more
//! setting.

use socketry_codec::{BoxCodec, CodecRegistry, CodecSpec};

/// Every form of every codec.
pub const FORMS: [&str; 47] = [
    "raw",
    "line",
    "line:crlf",
    r"line:\0",
    "line:;",
    "struct",
    "struct:b",
    "struct:B",
    "struct:>h",
    "struct:<H",
    "struct:=i",
    "struct:!I",
    "struct:l",
    "struct:=L",
    "struct:<q",
    "struct:>Q",
    "json",
    "json:B",
    "json:>H",
    "json:<I",
    "json:>q",
    "json:bare",
    "struct:<u24",
    "struct:varint4",
    "struct:vlq-strict=itself",
    "struct:digits,0x3a,data,0x2c",
    "struct:0x0300,>H=frame",
    "struct:1x,varint",
    "struct:3x,>I,data,0xce",
    "struct:>Q=frame,2x",
    "content-length",
    "line:0x0d0a2e0d0a",
    "line:0x616162",
    "ndjson",
    "fixed:3",
    "syslog",
    "json-seq",
    "multiprocessing",
    "slip",
    "cobs",
    "slip+crc16:ibm-sdlc",
    "cobs+crc32:>iso-hdlc",
    "struct:B+crc16:modbus",
    "struct:>H+zstd",
    "struct:>H+lz4",
    "struct:>H+deflate",
    "cobs+zlib",
];

/// The longest frame, and the longest frame that is passed over.
pub const LIMITS: [(usize, u64); 6] = [
    (0, 0),
    (2, 5),
    (9, 17),
    (64, 64),
    (8 << 20, 16 << 20),
    (usize::MAX, u64::MAX),
];

/// This bit in the second byte makes the end of the stream end a line, and limits bare JSON to two
/// levels.
const UNUSUAL: u8 = 0x80;

thread_local! {
    /// Built once, since names and limits are not tested here.
    static CODECS: Vec<BoxCodec> = all();
}

/// An input in its parts.
pub struct Case<'a> {
    pub form: &'static str,
    pub max_frame: usize,
    pub codec: BoxCodec,
    /// The third byte, which has another meaning for each target.
    pub choice: u8,
    pub bytes: &'a [u8],
}

impl<'a> Case<'a> {
    /// `None` if there are not even these three bytes.
    pub fn read(input: &'a [u8]) -> Option<Self> {
        let [form, limits, choice, bytes @ ..] = input else {
            return None;
        };
        Some(Case {
            form: FORMS[usize::from(*form) % FORMS.len()],
            max_frame: LIMITS[limit(*limits)].0,
            codec: codec(*form, *limits),
            choice: *choice,
            bytes,
        })
    }

    /// Whether a frame is the bytes that arrived together.
    pub fn is_raw(&self) -> bool {
        self.form == "raw"
    }

    /// The longest frame that may come out. A JSON object has at least two bytes, whatever the
    /// limit is.
    pub fn longest(&self) -> usize {
        match self.form {
            "raw" | "fixed:3" => usize::MAX,
            _ => self.max_frame.max(2),
        }
    }
}

/// The codec that two bytes choose.
pub fn codec(form: u8, limits: u8) -> BoxCodec {
    let form = usize::from(form) % FORMS.len();
    let unusual = usize::from(limits & UNUSUAL != 0);
    let number = (form * LIMITS.len() + limit(limits)) * 2 + unusual;
    CODECS.with(|all| all[number].clone())
}

fn limit(limits: u8) -> usize {
    usize::from(limits & !UNUSUAL) % LIMITS.len()
}

fn all() -> Vec<BoxCodec> {
    let mut all = Vec::new();
    for form in FORMS {
        for limits in LIMITS {
            all.extend([false, true].map(|unusual| build(form, limits, unusual)));
        }
    }
    all
}

fn build(form: &str, (max_frame, max_discard): (usize, u64), unusual: bool) -> BoxCodec {
    let named = CodecRegistry::catalogue().named(form).expect("a form");
    let takes = |limit| named.limits().contains(&limit);
    let mut spec = CodecSpec::new(form);
    spec.max_frame = takes("max_frame").then_some(max_frame);
    spec.max_discard = takes("max_discard").then_some(max_discard);
    if unusual {
        spec.keep_last = form.starts_with("line").then_some(true);
        spec.max_depth = (form == "json:bare").then_some(2);
    }
    spec.build().expect("limits that apply")
}
