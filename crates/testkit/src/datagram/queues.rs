//! How much may wait to be received from one peer.

use socketry_transport::Transport;

use super::steps::{Pair, payload, quiet};
use super::subject::Subject;
use crate::law::Verdict;

pub(super) async fn a_full_queue_drops_the_newest<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let words: [&[u8]; 6] = [b"1", b"22", b"333", b"4", b"5", b"6"];
    overfill(subject, ("peer_queue", "3"), &words, 3).await
}

pub(super) async fn a_queue_is_bounded_in_bytes<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let limit = ("peer_queue_bytes", "1000");
    let sizes = [600, 400, 1, 300].map(payload);
    let words: Vec<&[u8]> = sizes.iter().map(Vec::as_slice).collect();
    overfill(subject, limit, &words, 2).await?;
    // A single datagram always fits.
    let sizes = [5000, 1].map(payload);
    let words: Vec<&[u8]> = sizes.iter().map(Vec::as_slice).collect();
    overfill(subject, limit, &words, 1).await
}

/// Sends `words` to a session that does not receive. The first `fit` of them arrive. It does so
/// twice, and checks that another peer is not affected.
async fn overfill<T: Transport + ?Sized>(
    subject: &Subject<T>,
    limit: (&str, &str),
    words: &[&[u8]],
    fit: usize,
) -> Verdict {
    if !subject.has_limits() {
        return Ok(());
    }
    let steps = subject.steps();
    let Pair {
        mut client,
        mut session,
        mut listener,
    } = subject.pair_with(&[limit]).await?;
    let (mut other, mut with_other) = subject.join(&mut listener).await?;
    for _ in 0..2 {
        for word in words {
            steps.send(&mut client, word).await?;
        }
        steps
            .talk(&mut other, &mut with_other, "that was there")
            .await?;
        for word in &words[..fit] {
            steps.next(&mut session, word).await?;
        }
        quiet(&mut session)?;
    }
    steps.talk(&mut client, &mut session, "room again").await
}
