//! The other ends, in a process that obeys its standard input, line by line.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use socketry_tls::rustls::{ClientConfig, ClientConnection, StreamOwned};
use socketry_tls::{Tls, Trust};

/// A process that has the other end of every connection. It ends when this is dropped.
pub(crate) struct Peers {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peers {
    pub(crate) fn start(place: &str) -> Self {
        Self::start_with(&["--peers", place])
    }

    /// Peers that speak TLS, and accept the key with this pin.
    pub(crate) fn start_tls(place: &str, pin: &str) -> Self {
        Self::start_with(&["--peers", place, pin])
    }

    fn start_with(words: &[&str]) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Peers {
            orders: process.stdin.take(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    /// Makes one more connection.
    pub(crate) fn connect(&mut self) {
        self.order("connect");
    }

    /// Writes `text` to every connection.
    pub(crate) fn write(&mut self, text: &str) {
        self.order(text);
    }

    /// Sends an order, and returns when it is carried out.
    fn order(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        let read = self.answers.read_line(&mut String::new()).unwrap();
        assert!(read > 0, "the peers are gone");
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.process.wait();
    }
}

/// The main function of that process.
pub(crate) fn run(place: &str, pin: Option<String>) {
    let config = pin.map(|pin| {
        let tls = Tls::new().trust(Trust::pin(pin.parse().unwrap()));
        Arc::new(tls.client_config().unwrap())
    });
    let mut streams: Vec<Box<dyn Write>> = Vec::new();
    for order in io::stdin().lines() {
        match order.unwrap().as_str() {
            "connect" => {
                let stream = TcpStream::connect(place).unwrap();
                streams.push(match &config {
                    Some(config) => Box::new(over_tls(stream, config)),
                    None => Box::new(stream),
                });
            }
            text => write(&mut streams, text.as_bytes()),
        }
        println!("done");
    }
}

/// The handshake comes with the first write.
fn over_tls(
    stream: TcpStream,
    config: &Arc<ClientConfig>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    StreamOwned::new(connection, stream)
}

fn write(streams: &mut [Box<dyn Write>], bytes: &[u8]) {
    for stream in streams {
        stream.write_all(bytes).unwrap();
        stream.flush().unwrap();
    }
}
