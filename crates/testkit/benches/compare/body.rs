//! A JSON header and 1 GiB behind it over TCP, from a file to a file in memory: `/dev/shm` where
//! there is room for both, or else the temporary directory, and less where there is less.
//!
//! * *ours*: bodies as the file app sends and receives them, without its digests: a thread reads or
//!   writes 256 KiB at a time while the task talks to the peer (`body_writer`, `write`; `body`,
//!   `chunk`).
//! * *ours, copy*: the same bodies as tokio's `AsyncWrite` and `AsyncRead`, with all else as by
//!   hand.
//! * *tokio copy*: by hand. `tokio::io::copy_buf` from a `BufReader` of 256 KiB over
//!   `tokio::fs::File` to the `TcpStream`, and the same back; the header is one line.
//!
//! The clock runs from before the header until the receiver has written the file. Then the file is
//! compared with the first one in a place of each MiB.

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

/// How much is read or written at once.
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
