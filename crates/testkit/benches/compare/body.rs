//! A JSON header and a body of 1 GiB over TCP, from a file to a file. The files are in memory, in
//! `/dev/shm`, if both fit there, or else in the temporary directory. The body is shorter if there
//! is less room.
//!
//! * *ours*: bodies as the file app sends and receives them, without its digests: a thread reads or
//!   writes 256 KiB at a time while the task talks to the peer (`body_writer`, `write`; `body`,
//!   `chunk`).
//! * *ours, copy*: the same bodies as tokio's `AsyncWrite` and `AsyncRead`, and everything else as
//!   by hand.
//! * *tokio copy*: by hand. `tokio::io::copy_buf` from a `BufReader` of 256 KiB over
//!   `tokio::fs::File` to the `TcpStream`, and the same back; the header is one line.
//!
//! The clock runs from before the header until the receiver has written the file. Then one place of
//! each MiB of the file is compared with the original.

mod copied;
mod pumped;
mod room;

use std::fs::{self, File};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::contest::{Contest, Unit, Work};
use crate::stream::Found;
use room::Room;

/// How many bytes are read or written at once.
const CHUNK: usize = 256 * 1024;

#[derive(Serialize, Deserialize)]
struct Header {
    filename: String,
    filesize: u64,
}

pub(crate) fn contests() -> Vec<Contest> {
    let room = Rc::new(Room::find());
    let contest = Contest::new("body", room.label(), Unit::Bytes)
        .side("ours", side(&room, pumped::receive, pumped::send))
        .side("ours, copy", side(&room, copied::receive, copied::send))
        .side(
            "tokio copy",
            side(&room, copied::receive_raw, copied::send_raw),
        )
        .target("ours", "tokio copy", 1.0);
    vec![contest]
}

fn side(
    room: &Rc<Room>,
    receive: fn(Found, File),
    send: fn(&str, File, &Header) -> Instant,
) -> impl FnMut() -> Work + use<> {
    let room = Rc::clone(room);
    move || {
        let (source, target) = (room.source(), room.target());
        let file = File::create(&target).unwrap();
        let (found, place) = mpsc::channel();
        let receiver = thread::spawn(move || {
            receive(found, file);
            Instant::now()
        });
        let header = Header {
            filename: "body".to_owned(),
            filesize: room.size,
        };
        let begun = send(&place.recv().unwrap(), source, &header);
        let over = receiver.join().unwrap();
        room.compare(&target);
        fs::remove_file(target).unwrap();
        Work {
            amount: room.size as f64,
            elapsed: over - begun,
        }
    }
}
