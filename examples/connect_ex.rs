//! A failed connect is a value that the caller inspects, as Python's `connect_ex` returns a number.

use socketry::prelude::*;
use socketry::transport::{Error, ErrorKind};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let server = listen("tcp://127.0.0.1:0").await?;
    let gone = listen("tcp://127.0.0.1:0").await?.local().clone();

    for url in [
        server.local().to_string(),
        gone.to_string(),
        "tcp://no-such-host.invalid:80".to_owned(),
        "unix:///no/such/socket".to_owned(),
        "tcp://127.0.0.1:1?color=blue".to_owned(),
        "tcp://localhost".to_owned(),
    ] {
        match connect(&url).await {
            Ok(socket) => println!("0    {socket:?}"),
            Err(error) => {
                let number = error
                    .raw_os_error()
                    .map_or("-".to_owned(), |n| n.to_string());
                println!("{number:<4} {:?}: {error}", error.kind());
                let advice = match error.kind() {
                    ErrorKind::Refused => "start the server, or try again later",
                    ErrorKind::TimedOut | ErrorKind::Unreachable => "look at the network",
                    ErrorKind::NotFound => "look at the name",
                    _ => "look at the URL",
                };
                println!("     -> {advice}");
            }
        }
    }
    Ok(())
}
