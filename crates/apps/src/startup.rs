//! The settings of the program for its whole process, made once before an app runs. As a library,
//! the crate does none of this.

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

use crate::serving::descriptors;

/// Prepares the process. Call it on the process's runtime.
pub(crate) fn prepare() {
    descriptors::raise();
    survive_large_files();
    crate::command::adopt_orphans();
}

/// Handles SIGXFSZ, which by default ends a process that writes beyond `ulimit -f`: one upload
/// would end all conversations. With a handler the write fails with EFBIG, and only one request
/// fails.
///
/// The signal is caught and not ignored, so that child processes have the default action again.
fn survive_large_files() {
    // The handler stays as long as the process, whether or not the stream is read. If installing it
    // fails, large writes end the process as without it. That is no reason not to start.
    let _ = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()));
}
