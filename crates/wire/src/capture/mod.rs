//! What was captured: the bytes of each direction of a conversation.

mod packets;
mod stream;

use thiserror::Error;

use packets::Segment;
use stream::Streams;

/// The bytes that one end sent to another, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Direction {
    /// Who sent them: an address and a port; nothing where the file does not say.
    pub from: String,
    /// Who was to receive them.
    pub to: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether bytes are missing behind these, since the capture lacks a packet or a part of it.
    /// What was captured behind the gap is left out. In a file that ends within a packet they may
    /// be missing behind each direction.
    pub is_cut: bool,
}

/// A file that is no capture.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file says that it is a pcap file, and is not.
    #[error("packet {packet} of the capture cannot be read: {reason}")]
    Malformed {
        /// The number of packets before it, plus 1.
        packet: usize,
        /// What is wrong.
        reason: String,
    },
    /// Packets are wrapped in something that this crate does not know.
    #[error(
        "the packets are of link type {0}, and only Ethernet, Linux \"any\", loopback and raw IP are \
         known here; capture with `tcpdump -i any`"
    )]
    OtherLink(i32),
    /// There is no TCP stream with bytes.
    #[error("the capture has {0} packets, and none of them has bytes of a TCP stream")]
    NoStream(usize),
}

/// Each direction of each TCP stream in `file`, if that is a pcap or pcapng file. Any other file is
/// taken for the bytes of one direction.
///
/// Segments are put in order. Bytes that were sent again are taken once. UDP and fragments of IP
/// are passed over.
///
/// # Errors
/// If it is a damaged pcap file, or has no TCP stream.
pub fn read(file: &[u8]) -> Result<Vec<Direction>, CaptureError> {
    if !packets::is_capture(file) {
        let bytes = file.to_vec();
        return Ok(vec![Direction {
            bytes,
            ..Direction::default()
        }]);
    }
    let mut streams = Streams::default();
    let packets = packets::for_each(file, |segment: Segment<'_>| streams.add(segment))?;
    let mut directions = streams.directions();
    if directions.is_empty() {
        return Err(CaptureError::NoStream(packets.count));
    }
    for direction in &mut directions {
        direction.is_cut |= packets.is_cut;
    }
    Ok(directions)
}
