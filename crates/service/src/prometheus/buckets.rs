//! A histogram that counts each value in its bucket.

use std::fmt::{self, Write};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use metrics::HistogramFn;

/// The bounds of the buckets, in seconds: from a tenth of a millisecond to a minute.
const BOUNDS: [f64; 12] = [
    0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0,
];

/// How many values were at most each bound, and the sum of all.
#[derive(Default)]
pub(super) struct Buckets {
    counts: [AtomicU64; BOUNDS.len() + 1],
    /// The bits of a float.
    sum: AtomicU64,
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let bucket = BOUNDS.partition_point(|&bound| bound < value);
        self.counts[bucket].fetch_add(1, Relaxed);
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        let _ = self.sum.fetch_update(Relaxed, Relaxed, add);
    }
}

impl Buckets {
    /// The lines of the buckets, the sum and the number.
    pub(super) fn write(&self, text: &mut String, name: &str, labels: &str) -> fmt::Result {
        let bounds = BOUNDS.iter().map(ToString::to_string);
        let comma = if labels.is_empty() { "" } else { "," };
        let mut count = 0;
        for (bound, bucket) in bounds.chain(["+Inf".to_owned()]).zip(&self.counts) {
            count += bucket.load(Relaxed);
            writeln!(
                text,
                "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}"
            )?;
        }
        let braced = match labels {
            "" => String::new(),
            labels => format!("{{{labels}}}"),
        };
        let sum = f64::from_bits(self.sum.load(Relaxed));
        writeln!(text, "{name}_sum{braced} {sum}")?;
        writeln!(text, "{name}_count{braced} {count}")
    }
}
