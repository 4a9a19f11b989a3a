//! The counts of an earlier run, in a file in the repository.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::process::Command;

use serde::Deserialize;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/benches/instructions/baseline.toml"
);
/// The command that writes the baseline anew.
pub(crate) const RENEW: &str = "cargo bench -p socketry-testkit --bench instructions -- --renew";
/// By how many percent a count may grow.
pub(crate) const TOLERANCE: f64 = 3.0;

#[derive(Deserialize)]
pub(crate) struct Baseline {
    rustc: String,
    processor: String,
    instructions: BTreeMap<String, f64>,
}

impl Baseline {
    pub(crate) fn read() -> Self {
        let text = std::fs::read_to_string(FILE).unwrap_or_else(|error| panic!("{FILE}: {error}"));
        toml::from_str(&text).unwrap_or_else(|error| panic!("{FILE}: {error}"))
    }

    /// Why these counts cannot be compared with the current ones.
    pub(crate) fn foreign(&self) -> Option<String> {
        let differs = |what: &str, then: &str, now: String| {
            (then != now)
                .then(|| format!("the baseline was made with {what} {then}, and this is {now}"))
        };
        differs("the compiler", &self.rustc, rustc())
            .or_else(|| differs("the processor", &self.processor, processor()))
    }

    pub(crate) fn judge(&self, name: &str, now: f64) -> Verdict {
        let then = self.instructions.get(name).copied();
        Verdict { then, now }
    }
}

/// Writes the file anew.
pub(crate) fn write(counts: impl Iterator<Item = (String, f64)>) {
    let mut text = format!("# Instructions for each frame. Made by `{RENEW}`.\n");
    writeln!(
        text,
        "rustc = {:?}\nprocessor = {:?}\n",
        rustc(),
        processor()
    )
    .unwrap();
    writeln!(text, "[instructions]").unwrap();
    for (name, count) in counts {
        println!("{name:<32} {count:>8.1}");
        writeln!(text, "{name:?} = {count:.2}").unwrap();
    }
    std::fs::write(FILE, text).unwrap_or_else(|error| panic!("{FILE}: {error}"));
}

fn rustc() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("rustc");
    assert!(version.status.success(), "rustc does not say its version");
    let version = String::from_utf8(version.stdout).unwrap();
    version.trim().to_owned()
}

/// The features by which `memcpy` and `memchr` choose their form.
fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    let vectors = if is_x86_feature_detected!("avx2") {
        " with AVX2"
    } else {
        ""
    };
    #[cfg(not(target_arch = "x86_64"))]
    let vectors = "";
    format!("{}{vectors}", std::env::consts::ARCH)
}

/// A count, and the earlier one.
pub(crate) struct Verdict {
    then: Option<f64>,
    now: f64,
}

impl Verdict {
    pub(crate) fn is_bad(&self) -> bool {
        self.growth().is_none_or(|percent| percent > TOLERANCE)
    }

    /// In percent.
    fn growth(&self) -> Option<f64> {
        self.then.map(|then| (self.now / then - 1.0) * 100.0)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.then, self.growth()) {
            (Some(then), Some(percent)) => write!(f, "was {then:.1}: {percent:+.1} %"),
            _ => f.write_str("new"),
        }
    }
}
