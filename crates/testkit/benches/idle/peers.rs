//! The other ends, in a process that obeys its standard input, line by line.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A process that has the other end of every connection. It ends when this is dropped.
pub(crate) struct Peers {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peers {
    pub(crate) fn start(place: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--peers", place])
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
pub(crate) fn run(place: &str) {
    let mut streams = Vec::new();
    for order in io::stdin().lines() {
        match order.unwrap().as_str() {
            "connect" => streams.push(TcpStream::connect(place).unwrap()),
            text => write(&mut streams, text.as_bytes()),
        }
        println!("done");
    }
}

fn write(streams: &mut [TcpStream], bytes: &[u8]) {
    for stream in streams {
        stream.write_all(bytes).unwrap();
    }
}
