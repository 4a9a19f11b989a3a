//! Sizes, times and file modes as people write them: `64KiB`, `1m30s`, `0600`.
//!
//! A printed value parses to the same value again. The modules [`bytes`], [`duration`],
//! [`duration_or_off`] and [`mode`] are for `#[serde(with = "…")]` on an `Option` field; they read
//! text and numbers and write text.
//!
//! ```
//! use std::time::Duration;
//! use socketry_transport::units::{format_bytes, format_duration, parse_bytes, parse_duration};
//!
//! assert_eq!(parse_bytes("64KiB")?, 65_536);
//! assert_eq!(format_bytes(65_536), "64KiB");
//! assert_eq!(parse_duration("1h30m")?, Duration::from_secs(5_400));
//! assert_eq!(format_duration(Duration::from_millis(250)), "250ms");
//! # Ok::<(), socketry_transport::units::UnitError>(())
//! ```

use std::fmt::{self, Write};
use std::time::Duration;

/// Bytes in a unit; the `i` makes it a power of 1024.
const BYTE_UNITS: &[(&str, u128)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
    ("", 1),
];

/// Nanoseconds in a unit.
const TIME_UNITS: &[(&str, u128)] = &[
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

const SECOND: u128 = 1_000_000_000;

/// A text that is not a valid value. It prints the text, and an example of a valid one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    text: String,
    wanted: &'static str,
}

impl UnitError {
    /// `text` is not `wanted`, a phrase such as "a size; write 64KiB, say".
    pub(crate) fn new(text: impl fmt::Display, wanted: &'static str) -> Self {
        UnitError {
            text: text.to_string(),
            wanted,
        }
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not {}", self.text.escape_debug(), self.wanted)
    }
}

impl std::error::Error for UnitError {}

/// Reads a number of bytes: `4096`, `64KiB`, `1.5MiB`, `1MB`.
///
/// `KiB`, `MiB` and `GiB` are powers of 1024; `kB` (or `KB`), `MB` and `GB` powers of 1000; no
/// unit, or `B`, is bytes.
///
/// # Errors
/// If it is something else, not a whole number of bytes, or more than this machine can address.
pub fn parse_bytes(text: &str) -> Result<usize, UnitError> {
    let size = || {
        let (number, unit) = Number::take(text.trim())?;
        let (_, factor) = BYTE_UNITS.iter().find(|(name, _)| *name == unit.trim())?;
        usize::try_from(number.times(*factor)?).ok()
    };
    size().ok_or_else(|| UnitError::new(text, "a size; write 4096, 64KiB or 1MB, say"))
}

/// Prints a number of bytes so that [`parse_bytes`] reads the same: in the largest power of 1024
/// that divides it.
pub fn format_bytes(bytes: usize) -> String {
    let fits = |(name, factor): &&(&str, u128)| {
        name.ends_with("iB") && bytes != 0 && (bytes as u128).is_multiple_of(*factor)
    };
    match BYTE_UNITS.iter().find(fits) {
        Some((name, factor)) => format!("{}{name}", bytes as u128 / factor),
        None => bytes.to_string(),
    }
}

/// Reads a time: `250ms`, `5s`, `1.5s`, `1h30m`, or a plain number of seconds.
///
/// The units are `h`, `m`, `s`, `ms`, `us` (or `µs`) and `ns`.
///
/// # Errors
/// If it is something else, finer than a nanosecond, or longer than a [`Duration`] can be (585
/// thousand million years).
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    nanoseconds(text.trim())
        .and_then(from_nanoseconds)
        .ok_or_else(|| UnitError::new(text, "a time; write 250ms, 5s or 1h30m, say"))
}

fn nanoseconds(text: &str) -> Option<u128> {
    let (number, mut rest) = Number::take(text)?;
    if rest.is_empty() {
        return number.times(SECOND);
    }
    let mut total = 0u128;
    let mut number = number;
    loop {
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (unit, next) = rest.split_at(end);
        let (_, factor) = TIME_UNITS.iter().find(|(name, _)| *name == unit.trim())?;
        total = total.checked_add(number.times(*factor)?)?;
        if next.is_empty() {
            return Some(total);
        }
        (number, rest) = Number::take(next)?;
    }
}

fn from_nanoseconds(nanoseconds: u128) -> Option<Duration> {
    let seconds = u64::try_from(nanoseconds / SECOND).ok()?;
    let rest = u32::try_from(nanoseconds % SECOND).ok()?;
    Some(Duration::new(seconds, rest))
}

/// Prints a time so that [`parse_duration`] reads the same: `1h30m`, `250ms`, `0s`.
pub fn format_duration(duration: Duration) -> String {
    let mut text = String::new();
    let mut rest = duration.as_nanos();
    for (name, factor) in TIME_UNITS.iter().filter(|(name, _)| name.is_ascii()) {
        if rest >= *factor {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}{name}", rest / factor);
            rest %= factor;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// As [`parse_duration`], and `off` for zero.
pub(crate) fn parse_duration_or_off(text: &str) -> Result<Duration, UnitError> {
    match text.trim() {
        "off" => Ok(Duration::ZERO),
        _ => parse_duration(text)
            .map_err(|_| UnitError::new(text, "a time; write 250ms, 5s or off, say")),
    }
}

#[cfg(feature = "serde")]
fn format_duration_or_off(duration: Duration) -> String {
    match duration {
        Duration::ZERO => "off".to_owned(),
        _ => format_duration(duration),
    }
}

/// Reads a file mode in octal, as `chmod` does: `0600`, `600`, `0o600`; at most `7777`.
///
/// # Errors
/// If it is something else.
pub fn parse_mode(text: &str) -> Result<u32, UnitError> {
    let trimmed = text.trim();
    let digits = trimmed.strip_prefix("0o").unwrap_or(trimmed);
    let octal = !digits.is_empty() && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = u32::from_str_radix(digits, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777);
    mode.filter(|_| octal)
        .ok_or_else(|| UnitError::new(text, "a file mode; write 0600 in octal digits, say"))
}

/// Prints a file mode so that [`parse_mode`] reads the same: four octal digits.
pub fn format_mode(mode: u32) -> String {
    format!("{mode:04o}")
}

/// `digits / 10^places`: a decimal number without a float's rounding.
struct Number {
    digits: u128,
    places: u32,
}

impl Number {
    /// The number at the beginning of `text`, and the rest.
    fn take(text: &str) -> Option<(Self, &str)> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (number, ""),
        };
        let digits = whole.to_owned() + fraction;
        let number = Number {
            digits: digits.parse().ok().filter(|_| !whole.is_empty())?,
            places: u32::try_from(fraction.len()).ok()?,
        };
        Some((number, rest))
    }

    /// The product, if it is whole and not absurdly large.
    fn times(&self, factor: u128) -> Option<u128> {
        let product = self.digits.checked_mul(factor)?;
        let divisor = 10u128.checked_pow(self.places)?;
        product.is_multiple_of(divisor).then(|| product / divisor)
    }
}

/// A serde module, and the visitor that it needs: text by `$parse`, numbers by `$numbers`.
#[cfg(feature = "serde")]
macro_rules! serde_with {
    (
        $(#[$doc:meta])* $name:ident: $type:ty, $parse:ident, $format:ident, $wanted:literal,
        { $($numbers:tt)* }
    ) => {
        $(#[$doc])*
        pub mod $name {
            use std::fmt;

            use super::*;
            use serde::de::{self, Deserialize, Deserializer, Visitor};
            use serde::ser::Serializer;

            struct Value($type);

            impl<'de> Deserialize<'de> for Value {
                fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    from.deserialize_any(ValueVisitor)
                }
            }

            struct ValueVisitor;

            impl Visitor<'_> for ValueVisitor {
                type Value = Value;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str($wanted)
                }
                fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                    $parse(text).map(Value).map_err(E::custom)
                }
                $($numbers)*
            }

            /// Reads the value, or `None` from a format's null.
            ///
            /// # Errors
            /// The format's own, and those of the parse function.
            pub fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<Option<$type>, D::Error> {
                Option::<Value>::deserialize(from).map(|value| value.map(|value| value.0))
            }

            /// Writes the value as text.
            ///
            /// # Errors
            /// The format's own.
            pub fn serialize<S: Serializer>(
                value: &Option<$type>,
                to: S,
            ) -> Result<S::Ok, S::Error> {
                match value {
                    Some(value) => to.serialize_some(&$format(*value)),
                    None => to.serialize_none(),
                }
            }
        }
    };
}

#[cfg(feature = "serde")]
serde_with! {
    /// Serde for an `Option<usize>` that counts bytes: text for [`parse_bytes`], or a whole number.
    bytes: usize, parse_bytes, format_bytes, "a size such as \"64KiB\" or 65536", {
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
            let size = usize::try_from(number).map(Value);
            size.map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
            let size = usize::try_from(number).map(Value);
            size.map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
        }
    }
}

/// Numbers as times in seconds.
#[cfg(feature = "serde")]
macro_rules! seconds {
    () => {
        fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Value, E> {
            Ok(Value(Duration::from_secs(seconds)))
        }
        fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Value, E> {
            let time = u64::try_from(seconds).map(Duration::from_secs).map(Value);
            time.map_err(|_| E::invalid_value(de::Unexpected::Signed(seconds), &self))
        }
        fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Value, E> {
            let time = Duration::try_from_secs_f64(seconds).map(Value);
            time.map_err(|_| E::invalid_value(de::Unexpected::Float(seconds), &self))
        }
    };
}

#[cfg(feature = "serde")]
serde_with! {
    /// Serde for an `Option<Duration>`: text for [`parse_duration`], or a number of seconds.
    duration: Duration, parse_duration, format_duration, "a time such as \"250ms\", \"5s\" or 5", {
        seconds! {}
    }
}

#[cfg(feature = "serde")]
serde_with! {
    /// Serde for an `Option<Duration>` of which zero means "not at all": as
    /// [`duration`](mod@duration), and the text `off` for zero.
    duration_or_off: Duration, parse_duration_or_off, format_duration_or_off,
        "a time such as \"250ms\" or 5, or \"off\"", {
        seconds! {}
    }
}

#[cfg(feature = "serde")]
serde_with! {
    /// Serde for an `Option<u32>` that is a file mode: text for [`parse_mode`], or a TOML integer
    /// such as `0o600`.
    ///
    /// An integer above `0o777` is refused: it is more likely a decimal `644` than an octal
    /// `0o1204`. Write such a mode as text.
    mode: u32, parse_mode, format_mode, "a file mode such as \"0600\", or 0o600 in TOML", {
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
            let mode = u32::try_from(number).ok().filter(|mode| *mode <= 0o777);
            mode.map(Value)
                .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
        }
    }
}
