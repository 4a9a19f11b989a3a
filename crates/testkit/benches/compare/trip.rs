//! A frame of 64 B there and back, one after another: a client and a server that echoes, each on a
//! thread with a runtime of its own, with `nodelay` everywhere. By hand that is one `write_all`,
//! and `read`s into 64 KiB until the frame is whole. Its length is known in advance.

mod ours;
pub(crate) mod raw;
mod util;

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::contest::{Contest, Unit, Work};
use crate::stream::Found;

const TRIPS: usize = 20_000;
/// A frame's length.
const FRAME: usize = 64;

pub(crate) fn contests() -> Vec<Contest> {
    let tcp = Contest::new("round trip", "tcp 64 B", Unit::Trips)
        .side("ours", side(ours::echo_tcp, ours::ask_tcp))
        .side("raw tokio", side(raw::echo_tcp, raw::ask_tcp))
        .side("tokio-util", side(util::echo_tcp, util::ask_tcp));
    let unix = Contest::new("round trip", "unix 64 B", Unit::Trips)
        .side("ours", side(ours::echo_unix, ours::ask_unix))
        .side("raw tokio", side(raw::echo_unix, raw::ask_unix))
        .side("tokio-util", side(util::echo_unix, util::ask_unix));
    // A time of at most 1.03 times the other's.
    [tcp, unix]
        .map(|contest| contest.target("ours", "raw tokio", 0.97))
        .into()
}

/// A server that reports its address and echoes until the end, and a client that makes so many
/// round trips and reports when it began.
fn side(echo: fn(Found), ask: fn(&str, usize) -> Instant) -> impl FnMut() -> Work {
    move || {
        let (found, place) = mpsc::channel();
        let server = thread::spawn(move || echo(found));
        let begun = ask(&place.recv().unwrap(), TRIPS);
        let elapsed = begun.elapsed();
        server.join().unwrap();
        Work {
            amount: TRIPS as f64,
            elapsed,
        }
    }
}
