//! The network.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The program that is the network.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/lossy/link.py");
/// This machine, and the address at which it reaches itself through the network.
pub(crate) const HERE: &str = "10.9.0.1";
pub(crate) const THERE: &str = "10.9.0.2";

#[derive(Clone, Copy)]
pub(crate) struct Link {
    /// Of 1,000 packets, so many are lost, and as many come 2 ms late.
    loss: u32,
    /// How long each packet takes, in milliseconds.
    delay: u32,
}

/// Is there until it is dropped.
pub(crate) struct Running(Child);

impl Link {
    pub(crate) const fn losing(loss: u32) -> Self {
        Link { loss, delay: 0 }
    }

    pub(crate) const fn within(self, delay: u32) -> Self {
        Link { delay, ..self }
    }

    /// `congestion` is that of TCP.
    pub(crate) fn start(self, congestion: &str) -> Running {
        let mut child = Command::new("python3")
            .args([PROGRAM, HERE])
            .args([self.loss.to_string(), self.delay.to_string()])
            .arg(congestion)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n");
        Running(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
