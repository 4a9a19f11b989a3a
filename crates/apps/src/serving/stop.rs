//! The signals that ask a program to end.

use std::future::{Future, poll_fn};
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a server after a second signal, as a shell has it for SIGINT.
const SECOND_SIGNAL: i32 = 130;

/// Resolves when a signal asks the process to end: SIGINT, SIGTERM, SIGQUIT, or the SIGHUP of a
/// terminal that was closed. The call itself installs the handlers, so that no later signal is
/// missed. A second signal ends the process at once.
pub(crate) fn shutdown_signal() -> impl Future<Output = ()> {
    one_of(vec![
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::quit(),
    ])
}

/// The same without SIGINT, for a prompt: there it ends the command that runs.
pub(crate) fn end_signal() -> impl Future<Output = ()> {
    one_of(vec![SignalKind::terminate(), SignalKind::quit()])
}

fn one_of(mut kinds: Vec<SignalKind>) -> impl Future<Output = ()> {
    if !hangup_is_ignored() {
        kinds.push(SignalKind::hangup());
    }
    // A signal for which no handler can be installed ends the process by itself.
    let signals: Vec<Signal> = kinds
        .into_iter()
        .filter_map(|kind| signal(kind).ok())
        .collect();
    async move {
        let mut signals = signals;
        next_of(&mut signals).await;
        tokio::spawn(async move {
            next_of(&mut signals).await;
            std::process::exit(SECOND_SIGNAL);
        });
    }
}

/// Waits for the next of these signals.
async fn next_of(signals: &mut [Signal]) {
    poll_fn(|cx| {
        let came = signals
            .iter_mut()
            .any(|signal| signal.poll_recv(cx).is_ready());
        if came { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Whether the process was started with SIGHUP ignored, as `nohup` does it, so that it outlives the
/// terminal.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}
