//! Our code and that of other libraries, with the same work, in one run.
//!
//! `cargo bench -p socketry-testkit --bench compare` compares everything; the harness documents the
//! arguments after `--`. Absolute times differ between machines, and on one machine from minute to
//! minute. So the important figure is the *ratio* of two sides that took turns. Several processes
//! run one after another. Each of them runs all sides in turn, several times. The output is the
//! median of the ratios of neighbours, with the quartiles.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::needless_pass_by_value,
    dead_code,
    reason = "a bench, and a harness of which it need not use all"
)]

mod body;
mod file;
#[path = "../harness/mod.rs"]
mod harness;
mod memory;
mod quic;
mod relay;
mod sender;
mod service;
mod setup;
mod stream;
mod tally;
mod tls;
mod trip;
mod udp;
mod ws;

use harness::contest;

fn main() {
    let all = [
        memory::contests(),
        stream::contests(),
        sender::contests(),
        trip::contests(),
        body::contests(),
        udp::contests(),
        setup::contests(),
        tls::contests(),
        service::contests(),
        relay::contests(),
        ws::contests(),
        quic::contests(),
        file::contests(),
    ];
    harness::run(all.into_iter().flatten().collect());
}
