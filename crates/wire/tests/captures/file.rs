//! Capture files that the tests write.

use etherparse::PacketBuilder;

pub(crate) const ETHERNET: u16 = 1;
pub(crate) const RAW: u16 = 101;
pub(crate) const NULL: u16 = 0;
pub(crate) const SLL: u16 = 113;
pub(crate) const SLL2: u16 = 276;

/// A TCP segment from port `from` to port `to` of this machine.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) number: u32,
    pub(crate) syn: bool,
    pub(crate) bytes: &'a [u8],
}

/// A segment of the client, with bytes.
pub(crate) fn data(number: u32, bytes: &[u8]) -> Segment<'_> {
    Segment {
        from: 4000,
        to: 9000,
        number,
        syn: false,
        bytes,
    }
}

/// The first segment of the client.
pub(crate) fn syn(number: u32) -> Segment<'static> {
    Segment {
        syn: true,
        ..data(number, b"")
    }
}

/// The segment as a packet of this link type.
pub(crate) fn packet(link: u16, segment: Segment<'_>) -> Vec<u8> {
    let Segment {
        from,
        to,
        number,
        syn,
        bytes,
    } = segment;
    let four = ([127, 0, 0, 1], [127, 0, 0, 1]);
    let six = ([1; 16], [2; 16]);
    let mut packet = match link {
        SLL => [&[0; 14][..], &[0x08, 0x00]].concat(),
        SLL2 => [&[0x86, 0xdd][..], &[0; 18]].concat(),
        NULL => vec![2, 0, 0, 0],
        _ => Vec::new(),
    };
    let tcp = match link {
        ETHERNET => {
            let ethernet = PacketBuilder::ethernet2([0; 6], [0; 6]);
            ethernet
                .ipv4(four.0, four.1, 64)
                .tcp(from, to, number, 1024)
        }
        SLL2 => PacketBuilder::ipv6(six.0, six.1, 64).tcp(from, to, number, 1024),
        _ => PacketBuilder::ipv4(four.0, four.1, 64).tcp(from, to, number, 1024),
    };
    let tcp = if syn { tcp.syn() } else { tcp.ack(1) };
    tcp.write(&mut packet, bytes).unwrap();
    packet
}

/// A pcap file, with the bytes of each packet that were captured, and its length.
pub(crate) fn pcap(link: u16, packets: &[(&[u8], usize)]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    file.extend([0; 8]);
    file.extend(262_144_u32.to_le_bytes());
    file.extend(u32::from(link).to_le_bytes());
    for (captured, len) in packets {
        file.extend([0; 8]);
        file.extend(u32::try_from(captured.len()).unwrap().to_le_bytes());
        file.extend(u32::try_from(*len).unwrap().to_le_bytes());
        file.extend(*captured);
    }
    file
}

/// A pcapng file in big-endian order.
pub(crate) fn pcapng(link: u16, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = section(link, 0);
    for packet in packets {
        let len = u32::try_from(packet.len()).unwrap().to_be_bytes();
        block(&mut file, 6, &[&[0; 12][..], &len, &len, packet].concat());
    }
    file
}

/// A pcapng file of a simple packet, which does not say how much of it was captured.
pub(crate) fn simple(link: u16, most: usize, packet: &[u8]) -> Vec<u8> {
    let mut file = section(link, u32::try_from(most).unwrap());
    let len = u32::try_from(packet.len()).unwrap().to_be_bytes();
    let captured = if most == 0 { packet.len() } else { most };
    let captured = &packet[..captured.min(packet.len())];
    block(&mut file, 3, &[&len[..], captured].concat());
    file
}

/// The begin of a pcapng file, with an interface that captures so many bytes of a packet.
fn section(link: u16, most: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let section = [
        &0x1a2b_3c4d_u32.to_be_bytes()[..],
        &[0, 1, 0, 0],
        &[0xff; 8],
    ]
    .concat();
    block(&mut file, 0x0a0d_0d0a, &section);
    let interface = [&link.to_be_bytes()[..], &[0; 2], &most.to_be_bytes()].concat();
    block(&mut file, 1, &interface);
    file
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let padded = body.len().next_multiple_of(4);
    let len = u32::try_from(padded + 12).unwrap().to_be_bytes();
    file.extend(kind.to_be_bytes());
    file.extend(len);
    file.extend(body);
    file.extend(vec![0; padded - body.len()]);
    file.extend(len);
}
