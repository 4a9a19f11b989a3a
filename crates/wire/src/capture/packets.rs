//! TCP segments out of the packets of a pcap or pcapng file.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::pcapng::Block;
use pcap_parser::{Linktype, PcapBlockOwned, PcapError, create_reader};

use super::CaptureError;

/// The part of a TCP segment that matters here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// The number of its first byte, or of SYN.
    pub(super) number: u32,
    pub(super) is_first: bool,
    /// Whether the capture lacks bytes at its end.
    pub(super) is_cut: bool,
    /// The bytes that were captured.
    pub(super) bytes: &'a [u8],
}

/// The first four bytes of a pcapng file (draft-ietf-opsawg-pcapng, section 4.1).
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Those of all files: pcap in both byte orders, with micro- and nanoseconds
/// (draft-ietf-opsawg-pcap, section 4), and pcapng.
const MAGIC: [[u8; 4]; 5] = [
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    PCAPNG,
];

pub(super) fn is_capture(file: &[u8]) -> bool {
    MAGIC.iter().any(|magic| file.starts_with(magic))
}

/// The packets of a file.
pub(super) struct Packets {
    pub(super) count: usize,
    /// Whether the file ends within another one.
    pub(super) is_cut: bool,
}

/// Gives each TCP segment to `take`, in the order of the file.
pub(super) fn for_each(
    file: &[u8],
    mut take: impl FnMut(Segment<'_>),
) -> Result<Packets, CaptureError> {
    let ended = |count, left: &[u8]| {
        let is_cut = !left.is_empty();
        Ok(Packets { count, is_cut })
    };
    let (mut packets, mut interfaces) = (0, Vec::new());
    // With room for all of it, a block that is not whole is one that the file ends in.
    let reader = create_reader(file.len() + 1, file);
    let mut reader = reader.map_err(|error| malformed(packets, &error))?;
    loop {
        if file.starts_with(&PCAPNG) && is_short_block(reader.data()) {
            let reason = "a block is shorter than what stands before and behind it".to_owned();
            let packet = packets + 1;
            return Err(CaptureError::Malformed { packet, reason });
        }
        match reader.next() {
            Ok((used, block)) => {
                if let Some((link, data)) = packet(&block, &mut interfaces) {
                    packets += 1;
                    if let Some(segment) = segment(link, data)? {
                        take(segment);
                    }
                }
                reader.consume(used);
            }
            // The second is a block that says that it is longer than the whole file.
            Err(PcapError::Eof | PcapError::BufferTooSmall) => {
                return ended(packets, reader.data());
            }
            Err(PcapError::Incomplete(_)) => {
                let before = reader.data().len();
                reader
                    .refill()
                    .map_err(|error| malformed(packets, &error))?;
                if reader.data().len() == before {
                    return ended(packets, reader.data());
                }
            }
            Err(error) => return Err(malformed(packets, &error)),
        }
    }
}

/// Whether the block at the front says that it has less than its type and its two lengths take,
/// which the parser does not expect of every type. In the other byte order such a number is a block
/// of 16 MiB or a multiple of that, and no packet is so long.
fn is_short_block(blocks: &[u8]) -> bool {
    let len = blocks.get(4..8).and_then(|len| len.try_into().ok());
    len.is_some_and(|len| u32::from_le_bytes(len).min(u32::from_be_bytes(len)) < 12)
}

fn malformed(packets: usize, error: &PcapError<&[u8]>) -> CaptureError {
    CaptureError::Malformed {
        packet: packets + 1,
        reason: error.to_string(),
    }
}

/// How the packets of an interface were captured.
struct Interface {
    link: Linktype,
    /// The most bytes of a packet; 0 for any number.
    snaplen: u32,
}

/// The link type and the bytes, if the block is a packet.
fn packet<'a>(
    block: &PcapBlockOwned<'a>,
    interfaces: &mut Vec<Interface>,
) -> Option<(Linktype, &'a [u8])> {
    let (interface, data, len) = match block {
        PcapBlockOwned::LegacyHeader(header) => {
            // The upper bits tell of the checksum behind each packet (draft-ietf-opsawg-pcap,
            // section 4).
            let link = Linktype(header.network.0 & 0xffff);
            interfaces.push(Interface { link, snaplen: 0 });
            return None;
        }
        PcapBlockOwned::Legacy(block) => (0, block.data, block.caplen),
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            return None;
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(block)) => {
            let (link, snaplen) = (block.linktype, block.snaplen);
            interfaces.push(Interface { link, snaplen });
            return None;
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
            (block.if_id as usize, block.data, block.caplen)
        }
        PcapBlockOwned::NG(Block::SimplePacket(block)) => {
            // It does not say how many bytes were captured.
            let most = interfaces.first().map_or(0, |interface| interface.snaplen);
            let most = if most == 0 { block.origlen } else { most };
            (0, block.data, block.origlen.min(most))
        }
        PcapBlockOwned::NG(_) => return None,
    };
    // Behind the packet there may be bytes that fill up its block.
    let data = &data[..data.len().min(len as usize)];
    Some((interfaces.get(interface)?.link, data))
}

/// The TCP segment in a packet, if there is one.
fn segment(link: Linktype, data: &[u8]) -> Result<Option<Segment<'_>>, CaptureError> {
    let packet = match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok(),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | DARWIN_RAW => from_ip(data, 0),
        Linktype::NULL | Linktype::LOOP => from_ip(data, 4),
        Linktype::LINUX_SLL => typed(data, 14, 16),
        Linktype::LINUX_SLL2 => typed(data, 0, 20),
        Linktype(other) => return Err(CaptureError::OtherLink(other)),
    };
    Ok(packet.and_then(|packet| tcp(&packet)))
}

/// Raw IP, as some systems number it.
const DARWIN_RAW: Linktype = Linktype(12);

fn from_ip(data: &[u8], header: usize) -> Option<LaxSlicedPacket<'_>> {
    LaxSlicedPacket::from_ip(data.get(header..)?).ok()
}

/// A packet behind a header of `len` bytes, which has the type of what follows at `at`.
fn typed(data: &[u8], at: usize, len: usize) -> Option<LaxSlicedPacket<'_>> {
    let kind = u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?);
    let rest = data.get(len..)?;
    Some(LaxSlicedPacket::from_ether_type(EtherType(kind), rest))
}

fn tcp<'a>(packet: &LaxSlicedPacket<'a>) -> Option<Segment<'a>> {
    let TransportSlice::Tcp(tcp) = packet.transport.as_ref()? else {
        return None;
    };
    let net = packet.net.as_ref()?;
    let (from, to): (IpAddr, IpAddr) = match net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
            )
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
            )
        }
        LaxNetSlice::Arp(_) => return None,
    };
    Some(Segment {
        from: SocketAddr::new(from, tcp.source_port()),
        to: SocketAddr::new(to, tcp.destination_port()),
        number: tcp.sequence_number(),
        is_first: tcp.syn(),
        is_cut: net
            .ip_payload_ref()
            .is_some_and(|payload| payload.incomplete),
        bytes: tcp.payload(),
    })
}
