//! The long form of a listing: kind, mode, exact size, and the time of the last change in UTC.

use std::time::SystemTime;

use super::listing::{Entry, Kind};
use crate::Shown;

const DAY: i64 = 86_400;

/// `-rw-r--r--       12345  2026-11-27 08:05:09Z  a.txt`. Values that the server does not send are
/// `-` or `?`.
pub(super) fn line(entry: &Entry) -> String {
    let size = entry.size.filter(|_| entry.kind == Some(Kind::File));
    let size = size.map_or_else(|| "-".to_owned(), |size| size.to_string());
    let time = entry
        .mtime
        .map_or_else(|| "-".to_owned(), |time| utc(seconds(time)));
    let rights = rights(entry);
    format!("{rights} {size:>14}  {time:>20}  {}", Shown(&entry.name))
}

fn rights(entry: &Entry) -> String {
    let kind = match entry.kind {
        Some(Kind::File) => '-',
        Some(Kind::Dir) => 'd',
        Some(Kind::Link) => 'l',
        Some(Kind::Other) | None => '?',
    };
    let bit = |at: u32, letter| match entry.mode {
        None => '?',
        Some(mode) if mode >> at & 1 == 1 => letter,
        Some(_) => '-',
    };
    let bits = (0..9).rev().zip("rwxrwxrwx".chars());
    std::iter::once(kind)
        .chain(bits.map(|(at, letter)| bit(at, letter)))
        .collect()
}

fn seconds(time: SystemTime) -> i64 {
    let whole = |span: std::time::Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => {
            let span = before.duration();
            -whole(span) - i64::from(span.subsec_nanos() > 0)
        }
    }
}

/// Seconds since 1970 as a date and a time.
fn utc(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day, from the number of days since 1970-01-01: Howard Hinnant's
/// `civil_from_days`, with eras of 400 years that begin in March.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let january = i64::from(month >= 10);
    (
        year + era * 400 + january,
        month + 3 - 12 * january,
        day - (153 * month + 2) / 5 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00:00Z"),
            (-1, "1969-12-31 23:59:59Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (1_000_000_000, "2001-09-09 01:46:40Z"),
            (-62_135_596_800, "0001-01-01 00:00:00Z"),
            (253_402_300_799, "9999-12-31 23:59:59Z"),
        ] {
            assert_eq!(utc(seconds), shown);
        }
    }

    #[test]
    fn unknown_values_are_left_open() {
        let line = line(&Entry::named("a\n"));
        assert!(
            line.starts_with("??????????") && line.ends_with(r"-  a\n"),
            "{line}"
        );
    }
}
