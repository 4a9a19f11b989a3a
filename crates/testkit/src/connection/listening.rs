//! How connections are accepted.

use socketry_transport::{MuxListener, MuxTransport};

use super::Subject;
use super::steps::{Pair, Verdict, same};

pub(super) async fn connections_do_not_mix<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let mut pair = subject.pair().await?;
    let mut all = vec![(pair.client, pair.server)];
    for _ in 0..4 {
        all.push(subject.meet(&mut pair.listener).await?);
    }
    let mut streams = Vec::new();
    for (number, (client, _)) in (0_u8..).zip(&mut all) {
        streams.push(subject.open(client, &[number]).await?);
    }
    for (number, (_, server)) in (0_u8..).zip(&mut all) {
        let mut accepted = subject.accept(server).await?;
        subject.hear(&mut accepted, &[number]).await?;
    }
    Ok(())
}

pub(super) async fn a_cancelled_accept_loses_no_connection<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let mut pair = subject.pair().await?;
    for _ in 0..10 {
        let accepting = pair.listener.accept();
        subject
            .waits("accepting without a client", accepting)
            .await?;
        let (mut client, mut server) = subject.meet(&mut pair.listener).await?;
        subject.stream(&mut client, &mut server).await?;
    }
    Ok(())
}

pub(super) async fn a_dropped_listener_refuses_and_its_connections_live_on<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener,
    } = subject.pair().await?;
    let at = listener.local().clone();
    drop(listener);
    let refused = subject.transport.connect(&at);
    let refused = subject.comes("connecting to nobody", refused).await?;
    same("whether a newcomer is refused", refused.is_err(), true)?;
    let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    subject.talk(&mut opened, &mut accepted).await
}
