//! Times of files in headers and listings: seconds since 1970, as a decimal number that is exact to
//! the nanosecond.
//!
//! A script reads and writes them as any number with a fraction. A binary floating-point number
//! cannot hold nanoseconds: the last one of a second would arrive as the next second.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::Value;
use serde_json::value::RawValue;

/// The times that are transferred, in seconds: those of the years 1 to 9999.
const RANGE: Range<i64> = -62_135_596_800..253_402_300_800;
const NANOS: i128 = 1_000_000_000;

/// A header with the exact time of its file, which a [`Value`] cannot hold.
#[derive(Serialize)]
pub(super) struct Dated {
    #[serde(flatten)]
    pub(super) header: Value,
    #[serde(with = "self", skip_serializing_if = "Option::is_none")]
    pub(super) mtime: Option<SystemTime>,
}

/// Nanoseconds since 1970.
fn nanos(time: SystemTime) -> i128 {
    let span = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => span(after),
        Err(before) => -span(before.duration()),
    }
}

/// Whether this time is transferred with its file.
pub(super) fn travels(time: &SystemTime) -> bool {
    let seconds = nanos(*time).div_euclid(NANOS);
    i64::try_from(seconds).is_ok_and(|seconds| RANGE.contains(&seconds))
}

/// The time as a JSON number.
fn to_number(time: SystemTime) -> String {
    let nanos = nanos(time);
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let (seconds, fraction) = (nanos / NANOS as u128, nanos % NANOS as u128);
    let fraction = format!("{fraction:09}");
    // At least one digit of the fraction stays, so that every reader takes it for a number with a
    // fraction.
    let rest = fraction[1..].trim_end_matches('0');
    format!("{sign}{seconds}.{}{rest}", &fraction[..1])
}

/// The time that a JSON number stands for, if it is one that is transferred. Digits beyond
/// nanoseconds are cut off.
pub(super) fn from_number(number: &str) -> Option<SystemTime> {
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number),
    };
    let span = match digits.contains(['e', 'E']) {
        true => Duration::try_from_secs_f64(digits.parse().ok()?).ok()?,
        false => {
            let (seconds, fraction) = digits.split_once('.').unwrap_or((digits, ""));
            let fraction: String = fraction
                .chars()
                .chain("000000000".chars())
                .take(9)
                .collect();
            Duration::new(seconds.parse().ok()?, fraction.parse().ok()?)
        }
    };
    let time = match negative {
        true => SystemTime::UNIX_EPOCH.checked_sub(span)?,
        false => SystemTime::UNIX_EPOCH.checked_add(span)?,
    };
    travels(&time).then_some(time)
}

#[expect(clippy::ref_option, reason = "as serde calls it")]
pub(super) fn serialize<S: Serializer>(
    time: &Option<SystemTime>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let number = time.filter(travels).map(to_number);
    let number = number.map(RawValue::from_string).transpose();
    number.map_err(ser::Error::custom)?.serialize(to)
}

/// A number that stands for no such time counts as absent.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<SystemTime>, D::Error> {
    let Some(number) = Option::<Box<RawValue>>::deserialize(from)? else {
        return Ok(None);
    };
    match number
        .get()
        .starts_with(|first: char| first == '-' || first.is_ascii_digit())
    {
        true => Ok(from_number(number.get())),
        false => Err(de::Error::custom("mtime has to be a number of seconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanos: u32) -> SystemTime {
        let span = Duration::from_secs(seconds.unsigned_abs());
        let whole = match seconds < 0 {
            true => SystemTime::UNIX_EPOCH - span,
            false => SystemTime::UNIX_EPOCH + span,
        };
        whole + Duration::from_nanos(nanos.into())
    }

    #[test]
    fn times_are_exact_numbers() {
        for (time, number) in [
            (at(0, 0), "0.0"),
            (at(1_700_000_000, 0), "1700000000.0"),
            (at(1_700_000_000, 999_999_999), "1700000000.999999999"),
            (at(1_700_000_000, 1), "1700000000.000000001"),
            (at(1_700_000_000, 500_000_000), "1700000000.5"),
            (at(-1, 999_999_999), "-0.000000001"),
            (at(-2, 500_000_000), "-1.5"),
            (at(253_402_300_799, 999_999_999), "253402300799.999999999"),
            (at(-62_135_596_800, 0), "-62135596800.0"),
        ] {
            assert_eq!(to_number(time), number);
            assert_eq!(from_number(number), Some(time), "{number}");
        }
    }

    #[test]
    fn any_number_is_a_time_or_none() {
        for (number, time) in [
            ("1", Some(at(1, 0))),
            ("1.0000000009", Some(at(1, 0))),
            ("1.5e3", Some(at(1500, 0))),
            ("15E-1", Some(at(1, 500_000_000))),
            ("-0", Some(at(0, 0))),
            ("253402300800", None),
            ("-62135596800.1", None),
            ("1e300", None),
            ("99999999999999999999999999", None),
        ] {
            assert_eq!(from_number(number), time, "{number}");
        }
    }
}
