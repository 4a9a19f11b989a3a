//! Sockets from parts, as Python's `socket(family, type, proto, fileno)` makes them: with a family,
//! type and protocol, or from a descriptor that another library opened.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use socketry::codec::Struct;
use socketry::prelude::*;
use socketry::transport::{SocketOptions, SocketParts};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), bind, listen: step by step, with options by name.
    let (family, kind) = (socket2::Domain::IPV4.into(), socket2::Type::STREAM.into());
    let parts = SocketParts::new(family, kind, socket2::Protocol::TCP.into())?;
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    let options = SocketOptions {
        reuse_address: Some(true),
        ..Default::default()
    };
    options.apply(parts.as_socket(), &"tcp://127.0.0.1:0".parse()?)?;
    parts.as_socket().bind(&address.into())?;
    parts.as_socket().listen(8)?;
    let mut listener = parts.listening()?;
    println!("a listener made by hand is {}", listener.local());
    let client = connect(listener.local()).await?;
    let accepted = listener.accept().await?;
    println!(
        "  {client:?} was accepted: {:?}",
        SocketOptions::read_back(&accepted)?.reuse_address
    );

    // socket(fileno=...): two descriptors from another library.
    let (ours, theirs) = UnixStream::pair()?;
    let mut ours = Framed::new(
        SocketParts::from(OwnedFd::from(ours)).connected()?,
        Struct::default(),
    );
    let mut theirs = Framed::new(
        SocketParts::from(OwnedFd::from(theirs)).connected()?,
        Struct::default(),
    );
    ours.send(b"through a descriptor").await?;
    let frame = theirs.recv().await?.ok_or("closed")?;
    println!(
        "an inherited pair carries {:?}",
        String::from_utf8_lossy(frame)
    );

    // An impossible combination is an error here, and no surprise later.
    let stream = SocketParts::new(family, kind, 0)?;
    if let Err(error) = stream.listening() {
        println!("not yet listening: {error}");
    }
    Ok(())
}
