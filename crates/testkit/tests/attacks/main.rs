//! The attacks that broke other systems, each as a test: against real sockets, and against the apps
//! where they apply. The same programs attack over plain transports and over TLS.
//!
//! | attack | here | without I/O, in `crates/codec/tests/attacks.rs` | elsewhere |
//! |---|---|---|---|
//! | a length that no honest peer sends: -1, 2³²-1, 2⁶⁴-1, a sum that overflows | `lengths` | `lengths_that_nobody_sends`, `sums_do_not_overflow`, `a_claim_is_not_asked_for_beyond_the_limit` | |
//! | a line or an object without its end, nesting without end | `endless` | `a_line_without_an_end_is_scanned_once`, `json_without_an_end_is_scanned_once`, `an_endless_line_or_object_is_given_up`, `nesting_without_end` | |
//! | a byte a second, from as many connections as there are places | `slow` | | `apps/tests/chat.rs`, `apps/tests/command_processes.rs`: a user that never sends |
//! | a reader that never reads | `stuck` | | `framed_laws.rs`: a `Sender` that waits for room; `apps/tests/command_processes.rs`: its command is killed |
//! | a terabyte claimed and ten bytes sent | `claims` | | `framed_laws.rs`: memory follows what arrived |
//! | a thousand handshakes of TLS that stall | `stalls` | | `tls/tests/failures/silence.rs` |
//! | records of TLS that are empty, of one byte, or claim much; warnings without end | `greetings` | | |
//! | key updates, tickets and records of a byte by the thousand | `handshaken` | | renegotiation: `tls/tests/peers/surprises.rs` |
//! | something precious where a socket is to be bound | `places` | | `transport/tests/transports.rs`: stale sockets |
//!
//! The attacks on file names, commands and chats are tested with those apps, over the same
//! transports: `apps/tests/file_attacks.rs`, `command_attacks.rs`, `chat_attacks.rs`, and on their
//! secrets `access.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod claims;
mod endless;
mod greetings;
mod handshaken;
mod lengths;
mod places;
mod served;
mod slow;
mod stalls;
mod stuck;
mod victims;
