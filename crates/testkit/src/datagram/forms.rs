//! The same behaviour for every type.

use std::future::poll_fn;
use std::io;

use socketry_transport::{Batch, Credentials, RecvExt, SendExt, Socket, Transport};

use super::steps::{Pair, same, with};
use super::subject::Subject;
use crate::law::Verdict;

pub(super) async fn the_erased_form_behaves_alike<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let itself = account(subject).await?;
    let erased = account(&subject.clone().erased()).await?;
    for (itself, erased) in itself.iter().zip(&erased) {
        same("erased", erased, itself)?;
    }
    same("what there is to tell", &erased.len(), &itself.len())
}

/// Everything that can be observed of a transport without its type, except addresses, which differ
/// from run to run.
async fn account<T: Transport + ?Sized>(subject: &Subject<T>) -> Result<Vec<String>, String> {
    let strange = with(subject.at(), &[("no_such_option", "1")]);
    let refused = subject.transport().listen(&strange).await;
    let mut told = vec![
        format!("keys {:?}", subject.transport().keys()),
        format!(
            "listening strangely {:?}",
            refused.map(drop).map_err(|e| e.kind())
        ),
    ];
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    meet(subject, &mut client, &mut session, &mut told).await?;
    meet(subject, &mut session, &mut client, &mut told).await?;
    Ok(told)
}

async fn meet<T: Transport + ?Sized>(
    subject: &Subject<T>,
    from: &mut impl Socket,
    to: &mut impl Socket,
    told: &mut Vec<String>,
) -> Verdict {
    let steps = subject.steps();
    told.push(format!("{:?}, room for {}", from.shape(), to.recv_room()));
    told.push(format!(
        "vouched for: {}",
        from.info().get::<Credentials>().is_some()
    ));
    told.push(format!(
        "abort {:?}",
        from.abort_on_drop(false).as_ref().map_err(io::Error::kind)
    ));
    for word in [&b"whole"[..], b"", b"longer than that"] {
        let sent = steps.wait("sending", from.send(word)).await?;
        let mut buf = [0; 8];
        let received = steps.wait("receiving", to.recv(&mut buf)).await?;
        told.push(format!(
            "{:?} {:?} {buf:?}",
            sent.as_ref().map_err(io::Error::kind),
            received.as_ref().map_err(io::Error::kind)
        ));
    }
    let run = poll_fn(|cx| from.poll_send_run(cx, b"run", 3));
    let run = steps.wait("sending a run", run).await?;
    let mut batch = Batch::new();
    let received = poll_fn(|cx| to.poll_recv_batch(cx, &mut batch));
    let received = steps.wait("receiving a batch", received).await?;
    let (run, received) = (
        run.as_ref().map_err(io::Error::kind),
        received.as_ref().map_err(io::Error::kind),
    );
    told.push(format!(
        "{run:?} {received:?} {:?}",
        batch.iter().collect::<Vec<_>>()
    ));
    let large = vec![0; super::steps::max_len(from)? + 1];
    let refused = steps.wait("sending", from.send(&large)).await?;
    told.push(format!(
        "one too many {:?}",
        refused.as_ref().map_err(io::Error::kind)
    ));
    Ok(())
}
