//! What the program sets once for its whole process, before an app runs. A library leaves all of it
//! alone.

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

use crate::serving::descriptors;

/// Prepares the process; to be called on its runtime.
pub(crate) fn prepare() {
    descriptors::raise();
    survive_large_files();
    crate::command::adopt_orphans();
}

/// Takes SIGXFSZ over, which by default ends a process that writes beyond `ulimit -f`: one upload
/// would end everybody's. The write then fails with EFBIG instead, and concerns one request.
///
/// The signal is caught and not ignored, so that the programs that this process starts have the
/// default again.
fn survive_large_files() {
    // The handler stays for as long as the process, whoever listens. Without it writes end the
    // process as they do elsewhere, which is no reason not to start.
    let _ = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()));
}
