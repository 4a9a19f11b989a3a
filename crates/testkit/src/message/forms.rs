//! The forms of a socket: whole and in halves, and erased.

use socketry_transport::{BoxSocket, Half, Shape, Socket, Transport};

use super::Subject;
pub(super) use crate::stream::forms::erased_and_generic_forms_behave_alike;
use crate::stream::verdict::{Verdict, ensure, same};

pub(super) async fn every_form_carries_messages<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, server, mut listener) = subject.pair().await?;
    check("the client", client)?;
    check("the server", server)?;
    let (client, server) = subject.meet(&mut listener).await?;
    check("the client, erased", BoxSocket::new(client))?;
    check("the server, erased", BoxSocket::new(server))
}

fn check(what: &str, socket: impl Socket) -> Verdict {
    let shape = socket.shape();
    let carries = matches!(shape, Shape::Message { max_len } if max_len > 0);
    ensure(carries, format_args!("{what} is {shape}, and not messages"))?;
    let (local, peer) = (socket.local().clone(), socket.peer().clone());
    let (recv, send) = socket.split();
    let halves: [&dyn Half; 2] = [&recv, &send];
    for half in halves {
        same(&format!("{what}, a half"), half.shape(), shape)?;
        same(&format!("{what}, a half's local end"), half.local(), &local)?;
        same(&format!("{what}, a half's peer"), half.peer(), &peer)?;
    }
    Ok(())
}
