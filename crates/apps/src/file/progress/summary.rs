//! The line of a transfer that is whole.

use std::io::IsTerminal;

use indicatif::BinaryBytes;

use super::Transfer;
use crate::Shown;

/// How many hexadecimal digits of a digest fit on a line.
const SHOWN: usize = 16;

/// Bytes a second.
pub(in crate::file) fn pace(bytes: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates"
    )]
    let bytes = BinaryBytes(bytes as u64);
    format!("{bytes}/s")
}

/// How much of a digest is shown.
#[derive(Clone, Copy)]
pub(in crate::file) enum Digits {
    All,
    /// As many digits as fit on a line of a terminal.
    Few,
}

impl Digits {
    /// Few on a terminal, unless the user `wants_all`. A pipe gets all of them.
    pub(in crate::file) fn shown(wants_all: bool) -> Self {
        match wants_all || !std::io::stdout().is_terminal() {
            true => Digits::All,
            false => Digits::Few,
        }
    }
}

/// `sent a.bin 12.30 MiB 450.00 MiB/s blake3 …`.
pub(super) fn summary(verb: &str, name: &str, transfer: &Transfer, digits: Digits) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for a person")]
    let speed = transfer.bytes as f64 / transfer.elapsed.as_secs_f64().max(1e-9);
    let doubt = if transfer.confirmed {
        ""
    } else {
        " (the server did not confirm)"
    };
    let speed = match transfer.bytes {
        0 => String::new(),
        _ => format!(" {}", pace(speed.max(1.0))),
    };
    let digest = transfer.blake3.to_hex();
    let digest = match digits {
        Digits::All => digest.to_string(),
        Digits::Few => format!("{}…", &digest[..SHOWN]),
    };
    format!(
        "{verb} {} {}{speed} blake3 {digest}{doubt}",
        Shown(name),
        BinaryBytes(transfer.bytes),
    )
}
