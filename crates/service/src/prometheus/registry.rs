//! The metrics of a program, and their text.
//!
//! `metrics-exporter-prometheus` keeps every value of a histogram until it is read, without a
//! bound, and brings 25 packages. Here a value is counted in its bucket at once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit,
};

use super::buckets::Buckets;

/// The most series, which are metrics with one set of labels each. A program that makes labels of
/// what its clients say must not take all memory. Further series count nowhere.
const SERIES: usize = 10_000;

/// All metrics, by their names.
#[derive(Default)]
pub(super) struct Registry {
    families: Mutex<Families>,
}

#[derive(Default)]
struct Families {
    by_name: BTreeMap<String, Family>,
    series: usize,
}

/// A metric: its series by their labels, as text.
#[derive(Default)]
struct Family {
    help: Option<SharedString>,
    series: BTreeMap<String, Series>,
}

#[derive(Clone)]
enum Series {
    Counter(Arc<AtomicU64>),
    /// The bits of a float.
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Families> {
        // No code of others runs under the lock.
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, name: &KeyName, help: SharedString) {
        let name = sanitized(name.as_str(), true).into_owned();
        self.lock().by_name.entry(name).or_default().help = Some(help);
    }

    /// The series of this key, made if it is new. `None` if there are too many.
    fn series(&self, key: &Key, new: fn() -> Series) -> Option<Series> {
        let name = sanitized(key.name(), true);
        let labels = labels(key.labels());
        let mut families = self.lock();
        let family = families.by_name.get(&*name);
        if let Some(known) = family.and_then(|family| family.series.get(&labels)) {
            return Some(known.clone());
        }
        if families.series >= SERIES {
            drop(families);
            tracing::warn!(
                metric = key.name(),
                "more than {SERIES} series: it counts nowhere"
            );
            return None;
        }
        families.series += 1;
        let made = new();
        let family = families.by_name.entry(name.into_owned()).or_default();
        family.series.insert(labels, made.clone());
        Some(made)
    }

    /// The text format of Prometheus, version 0.0.4.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, family) in &self.lock().by_name {
            let Some(first) = family.series.values().next() else {
                continue;
            };
            if let Some(help) = &family.help {
                let help = help.replace('\\', "\\\\").replace('\n', "\\n");
                let _ = writeln!(text, "# HELP {name} {help}");
            }
            let _ = writeln!(text, "# TYPE {name} {}", first.kind());
            for (labels, series) in &family.series {
                // A name has one kind: what was registered first.
                if series.kind() == first.kind() {
                    series.write(&mut text, name, labels);
                }
            }
        }
        text
    }
}

impl Series {
    fn kind(&self) -> &'static str {
        match self {
            Series::Counter(_) => "counter",
            Series::Gauge(_) => "gauge",
            Series::Histogram(_) => "histogram",
        }
    }

    fn write(&self, text: &mut String, name: &str, labels: &str) {
        let braced = |labels: &str| match labels {
            "" => String::new(),
            labels => format!("{{{labels}}}"),
        };
        // Writing to a `String` does not fail.
        let _ = match self {
            Series::Counter(count) => {
                writeln!(text, "{name}{} {}", braced(labels), count.load(Relaxed))
            }
            Series::Gauge(bits) => {
                let value = f64::from_bits(bits.load(Relaxed));
                writeln!(text, "{name}{} {value}", braced(labels))
            }
            Series::Histogram(buckets) => buckets.write(text, name, labels),
        };
    }
}

/// `key="value",…`, in the order of the keys.
fn labels<'a>(labels: impl Iterator<Item = &'a Label>) -> String {
    let mut labels: Vec<_> = labels
        .map(|label| {
            let value = label.value().replace('\\', "\\\\");
            let value = value.replace('"', "\\\"").replace('\n', "\\n");
            format!("{}=\"{value}\"", sanitized(label.key(), false))
        })
        .collect();
    labels.sort();
    // Prometheus refuses a label that is there twice.
    labels.dedup_by(|one, other| one.split('=').next() == other.split('=').next());
    labels.join(",")
}

/// A name in the letters that Prometheus allows. Only metrics may have colons.
fn sanitized(name: &str, colons: bool) -> Cow<'_, str> {
    let allowed = |(at, letter): (usize, char)| {
        letter.is_ascii_alphabetic()
            || letter == '_'
            || (letter == ':' && colons)
            || (letter.is_ascii_digit() && at > 0)
    };
    if !name.is_empty() && name.char_indices().all(allowed) {
        return Cow::Borrowed(name);
    }
    let letters = name.char_indices();
    let changed = letters.map(|(at, letter)| match allowed((at, letter)) {
        true => letter,
        false => '_',
    });
    let changed: String = changed.collect();
    Cow::Owned(if changed.is_empty() {
        "_".into()
    } else {
        changed
    })
}

/// Registers in the facade.
pub(super) struct Shared(pub(super) Arc<Registry>);

impl Recorder for Shared {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        self.0.describe(&key, help);
    }
    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        self.0.describe(&key, help);
    }
    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        self.0.describe(&key, help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match self.0.series(key, || Series::Counter(Arc::default())) {
            Some(Series::Counter(count)) => Counter::from_arc(count),
            _ => Counter::noop(),
        }
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match self.0.series(key, || Series::Gauge(Arc::default())) {
            Some(Series::Gauge(bits)) => Gauge::from_arc(bits),
            _ => Gauge::noop(),
        }
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match self.0.series(key, || Series::Histogram(Arc::default())) {
            Some(Series::Histogram(buckets)) => Histogram::from_arc(buckets),
            _ => Histogram::noop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::{counter, describe_counter, gauge, histogram, with_local_recorder};

    fn text(record: impl FnOnce()) -> String {
        let registry = Arc::new(Registry::default());
        with_local_recorder(&Shared(Arc::clone(&registry)), record);
        registry.text()
    }

    #[test]
    fn names_labels_and_help_are_escaped() {
        let text = text(|| {
            describe_counter!("my.count", "one\nline \\");
            counter!("my.count", "a-b" => "x\"y\\z\n", "1st" => "é").increment(3);
        });
        assert_eq!(
            text,
            "# HELP my_count one\\nline \\\\\n# TYPE my_count counter\n\
             my_count{_st=\"é\",a_b=\"x\\\"y\\\\z\\n\"} 3\n"
        );
    }

    #[test]
    fn values_are_those_of_the_handles() {
        let text = text(|| {
            let level = gauge!("level");
            level.set(2.5);
            level.decrement(4.0);
            gauge!("level").increment(0.5);
            // Another kind of the same name is left out.
            counter!("level", "other" => "kind").increment(1);
            histogram!("time").record(0.002);
            histogram!("time").record(1e9);
        });
        assert!(text.contains("# TYPE level gauge\nlevel -1\n#"), "{text}");
        for line in [
            "time_bucket{le=\"0.001\"} 0\n",
            "time_bucket{le=\"0.003\"} 1\n",
            "time_bucket{le=\"60\"} 1\n",
            "time_bucket{le=\"+Inf\"} 2\n",
            "time_sum 1000000000.002\n",
            "time_count 2\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn series_are_bounded() {
        let text = text(|| {
            for name in 0..SERIES + 10 {
                counter!("many", "name" => name.to_string()).increment(1);
            }
        });
        assert_eq!(text.lines().count(), SERIES + 1);
    }
}
