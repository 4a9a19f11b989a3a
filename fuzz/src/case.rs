//! The beginning of an input for a codec: three bytes say which one, under which limits, and one
//! more choice.

use socketry_codec::{BoxCodec, CodecSpec};

/// Every form of every codec.
pub const FORMS: [&str; 22] = [
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
];

/// The longest frame, and the longest one that is passed over.
pub const LIMITS: [(usize, u64); 6] = [
    (0, 0),
    (2, 5),
    (9, 17),
    (64, 64),
    (8 << 20, 16 << 20),
    (usize::MAX, u64::MAX),
];

/// Set in the second byte: a line that the end leaves unfinished is a frame, and bare JSON is at
/// most two levels deep.
const UNUSUAL: u8 = 0x80;

thread_local! {
    /// Built once: names and limits are not what is tested here.
    static CODECS: Vec<BoxCodec> = all();
}

/// An input, taken apart.
pub struct Case<'a> {
    pub form: &'static str,
    pub max_frame: usize,
    pub codec: BoxCodec,
    /// What the third byte says, to each target something else.
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

    /// Whether a frame is whatever arrived at once.
    pub fn is_raw(&self) -> bool {
        self.form == "raw"
    }

    /// The longest frame that may come out: a JSON object has at least two bytes, whatever the
    /// limit.
    pub fn longest(&self) -> usize {
        match self.is_raw() {
            true => usize::MAX,
            false => self.max_frame.max(2),
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
    let mut spec = CodecSpec::new(form);
    if form != "raw" {
        (spec.max_frame, spec.max_discard) = (Some(max_frame), Some(max_discard));
    }
    if unusual {
        spec.keep_last = form.starts_with("line").then_some(true);
        spec.max_depth = (form == "json:bare").then_some(2);
    }
    spec.build().expect("limits that apply")
}
