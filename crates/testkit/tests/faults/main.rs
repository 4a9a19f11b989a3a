//! The apps over sockets that misbehave. Whatever happens, an outcome is right or a clear error.
//! There are never wrong bytes, a hang, a panic or a leaked task, and the server serves the next
//! client.
//!
//! Each cell (an app over a transport with a codec) runs with several seeds; `SOCKETRY_SEEDS=500`
//! runs more of them, and a failure prints the command that repeats it.
//!
//! Over TLS the faults are beneath it: the kernel's sockets have them.
//!
//! Two laws differ between the cells:
//!
//! * No codec and no app has a checksum for single datagrams. So a flipped bit or a missing end of
//!   a datagram cannot be detected in a chat message, which may differ. Nothing else may happen.
//! * Over `raw` on a stream the end of the connection is the end of a file. Only TCP has a reset to
//!   tell the two apart. Over other transports, a connection that ends early may leave the
//!   beginning of a file, and nothing else.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cell;
mod chat;
mod command;
mod file;
mod heard;
mod network;
mod world;

use socketry_apps::Service;
use socketry_apps::matrix::{self, App};
use socketry_testkit::faulty::for_each_seed;

use cell::{Cell, Mood};
use world::World;

/// How many seeds each cell runs with by default, and each of them in both moods.
const SEEDS: u64 = 6;

fn check(name: &str, cell: Cell) {
    let command = format!("cargo test -p socketry-testkit --test faults {name}");
    for_each_seed(&command, SEEDS, |seed| {
        for mood in [Mood::Harmless, Mood::Hostile] {
            check_one(cell, seed, mood);
        }
    });
}

/// Runs one cell with one seed, and returns the faults that happened.
fn check_one(cell: Cell, seed: u64, mood: Mood) -> Vec<String> {
    let world = World::new(cell, seed, mood);
    world.block_on(async {
        match cell.app {
            App::Chat => chat::check(&world).await,
            App::Command => command::check(&world).await,
            App::File => file::check(&world).await,
        }
        world.nothing_is_left().await;
    });
    world.events()
}

macro_rules! cells {
    ($($name:ident: $app:ident, $scheme:literal, $codec:literal;)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), Cell::new(App::$app, $scheme, $codec));
            }
        )*

        /// The cells above, as the matrix names them.
        const CELLS: &[(App, &str, &str)] = &[$((App::$app, $scheme, $codec)),*];
    };
}

cells! {
    chat_over_tcp_raw: Chat, "tcp", "raw";
    chat_over_tcp_line: Chat, "tcp", "line";
    chat_over_tcp_struct: Chat, "tcp", "struct";
    chat_over_tcp_json: Chat, "tcp", "json";
    chat_over_tcp_json_bare: Chat, "tcp", "json:bare";
    chat_over_unix_raw: Chat, "unix", "raw";
    chat_over_unix_line: Chat, "unix", "line";
    chat_over_unix_struct: Chat, "unix", "struct";
    chat_over_unix_json: Chat, "unix", "json";
    chat_over_unix_json_bare: Chat, "unix", "json:bare";
    chat_over_unix_seqpacket_raw: Chat, "unix-seqpacket", "raw";
    chat_over_unix_seqpacket_line: Chat, "unix-seqpacket", "line";
    chat_over_unix_seqpacket_struct: Chat, "unix-seqpacket", "struct";
    chat_over_unix_seqpacket_json: Chat, "unix-seqpacket", "json";
    chat_over_unix_seqpacket_json_bare: Chat, "unix-seqpacket", "json:bare";
    chat_over_mem_raw: Chat, "mem", "raw";
    chat_over_mem_line: Chat, "mem", "line";
    chat_over_mem_struct: Chat, "mem", "struct";
    chat_over_mem_json: Chat, "mem", "json";
    chat_over_mem_json_bare: Chat, "mem", "json:bare";
    chat_over_udp_raw: Chat, "udp", "raw";
    chat_over_udp_line: Chat, "udp", "line";
    chat_over_udp_struct: Chat, "udp", "struct";
    chat_over_udp_json: Chat, "udp", "json";
    chat_over_udp_json_bare: Chat, "udp", "json:bare";
    chat_over_unix_dgram_raw: Chat, "unix-dgram", "raw";
    chat_over_unix_dgram_line: Chat, "unix-dgram", "line";
    chat_over_unix_dgram_struct: Chat, "unix-dgram", "struct";
    chat_over_unix_dgram_json: Chat, "unix-dgram", "json";
    chat_over_unix_dgram_json_bare: Chat, "unix-dgram", "json:bare";
    command_over_tcp_raw: Command, "tcp", "raw";
    command_over_tcp_line: Command, "tcp", "line";
    command_over_tcp_struct: Command, "tcp", "struct";
    command_over_tcp_json: Command, "tcp", "json";
    command_over_tcp_json_bare: Command, "tcp", "json:bare";
    command_over_unix_raw: Command, "unix", "raw";
    command_over_unix_line: Command, "unix", "line";
    command_over_unix_struct: Command, "unix", "struct";
    command_over_unix_json: Command, "unix", "json";
    command_over_unix_json_bare: Command, "unix", "json:bare";
    command_over_unix_seqpacket_raw: Command, "unix-seqpacket", "raw";
    command_over_unix_seqpacket_line: Command, "unix-seqpacket", "line";
    command_over_unix_seqpacket_struct: Command, "unix-seqpacket", "struct";
    command_over_unix_seqpacket_json: Command, "unix-seqpacket", "json";
    command_over_unix_seqpacket_json_bare: Command, "unix-seqpacket", "json:bare";
    command_over_mem_raw: Command, "mem", "raw";
    command_over_mem_line: Command, "mem", "line";
    command_over_mem_struct: Command, "mem", "struct";
    command_over_mem_json: Command, "mem", "json";
    command_over_mem_json_bare: Command, "mem", "json:bare";
    command_over_unix_dgram_raw: Command, "unix-dgram", "raw";
    command_over_unix_dgram_line: Command, "unix-dgram", "line";
    command_over_unix_dgram_struct: Command, "unix-dgram", "struct";
    file_over_tcp_raw: File, "tcp", "raw";
    file_over_tcp_json: File, "tcp", "json";
    file_over_tcp_json_bare: File, "tcp", "json:bare";
    file_over_unix_raw: File, "unix", "raw";
    file_over_unix_json: File, "unix", "json";
    file_over_unix_json_bare: File, "unix", "json:bare";
    file_over_unix_seqpacket_raw: File, "unix-seqpacket", "raw";
    file_over_unix_seqpacket_json: File, "unix-seqpacket", "json";
    file_over_unix_seqpacket_json_bare: File, "unix-seqpacket", "json:bare";
    file_over_mem_raw: File, "mem", "raw";
    file_over_mem_json: File, "mem", "json";
    file_over_mem_json_bare: File, "mem", "json:bare";
    chat_over_tls_raw: Chat, "tls", "raw";
    chat_over_tls_line: Chat, "tls", "line";
    chat_over_tls_struct: Chat, "tls", "struct";
    chat_over_tls_json: Chat, "tls", "json";
    chat_over_tls_json_bare: Chat, "tls", "json:bare";
    chat_over_tls_unix_raw: Chat, "tls+unix", "raw";
    chat_over_tls_unix_line: Chat, "tls+unix", "line";
    chat_over_tls_unix_struct: Chat, "tls+unix", "struct";
    chat_over_tls_unix_json: Chat, "tls+unix", "json";
    chat_over_tls_unix_json_bare: Chat, "tls+unix", "json:bare";
    command_over_tls_raw: Command, "tls", "raw";
    command_over_tls_line: Command, "tls", "line";
    command_over_tls_struct: Command, "tls", "struct";
    command_over_tls_json: Command, "tls", "json";
    command_over_tls_json_bare: Command, "tls", "json:bare";
    command_over_tls_unix_raw: Command, "tls+unix", "raw";
    command_over_tls_unix_line: Command, "tls+unix", "line";
    command_over_tls_unix_struct: Command, "tls+unix", "struct";
    command_over_tls_unix_json: Command, "tls+unix", "json";
    command_over_tls_unix_json_bare: Command, "tls+unix", "json:bare";
    file_over_tls_raw: File, "tls", "raw";
    file_over_tls_json: File, "tls", "json";
    file_over_tls_json_bare: File, "tls", "json:bare";
    file_over_tls_unix_raw: File, "tls+unix", "raw";
    file_over_tls_unix_json: File, "tls+unix", "json";
    file_over_tls_unix_json_bare: File, "tls+unix", "json:bare";
}

#[test]
fn every_cell_that_serves_has_its_test() {
    let mut serving = Vec::new();
    for app in App::ALL {
        // The faults below QUIC are those of UDP: crates/quic/tests/network.rs has them.
        let over_streams = matrix::TLS_SCHEMES.into_iter().filter(|one| *one != "quic");
        for scheme in matrix::SCHEMES.into_iter().chain(over_streams) {
            for codec in matrix::CODECS {
                if Service::with_codec(codec)
                    .unwrap()
                    .check(app, scheme)
                    .is_ok()
                {
                    serving.push((app, scheme, codec));
                }
            }
        }
    }
    for cell in &serving {
        assert!(CELLS.contains(cell), "{cell:?} has no test");
    }
    assert_eq!(CELLS.len(), serving.len());
}

#[test]
fn the_laws_notice_wrong_bytes() {
    for (app, codec) in [(App::Chat, "line"), (App::Chat, "raw"), (App::File, "raw")] {
        let cell = Cell::new(app, "mem", codec);
        let fails = |seed| {
            let run = || check_one(cell, seed, Mood::Corrupt);
            std::panic::catch_unwind(run).is_err()
        };
        assert!((0..10).any(fails), "{cell:?}");
    }
}

/// Plain streams let flipped bits through: see above. Over TLS they end the connection.
#[test]
fn over_tls_no_app_takes_wrong_bytes() {
    for (app, codec) in [(App::Chat, "line"), (App::Chat, "raw"), (App::File, "raw")] {
        // A flipped length of a record makes an end wait, for which the clock has to be virtual.
        for seed in 0..10 {
            check_one(Cell::new(app, "tls+unix", codec), seed, Mood::Corrupt);
        }
    }
}

/// In virtual time and within one process, only the seed decides.
#[test]
fn a_seed_repeats_its_faults() {
    let cell = Cell::new(App::Chat, "mem", "line");
    let of = |seed| check_one(cell, seed, Mood::Hostile);
    for seed in 0..5 {
        let faults = of(seed);
        assert!(!faults.is_empty());
        assert_eq!(faults, of(seed), "seed {seed}");
    }
    assert_ne!(of(1), of(2));
}

#[test]
fn a_failure_names_its_seed_and_how_to_repeat_it() {
    let failed = std::panic::catch_unwind(|| {
        for_each_seed("cargo test this", 1, |_seed| {
            // Caught as a runtime catches the panics of its tasks.
            let _ = std::panic::catch_unwind(|| panic!("one is too much"));
        });
    });
    let words = *failed.unwrap_err().downcast::<String>().unwrap();
    for part in [
        "a task panicked",
        "one is too much",
        "SOCKETRY_SEED=",
        " cargo test this",
    ] {
        assert!(words.contains(part), "{words}");
    }
}
