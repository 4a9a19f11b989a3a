//! Sending to a peer that is gone.

use std::future::poll_fn;
use std::io::{self, IoSlice};

use socketry_transport::{SendExt, SendHalf, Transport};

use super::Subject;
use super::pattern::{flush, pattern, piece, recv_to_end};
use super::pressure::fill;
use super::verdict::{Failure, Verdict, ensure};
use super::wake::{is_gone, park};

pub(crate) async fn a_send_to_a_closed_peer_fails<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, server, _listener) = subject.pair().await?;
    drop(server);
    let failing = send_until_it_fails(&mut client, subject.most_held());
    let error = subject.within("sending to nobody", failing).await?;
    is_gone(&error)?;
    let again = async { Ok::<_, Failure>(send_parts(&mut client).await) };
    match subject.within("sending to nobody again", again).await? {
        Ok(_) => ensure(
            false,
            "a send went well after one that said the peer is gone",
        )?,
        Err(error) => is_gone(&error)?,
    }
    // Whether the peer's end is an end or an error here depends on the bytes that the peer had not
    // read.
    let receiving = async { Ok::<_, Failure>(recv_to_end(&mut client).await) };
    match subject.within("receiving from nobody", receiving).await? {
        Ok(bytes) => ensure(bytes.is_empty(), "bytes came from nobody"),
        Err(error) => is_gone(&error),
    }
}

/// Sends until that fails. The first send may succeed, since the peer's end takes time to arrive.
async fn send_until_it_fails<S: SendHalf>(socket: &mut S, most: usize) -> Verdict<io::Error> {
    let mut sent = 0;
    loop {
        match send_parts(socket).await {
            Err(error) => return Ok(error),
            Ok(len) => sent += len,
        }
        ensure(
            sent <= most,
            format_args!("{sent} bytes were taken, and the peer is gone"),
        )?;
        tokio::task::yield_now().await;
    }
}

/// Two parts in one send, since the kernel has another call for several parts than for one.
async fn send_parts<S: SendHalf>(socket: &mut S) -> io::Result<usize> {
    let bytes = [7; 32_768];
    let parts = [IoSlice::new(&bytes[..7]), IoSlice::new(&bytes[7..])];
    let sent = poll_fn(|cx| socket.poll_send(cx, &parts)).await?;
    flush(socket).await?;
    Ok(sent)
}

pub(crate) async fn a_send_to_a_closed_peer_raises_no_signal<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let most = subject.most_held();
    // In a thread of its own, since the signal goes to the thread that sends.
    let sending = tokio::task::spawn_blocking(move || {
        std::thread::spawn(move || sigpipe::none_during(|| sends_to_a_closed_peer(&subject, most)))
            .join()
            .unwrap_or_else(|_| Err(Failure::new("panic while sending")))
    });
    sending.await.map_err(Failure::new)?
}

fn sends_to_a_closed_peer<T: Transport>(subject: &Subject<T>, most: usize) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::new)?;
    runtime.block_on(async {
        let (mut client, server, _listener) = subject.pair().await?;
        drop(server);
        let parts = send_until_it_fails(&mut client, most);
        subject.within("sending parts to nobody", parts).await?;
        let one = async { Ok::<_, Failure>(client.send(b"one part").await) };
        let _ = subject.within("sending one part to nobody", one).await?;
        Ok(())
    })
}

#[cfg(target_os = "linux")]
mod sigpipe {
    //! Whether a thread was sent SIGPIPE. Linux keeps a blocked signal even if its action is to be
    //! ignored, as Rust programs set it by default. So the signal is seen without changing a
    //! handler.

    use nix::sys::signal::{SigSet, Signal};
    use nix::sys::signalfd::{SfdFlags, SignalFd};

    use crate::stream::verdict::{Failure, Verdict, ensure};

    pub(crate) fn none_during(act: impl FnOnce() -> Verdict) -> Verdict {
        let pipe = SigSet::from(Signal::SIGPIPE);
        pipe.thread_block().map_err(Failure::new)?;
        let raised = SignalFd::with_flags(&pipe, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .map_err(Failure::new)?;
        act()?;
        let signal = raised.read_signal().map_err(Failure::new)?;
        ensure(signal.is_none(), "SIGPIPE was raised")
    }
}

#[cfg(not(target_os = "linux"))]
mod sigpipe {
    //! On other systems an ignored signal leaves no trace. Only the failing send is checked.

    use crate::stream::verdict::Verdict;

    pub(crate) fn none_during(act: impl FnOnce() -> Verdict) -> Verdict {
        act()
    }
}

pub(crate) async fn a_vanished_peer_wakes_a_stopped_sender<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let (mut client, server, _listener) = subject.pair().await?;
    let full = fill(&subject, &mut client, 0).await?;
    let sender = park(async move {
        let mut at = full;
        loop {
            match client.send(&pattern(at, piece(&client, 65_536))).await {
                Ok(sent) => at += sent,
                Err(error) => return error,
            }
            if at > full + (64 << 20) {
                return io::Error::other("sending to nobody goes on and on");
            }
        }
    })
    .await;
    drop(server);
    let error = subject
        .within("a stopped sender whose peer vanished", sender)
        .await?;
    is_gone(&error)
}
