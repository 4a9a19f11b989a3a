//! A line of progress that fits a terminal.

use std::time::Duration;

use indicatif::BinaryBytes;
use tokio::time::Instant;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::state::{State, Total};
use crate::Shown;

/// A name has at least so many columns, or is left out.
const NAME: usize = 8;
/// The most columns of a bar without its brackets, and the fewest that it is drawn with.
const BAR: (usize, usize) = (24, 8);
const GAP: &str = "  ";

/// A part of a line. Those of a higher rank go first where there is no room.
struct Part(String, u8);

/// The line of one transfer, of at most `width` columns.
pub(super) fn of_file(state: &State, width: usize, now: Instant) -> String {
    let name = Shown(&state.name).to_string();
    let share = state.size.map(|size| share(state.done(), size));
    fit(&name, parts(state, now), share, width)
}

/// The line of all transfers.
pub(super) fn of_all<'a>(
    total: &Total,
    files: impl Iterator<Item = &'a State>,
    width: usize,
    now: Instant,
) -> String {
    let there = total.there(files);
    let number = Part(format!("{} of {} files", total.ended, total.files), 0);
    let amount = Part(amount(there, total.size), 2);
    let rate = total.rate(now).map(|rate| Part(pace(rate), 3));
    let eta = total.eta(there, now).map(|eta| Part(left(eta), 1));
    let parts = [Some(number), Some(amount), rate, eta];
    let share = total.size.map(|size| share(there, size));
    fit("all", parts.into_iter().flatten().collect(), share, width)
}

/// The line of one transfer where there is no terminal.
pub(super) fn plain(state: &State, now: Instant) -> String {
    let parts = parts(state, now).into_iter().map(|part| part.0);
    let parts: Vec<_> = parts.collect();
    format!("{}: {}", Shown(&state.name), parts.join(", "))
}

fn parts(state: &State, now: Instant) -> Vec<Part> {
    let done = state.done();
    let percent = state
        .size
        .map(|size| Part(format!("{}%", share(done, size)), 0));
    let amount = Part(amount(done, state.size), 3);
    let resumed =
        (state.resumed > 0).then(|| Part(format!("{} resumed", BinaryBytes(state.resumed)), 4));
    let mut parts: Vec<_> = percent.into_iter().chain([amount]).chain(resumed).collect();
    match state.stalled(now) {
        Some(quiet) => parts.push(Part(stalled(state, quiet), 1)),
        None => {
            parts.extend(state.rate(now).map(|rate| Part(pace(rate), 2)));
            parts.extend(state.eta(now).map(|eta| Part(left(eta), 1)));
        }
    }
    parts
}

fn stalled(state: &State, quiet: Duration) -> String {
    let quiet = quiet.as_secs();
    match state.is_full() {
        true => format!("waiting for the other side to confirm for {quiet} s"),
        false => format!("stalled for {quiet} s"),
    }
}

/// How many hundredths of `size` are there. All of them only if nothing is missing.
fn share(done: u64, size: u64) -> u64 {
    match size {
        0 => 100,
        _ => u64::try_from(u128::from(done.min(size)) * 100 / u128::from(size)).unwrap_or(100),
    }
}

fn amount(done: u64, size: Option<u64>) -> String {
    match size {
        Some(size) => format!("{} of {}", BinaryBytes(done), BinaryBytes(size)),
        None => BinaryBytes(done).to_string(),
    }
}

fn pace(rate: u64) -> String {
    format!("{}/s", BinaryBytes(rate))
}

/// `ETA 7s`, `ETA 2m05s`, `ETA 3h07m`, `ETA 2d05h`.
fn left(time: Duration) -> String {
    let secs = time.as_secs();
    let (big, small, units) = match secs {
        0..60 => return format!("ETA {secs}s"),
        60..3_600 => (secs / 60, secs % 60, ("m", "s")),
        3_600..86_400 => (secs / 3_600, secs / 60 % 60, ("h", "m")),
        _ => (secs / 86_400, secs / 3_600 % 24, ("d", "h")),
    };
    format!("ETA {big}{}{small:02}{}", units.0, units.1)
}

/// The name and as many parts as there is room for, and a bar if there is more.
fn fit(name: &str, mut parts: Vec<Part>, share: Option<u64>, width: usize) -> String {
    // A terminal that has its last column written may begin a new line.
    let width = width.saturating_sub(1);
    let needed = |parts: &[Part]| {
        parts
            .iter()
            .map(|part| GAP.len() + part.0.width())
            .sum::<usize>()
    };
    let name_needs = name.width().min(NAME);
    while parts.len() > 1 && name_needs + needed(&parts) > width {
        let ranks = parts.iter().enumerate().max_by_key(|(_, part)| part.1);
        let Some((last, _)) = ranks else { break };
        parts.remove(last);
    }
    let room = width.saturating_sub(needed(&parts));
    let name = shorten(name, room);
    let bar = share.and_then(|share| bar(share, room - name.width().min(room)));
    let parts = parts.into_iter().map(|part| part.0).chain(bar);
    let line = [name]
        .into_iter()
        .chain(parts)
        .collect::<Vec<_>>()
        .join(GAP);
    shorten(&line, width)
}

fn bar(share: u64, room: usize) -> Option<String> {
    let cells = room.checked_sub(GAP.len() + 2)?.min(BAR.0);
    let full = usize::try_from(share).ok()? * cells / 100;
    (cells >= BAR.1).then(|| format!("[{}{}]", "#".repeat(full), "-".repeat(cells - full)))
}

/// The text in at most `room` columns. Its middle is left out, since both ends tell most.
fn shorten(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let Some(room) = room.checked_sub(1) else {
        return String::new();
    };
    let head = taken(text.chars(), room.div_ceil(2));
    let tail = taken(text.chars().rev(), room / 2);
    let tail: String = tail.chars().rev().collect();
    format!("{head}…{tail}")
}

/// The first characters that have room in so many columns.
fn taken(chars: impl Iterator<Item = char>, room: usize) -> String {
    let mut left = room;
    chars
        .take_while(|c| {
            let fits = left.checked_sub(c.width().unwrap_or(0));
            left = fits.unwrap_or(0);
            fits.is_some()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halfway(name: &str) -> (State, Instant) {
        let start = Instant::now();
        let mut state = State::new(name, start);
        let now = start + Duration::from_secs(4);
        state.at(2 << 30, Some(4 << 30), now);
        (state, now)
    }

    #[test]
    fn a_wide_line_has_everything() {
        let (state, now) = halfway("film.mkv");
        assert_eq!(
            of_file(&state, 100, now),
            "film.mkv  50%  2.00 GiB of 4.00 GiB  512.00 MiB/s  ETA 4s  [############------------]"
        );
        let plain = plain(&state, now);
        assert_eq!(
            plain,
            "film.mkv: 50%, 2.00 GiB of 4.00 GiB, 512.00 MiB/s, ETA 4s"
        );
    }

    #[test]
    fn every_line_fits_and_keeps_what_matters() {
        for name in [
            "film.mkv",
            "a very long name of a file, with spaces.tar.gz",
            "長い名前の映画",
        ] {
            let (state, now) = halfway(name);
            for width in 0..130 {
                let line = of_file(&state, width, now);
                assert!(line.width() < width.max(1), "{width}: {line}");
                assert!(width < 20 || line.contains("50%"), "{width}: {line}");
                assert!(width < 30 || line.contains("ETA 4s"), "{width}: {line}");
                let stalled = of_file(&state, width, now + Duration::from_secs(9));
                assert!(
                    width < 40 || stalled.contains("stalled for 9 s"),
                    "{stalled}"
                );
            }
        }
    }

    #[test]
    fn the_middle_of_a_long_name_is_left_out() {
        assert_eq!(shorten("abcdefgh", 8), "abcdefgh");
        assert_eq!(shorten("abcdefgh", 7), "abc…fgh");
        assert_eq!(shorten("abcdefgh", 1), "…");
        assert_eq!(shorten("abcdefgh", 0), "");
        assert_eq!(shorten("漢字漢字漢字", 8), "漢字…字");
    }

    #[test]
    fn nothing_is_rounded_up_to_all() {
        assert_eq!(
            (share(999, 1000), share(1000, 1000), share(0, 0)),
            (99, 100, 100)
        );
        assert_eq!(share(u64::MAX - 1, u64::MAX), 99);
        assert_eq!(share(5, 3), 100);
    }

    #[test]
    fn times_have_two_units_at_most() {
        let shown = |secs| left(Duration::from_secs(secs));
        for (secs, text) in [
            (7, "7s"),
            (125, "2m05s"),
            (11_225, "3h07m"),
            (190_800, "2d05h"),
        ] {
            assert_eq!(shown(secs), format!("ETA {text}"));
        }
    }

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        let (state, now) = halfway("a\u{1b}[2J\n");
        let line = of_file(&state, 100, now);
        assert!(!line.contains('\u{1b}') && !line.contains('\n'), "{line:?}");
    }

    #[test]
    fn bytes_of_an_earlier_transfer_are_told_apart() {
        let (mut state, now) = halfway("a");
        state.resumed(3 << 30, now);
        assert!(
            plain(&state, now).contains("3.00 GiB resumed"),
            "{}",
            plain(&state, now)
        );
    }
}
