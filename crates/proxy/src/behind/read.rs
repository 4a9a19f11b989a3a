//! Reading a header from a socket, and the socket that it makes.

use socketry_transport::{
    BoxSocket, Endpoint, ErrorKind, Info, Joined, Prefixed, Received, RecvExt, RecvHalf,
    Relabelled, Socket,
};

use super::guard::{BehindRecv, Watch};
use super::{Forwarded, Sources};
use crate::error::{ProxyError, shown};
use crate::header::{Header, Origin};

/// How many bytes one receive asks for: more than most headers have, and what is too much is given
/// back.
const STEP: usize = 512;

/// What a listener does with each connection.
pub(super) struct Rules {
    pub(super) trusted: Sources,
    pub(super) only: bool,
    pub(super) longest: usize,
}

/// The socket that a program gets.
pub(super) async fn accept<S: Socket>(
    mut socket: S,
    rules: &Rules,
) -> Result<BoxSocket, ProxyError> {
    let info = socket.info().clone();
    if !info.shape().is_stream() {
        let words = "a PROXY header stands before a stream, and this carries datagrams";
        return Err(ProxyError::new(ErrorKind::Unsupported, words));
    }
    if !rules.trusted.have(info.peer()) {
        return match rules.only {
            true => Err(ProxyError::new(
                ErrorKind::Denied,
                "it is not one of the sources that may connect",
            )
            .hint("if it is a balancer, add it to the trusted sources")),
            false => Ok(joined(socket, Vec::new(), info, Watch::stranger())),
        };
    }
    let (header, rest) = header(&mut socket, rules.longest).await?;
    let balancer = info.peer().clone();
    let info = informed(info, header);
    // In version 1, HAProxy tells its own end as the client of its checks.
    let watch = match *info.peer() == balancer {
        true => Watch::Check,
        false => Watch::Nothing,
    };
    Ok(joined(socket, rest, info, watch))
}

/// The header, and the bytes behind it that came with it.
async fn header<R: RecvHalf>(
    socket: &mut R,
    longest: usize,
) -> Result<(Header, Vec<u8>), ProxyError> {
    let mut bytes = Vec::new();
    loop {
        let mut buf = [0; STEP];
        let received = socket.recv(&mut buf).await;
        let (len, received) = received.map_err(|error| ended(&bytes, &ProxyError::io(&error)))?;
        bytes.extend_from_slice(&buf[..len]);
        if let Some((header, len)) = Header::parse(&bytes, longest)? {
            return Ok((header, bytes.split_off(len)));
        }
        if received == Received::End {
            let words = "it closed the connection";
            return Err(ended(&bytes, &ProxyError::new(ErrorKind::Reset, words)));
        }
    }
}

/// The connection was over before the header was.
fn ended(bytes: &[u8], error: &ProxyError) -> ProxyError {
    let kind = error.kind();
    if bytes.is_empty() {
        return ProxyError::new(kind, format!("before a PROXY header: {error}"))
            .hint("if it was a check of this server's health, let that send a header too");
    }
    let shown = shown(bytes);
    ProxyError::new(
        kind,
        format!("in the PROXY header, behind {shown}: {error}"),
    )
}

/// What is known of a connection with this header.
fn informed(info: Info, header: Header) -> Info {
    let client = match header.origin() {
        Origin::Client { source, .. } => Some(client(source, info.peer())),
        Origin::Local | Origin::Unknown => None,
    };
    let balancer = info.clone();
    let info = match client {
        Some(client) => Info::new(info.shape(), info.local().clone(), client),
        None => info,
    };
    info.with(Forwarded { header, balancer })
}

/// The client, with the scheme of the transport inside if that has such addresses.
fn client(source: &Endpoint, balancer: &Endpoint) -> Endpoint {
    match balancer.socket_addr() {
        Some(_) if source.socket_addr().is_some() => source
            .with_scheme(balancer.scheme())
            .unwrap_or_else(|_| source.clone()),
        _ => source.clone(),
    }
}

fn joined<S: Socket>(socket: S, rest: Vec<u8>, info: Info, watch: Watch) -> BoxSocket {
    let (recv, send) = socket.split();
    let recv = Relabelled::new(Prefixed::new(recv, rest), info.clone());
    let recv = BehindRecv::new(recv, watch);
    BoxSocket::new(Joined::new(recv, Relabelled::new(send, info)))
}
