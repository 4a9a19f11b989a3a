//! Standard input, which is not sent to the command: whoever writes there is told.

use std::io::{self, IsTerminal};

use rustix::io::ioctl_fionread;

use crate::AppError;

/// Fails if something waits on standard input, before anything is run.
pub(super) fn must_be_empty() -> Result<(), AppError> {
    match waiting() {
        0 => Ok(()),
        bytes => Err(AppError::usage(format_args!(
            "standard input is not sent to the command, and {bytes} bytes wait there; nothing was run \
             (with -n they are left to others)"
        ))),
    }
}

/// Fails if something has come to standard input while the command ran.
pub(super) fn must_have_stayed_empty() -> Result<(), AppError> {
    match waiting() {
        0 => Ok(()),
        bytes => Err(AppError::failed(format_args!(
            "standard input is not sent to the command: it ran without the {bytes} bytes that wait there now \
             (with -n they are left to others)"
        ))),
    }
}

/// How many bytes can be read at once. Asking neither waits nor reads; a terminal, `/dev/null` and
/// all that cannot be asked have none.
fn waiting() -> u64 {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return 0;
    }
    ioctl_fionread(stdin).unwrap_or(0)
}
