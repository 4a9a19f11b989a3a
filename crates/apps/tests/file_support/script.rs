//! Peers that use nothing of this project.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use serde_json::{Value, json};

use super::DEADLINE;

/// A client of the length-prefixed protocol that uses nothing of this project.
pub(crate) struct Script(pub(crate) TcpStream);

impl Script {
    pub(crate) fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Script(stream)
    }

    pub(crate) fn send(&mut self, header: &Value) -> &mut Self {
        let header = header.to_string();
        let len = i32::try_from(header.len()).unwrap();
        // In one write: a second one would wait for the acknowledgement of the first (Nagle).
        self.write(&[&len.to_le_bytes(), header.as_bytes()].concat())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.write_all(bytes).unwrap();
        self
    }

    pub(crate) fn read(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn answer(&mut self) -> Value {
        let len = self.read(4).try_into().unwrap();
        let header = self.read(usize::try_from(i32::from_le_bytes(len)).unwrap());
        serde_json::from_slice(&header).unwrap()
    }

    /// The error that answers `header`.
    pub(crate) fn refused(&mut self, header: &Value) -> String {
        self.send(header).error()
    }

    /// The error that answers an upload of three bytes under this name.
    pub(crate) fn refused_upload(&mut self, name: &str) -> String {
        self.send(&upload(name, 3)).write(b"abc").error()
    }

    fn error(&mut self) -> String {
        let answer = self.answer();
        assert_eq!(answer["status"], "error", "{answer}");
        answer["error"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn upload(name: &str, len: u64) -> Value {
    json!({"opt": "upload", "filename": name, "filesize": len})
}

/// A server that sends these headers, each with its body, whatever the client asks. For tests of
/// our client.
pub(crate) fn scripted(answer: Vec<(Value, &'static [u8])>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut script = Script(listener.accept().unwrap().0);
        script.answer();
        for (header, body) in answer {
            script.send(&header).write(body);
        }
        script.0.shutdown(Shutdown::Write).unwrap();
        let _ = script.0.read_to_end(&mut Vec::new());
    });
    at
}
