//! Unknown peers cannot evict known ones.

use socketry_transport::{Listener, Transport};

use super::steps::quiet;
use super::subject::Subject;
use crate::law::Verdict;

/// How many waves of datagrams there are, and from how many addresses each.
const WAVES: usize = 8;
const STRANGERS: usize = 16;

pub(super) async fn a_flood_evicts_no_peer<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    let steps = subject.steps();
    let small = [("max_peers", "8"), ("backlog", "4")];
    let options = if subject.has_limits() {
        &small[..]
    } else {
        &[]
    };
    let mut listener = subject.listen(options).await?;
    let (mut ann, mut with_ann) = subject.join(&mut listener).await?;
    let (mut bob, mut with_bob) = subject.join(&mut listener).await?;
    for wave in 0..WAVES {
        steps.send(&mut ann, b"before").await?;
        let mut strangers = Vec::new();
        for _ in 0..STRANGERS {
            let mut stranger = subject.connect(listener.local()).await?;
            steps.send(&mut stranger, b"flood").await?;
            strangers.push(stranger);
        }
        steps.next(&mut with_ann, b"before").await?;
        steps
            .talk(&mut ann, &mut with_ann, &format!("ann {wave}"))
            .await?;
        steps
            .talk(&mut bob, &mut with_bob, &format!("bob {wave}"))
            .await?;
    }
    quiet(&mut with_ann)?;
    quiet(&mut with_bob)
}
