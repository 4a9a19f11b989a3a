//! Standard input. It is not sent to the command, and the user is told if something waits there.

use std::io::{self, IsTerminal};

use rustix::io::ioctl_fionread;

use crate::AppError;

/// Fails if bytes wait on standard input, before the command is run.
pub(super) fn must_be_empty() -> Result<(), AppError> {
    match waiting() {
        0 => Ok(()),
        bytes => Err(AppError::usage(format_args!(
            "standard input is not sent to the command, and {bytes} bytes wait there; \
             nothing was run (with -n they are left to others)"
        ))),
    }
}

/// Fails if bytes have come to standard input while the command ran.
pub(super) fn must_have_stayed_empty() -> Result<(), AppError> {
    match waiting() {
        0 => Ok(()),
        bytes => Err(AppError::failed(format_args!(
            "standard input is not sent to the command: \
             it ran without the {bytes} bytes that wait there now (with -n they are left to others)"
        ))),
    }
}

/// How many bytes can be read at once. The question neither blocks nor reads. A terminal and
/// `/dev/null` have none, and neither has a file of which it cannot be asked.
fn waiting() -> u64 {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return 0;
    }
    ioctl_fionread(stdin).unwrap_or(0)
}
