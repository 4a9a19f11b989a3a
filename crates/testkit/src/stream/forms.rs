//! The forms of a socket: whole and in halves, erased, and as `AsyncRead` and `AsyncWrite`.

use socketry_transport::{
    BoxSocket, Credentials, FromIo, Half, IntoIo, RecvExt, SendExt, Shape, Socket, Transport,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Subject;
use super::bytes::recv_batch;
use super::pattern::{check, pattern, recv_last, recv_pattern, send_flushed};
use super::verdict::{Failure, Verdict, ensure, same};

pub(crate) async fn every_form_is_a_stream<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, server, mut listener) = subject.pair().await?;
    check_forms("the client", client)?;
    check_forms("the server", server)?;
    let (client, server) = subject.meet(&mut listener).await?;
    check_forms("the client, erased", BoxSocket::new(client))?;
    check_forms("the server, erased", BoxSocket::new(server))
}

fn check_forms(what: &str, socket: impl Socket) -> Verdict {
    same(what, socket.shape(), Shape::Stream)?;
    let (local, peer) = (socket.local().clone(), socket.peer().clone());
    let credentials = socket.info().get::<Credentials>().copied();
    let (recv, send) = socket.split();
    let halves: [&dyn Half; 2] = [&recv, &send];
    for half in halves {
        same(&format!("{what}, a half"), half.shape(), Shape::Stream)?;
        same(&format!("{what}, a half's local end"), half.local(), &local)?;
        same(&format!("{what}, a half's peer"), half.peer(), &peer)?;
        same(
            &format!("{what}, a half's credentials"),
            half.info().get().copied(),
            credentials,
        )?;
    }
    Ok(())
}

pub(crate) async fn erased_and_generic_forms_behave_alike<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let (client, server, mut listener) = subject.pair().await?;
    let talk = transcript(&subject, client, server);
    let generic = subject.within("a talk", talk).await?;
    let (client, server) = subject.meet(&mut listener).await?;
    let (client, server) = (BoxSocket::new(client), BoxSocket::new(server));
    let talk = transcript(&subject, client, server);
    let erased = subject
        .within("a talk between erased sockets", talk)
        .await?;
    same("what erased sockets say of it", erased, generic)
}

/// The results of the steps of a short conversation.
async fn transcript<T, C, S>(subject: &Subject<T>, client: C, server: S) -> Verdict<Vec<String>>
where
    T: Transport,
    C: Socket,
    S: Socket,
{
    let mut said = Vec::new();
    let mut buf = [0; 8];
    let (mut client, mut server) = (client, server);
    said.push(format!("{:?}", client.send(b"").await));
    said.push(format!("{:?}", client.send_all(b"hello, you").await));
    said.push(format!("{:?}", server.recv(&mut []).await));
    said.push(format!("{:?}", server.recv(&mut buf[..3]).await));
    said.push(format!("{:?}", server.recv(&mut buf).await));
    said.push(format!("{:?}", server.send_all(b"and you").await));
    let mut batch = Vec::new();
    said.push(format!("{:?}", recv_batch(&mut client, &mut batch).await));
    said.push(format!("{batch:?}"));
    let client = subject.hang_up(client).await?;
    said.push(format!("{:?}", server.recv(&mut buf).await));
    if let Some(client) = client {
        let (mut recv, mut send) = client.split();
        said.push(format!(
            "{:?}",
            send.send(b"late").await.map_err(|e| e.kind())
        ));
        said.push(format!("{:?}", server.send_all(b"bye").await));
        said.push(format!("{:?}", recv.recv(&mut buf).await));
        drop(server);
        said.push(format!("{:?}", recv.recv(&mut buf).await));
    }
    Ok(said)
}

pub(crate) async fn async_read_and_write_change_nothing<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    const ALL: usize = 300_000;
    let (client, server, mut listener) = subject.pair().await?;
    let (mut client, mut server) = (there_and_back(client)?, there_and_back(server)?);
    let both = async {
        tokio::try_join!(
            send_flushed(&mut client, (0, ALL), 7777),
            recv_pattern(&mut server, (0, ALL), 5000),
        )
    };
    subject.within("through both and back", both).await?;
    let empty = subject.within("an empty receive", server.recv(&mut []));
    same("an empty receive", empty.await?.0, 0)?;
    let _client = subject.hang_up(client).await?;
    let ending = recv_last(&mut server, (0, 0));
    subject
        .within("the end, through both and back", ending)
        .await?;

    let (client, server) = subject.meet(&mut listener).await?;
    let reading = read_to_end(IntoIo::new(server).map_err(Failure::new)?, ALL);
    let both = async { tokio::try_join!(write_all(client, ALL), reading) };
    subject
        .within("write_all, shutdown and read_to_end", both)
        .await?;
    Ok(())
}

/// `socket` as `AsyncRead + AsyncWrite`, and that as a socket again.
fn there_and_back<S: Socket>(socket: S) -> Verdict<FromIo<IntoIo<S>>> {
    let info = socket.info().clone();
    let io = IntoIo::new(socket).map_err(Failure::new)?;
    Ok(FromIo::from_io(io, info))
}

async fn write_all<S: Socket>(socket: S, all: usize) -> Verdict {
    let mut io = IntoIo::new(socket).map_err(Failure::new)?;
    io.write_all(&pattern(0, all)).await.map_err(Failure::new)?;
    io.shutdown().await.map_err(Failure::new)
}

async fn read_to_end<S: Socket>(mut io: IntoIo<S>, all: usize) -> Verdict {
    let mut came = Vec::new();
    io.read_to_end(&mut came).await.map_err(Failure::new)?;
    check(&came, 0)?;
    ensure(
        came.len() == all,
        format_args!("{} of {all} bytes came", came.len()),
    )
}
