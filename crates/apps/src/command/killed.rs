//! Why a server killed a command, in words for the client and the log.

use std::fmt;
use std::time::Duration;

use socketry_transport::units::format_duration;

use super::requests::Gone;
use super::{HALF_CLOSED, MAX_WAITING, MAX_WAITING_BYTES, STALL};

/// Why a command is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    TimeLimit(Duration),
    /// The client reads nothing.
    Stalled,
    Gone(Gone),
}

impl Why {
    /// For the client: the last line of the command's standard error.
    pub(super) fn note(self) -> String {
        format!("socketry: killed {self}\n")
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::TimeLimit(limit) => {
                write!(f, "after the time limit of {}", format_duration(*limit))
            }
            Why::Stalled => write!(
                f,
                "because nobody read its output for {}",
                format_duration(STALL)
            ),
            Why::Gone(Gone::Closed) => write!(
                f,
                "{} after the client had ended the connection or its sending half",
                format_duration(HALF_CLOSED)
            ),
            Why::Gone(Gone::TooFarAhead) => write!(
                f,
                "because the client sent more than {MAX_WAITING} commands or {} KiB of them ahead",
                MAX_WAITING_BYTES >> 10
            ),
        }
    }
}
