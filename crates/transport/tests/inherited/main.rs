//! Sockets that a process is started with. This program is both the tests and the process that they
//! start: an echo at the URL of its environment. So it has no test harness, which would write to
//! standard output.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests"
)]

#[path = "../../../testkit/tests/tools/mod.rs"]
mod tools;

mod echo;
mod packets;
mod parents;

use std::env;

/// The orders of the echo, a line each; if they are set, this is the echo.
const ORDERS: &str = "ECHO_ORDERS";

type Test = (&'static str, fn());

const TESTS: [Test; 16] = [
    ("a_listener_is_served", parents::a_listener_is_served),
    (
        "a_unix_listener_is_served",
        parents::a_unix_listener_is_served,
    ),
    (
        "datagrams_become_sessions",
        parents::datagrams_become_sessions,
    ),
    (
        "a_connected_socket_is_used",
        parents::a_connected_socket_is_used,
    ),
    (
        "a_descriptor_is_taken_once",
        parents::a_descriptor_is_taken_once,
    ),
    (
        "a_descriptor_of_this_process_is_refused",
        parents::a_descriptor_of_this_process_is_refused,
    ),
    (
        "systemd_passes_sockets_by_name",
        parents::systemd_passes_sockets_by_name,
    ),
    (
        "systemd_passes_a_socket_for_each_client",
        parents::systemd_passes_a_socket_for_each_client,
    ),
    (
        "sockets_of_another_process_are_refused",
        parents::sockets_of_another_process_are_refused,
    ),
    ("pipes_are_a_stream", parents::pipes_are_a_stream),
    ("files_are_a_stream", parents::files_are_a_stream),
    (
        "a_socket_of_inetd_is_a_stream",
        parents::a_socket_of_inetd_is_a_stream,
    ),
    (
        "a_listener_of_packets_is_served",
        packets::a_listener_is_served,
    ),
    (
        "a_connected_socket_of_packets_is_used",
        packets::a_connected_socket_is_used,
    ),
    (
        "systemd_passes_listeners_of_packets_by_name",
        packets::systemd_passes_listeners_by_name,
    ),
    (
        "systemd_passes_a_socket_of_packets_for_each_client",
        packets::systemd_passes_a_socket_for_each_client,
    ),
];

fn main() {
    if let Ok(orders) = env::var(ORDERS) {
        return echo::run(&orders);
    }
    if env::args().any(|argument| argument == "--list") {
        return TESTS.iter().for_each(|(name, _)| println!("{name}: test"));
    }
    let wanted: Vec<_> = env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word));
    for (name, test) in TESTS.iter().filter(|(name, _)| wanted(name)) {
        test();
        println!("test {name} ... ok");
    }
}
