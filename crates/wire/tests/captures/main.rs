//! The bytes of TCP streams out of capture files.
#![allow(clippy::unwrap_used, reason = "tests")]

mod file;

use file::{ETHERNET, NULL, RAW, SLL, SLL2, Segment, data, packet, pcap, pcapng, simple, syn};
use proptest::prelude::*;
use socketry_wire::{CaptureError, Direction, read};

/// A pcap file of whole packets with these segments.
fn captured(segments: &[Segment<'_>]) -> Vec<u8> {
    let packets: Vec<_> = segments.iter().map(|one| packet(ETHERNET, *one)).collect();
    let packets: Vec<_> = packets.iter().map(|one| (&one[..], one.len())).collect();
    pcap(ETHERNET, &packets)
}

/// The bytes of the only direction, and whether it is cut.
fn only(segments: &[Segment<'_>]) -> (Vec<u8>, bool) {
    match &read(&captured(segments)).unwrap()[..] {
        [Direction { bytes, is_cut, .. }] => (bytes.clone(), *is_cut),
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_other_file_is_one_direction() {
    let [direction] = &read(b"plain bytes").unwrap()[..] else {
        panic!("one direction");
    };
    assert_eq!(direction.bytes, b"plain bytes");
    assert!(direction.from.is_empty() && !direction.is_cut);
}

#[test]
fn packets_of_every_link_type_are_read() {
    for link in [ETHERNET, RAW, NULL, SLL, SLL2] {
        let packets = [packet(link, syn(9)), packet(link, data(10, b"hello"))];
        let plain: Vec<_> = packets.iter().map(|one| (&one[..], one.len())).collect();
        for file in [pcap(link, &plain), pcapng(link, &packets)] {
            let directions = read(&file).unwrap();
            assert_eq!(directions[0].bytes, b"hello", "{link}");
            assert!(directions[0].from.ends_with(":4000"), "{link}");
            assert!(directions[0].to.ends_with(":9000"), "{link}");
        }
    }
}

#[test]
fn both_directions_are_apart() {
    let answer = Segment {
        from: 9000,
        to: 4000,
        ..data(77, b"answer")
    };
    let directions = read(&captured(&[data(1, b"question"), answer])).unwrap();
    let bytes: Vec<_> = directions.iter().map(|one| &one.bytes[..]).collect();
    assert_eq!(bytes, [&b"question"[..], b"answer"]);
}

#[test]
fn segments_are_put_in_order_and_taken_once() {
    let all = [
        syn(99),
        data(106, b"world"),
        data(100, b"hello"),
        data(105, b", world"),
        data(102, b"llo"),
        data(100, b"hello"),
    ];
    let bytes = only(&all);
    assert_eq!(bytes, (b"hello, world".to_vec(), false));
}

#[test]
fn numbers_wrap_around() {
    let all = [
        syn(u32::MAX - 3),
        data(u32::MAX - 2, b"abc"),
        data(0, b"def"),
    ];
    assert_eq!(only(&all), (b"abcdef".to_vec(), false));
    // In any order.
    let all = [data(0, b"def"), data(u32::MAX - 2, b"abc")];
    assert_eq!(only(&all), (b"abcdef".to_vec(), false));
}

#[test]
fn a_probe_before_the_first_byte_is_none() {
    let all = [syn(99), data(99, b"\0"), data(100, b"hello")];
    assert_eq!(only(&all), (b"hello".to_vec(), false));
}

#[test]
fn behind_a_gap_nothing_is_given() {
    let all = [data(1, b"abc"), data(5, b"efg")];
    assert_eq!(only(&all), (b"abc".to_vec(), true));
}

#[test]
fn a_packet_that_was_captured_in_part_is_a_gap() {
    let (first, second) = (
        packet(ETHERNET, data(1, b"abcdef")),
        packet(ETHERNET, data(7, b"g")),
    );
    let file = pcap(
        ETHERNET,
        &[
            (&first[..first.len() - 2], first.len()),
            (&second, second.len()),
        ],
    );
    let directions = read(&file).unwrap();
    assert_eq!(
        (&directions[0].bytes[..], directions[0].is_cut),
        (&b"abcd"[..], true)
    );
    let file = pcap(ETHERNET, &[(&first[..first.len() - 2], first.len())]);
    assert!(read(&file).unwrap()[0].is_cut);
}

/// Such a block has bytes behind those of the packet that fill it up.
#[test]
fn a_simple_packet_ends_where_its_interface_captures_no_more() {
    let one = packet(ETHERNET, data(1, b"abcdefg"));
    for most in [one.len() - 3, one.len() - 2, one.len() - 1, one.len(), 0] {
        let cut = if most == 0 { 0 } else { one.len() - most };
        let directions = read(&simple(ETHERNET, most, &one)).unwrap();
        assert_eq!(
            (&directions[0].bytes[..], directions[0].is_cut),
            (&b"abcdefg"[..7 - cut], cut > 0)
        );
    }
}

#[test]
fn checksums_behind_packets_are_no_bytes_of_a_stream() {
    let sum = b"\x01\x02\x03\x04";
    let one = [&packet(ETHERNET, data(1, b"abc"))[..], sum].concat();
    let mut file = pcap(ETHERNET, &[(&one, one.len())]);
    file[23] = 0x24; // Two times 16 bits.
    assert_eq!(read(&file).unwrap()[0].bytes, b"abc");
}

#[test]
fn a_port_that_is_used_again_is_another_stream() {
    let all = [syn(9), data(10, b"one"), syn(500), data(501, b"two")];
    let directions = read(&captured(&all)).unwrap();
    let bytes: Vec<_> = directions.iter().map(|one| &one.bytes[..]).collect();
    assert_eq!(bytes, [&b"one"[..], b"two"]);
}

#[test]
fn a_file_that_ends_within_a_packet_gives_the_others() {
    for longer in [1, 1_000] {
        let last = vec![b'd'; longer];
        let file = captured(&[data(1, b"abc"), data(4, &last)]);
        let directions = read(&file[..file.len() - longer]).unwrap();
        assert_eq!(directions[0].bytes, b"abc");
        assert!(directions[0].is_cut, "{longer}");
    }
    let file = captured(&[data(1, b"abc"), data(4, b"def")]);
    assert!(!read(&file).unwrap()[0].is_cut);
}

#[test]
fn what_is_wrong_is_said() {
    assert_eq!(read(&pcap(ETHERNET, &[])), Err(CaptureError::NoStream(0)));
    let silent = captured(&[syn(1), data(2, b"")]);
    assert_eq!(read(&silent), Err(CaptureError::NoStream(2)));
    let one = packet(ETHERNET, data(1, b"abc"));
    let error = read(&pcap(147, &[(&one, one.len())])).unwrap_err();
    assert_eq!(error, CaptureError::OtherLink(147));
    assert!(error.to_string().contains("tcpdump -i any"));
    let error = read(b"\xa1\xb2\xc3\xd4 and no more")
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("packet 1 of the capture"), "{error}");
}

#[test]
fn a_block_without_room_for_its_own_lengths_is_refused() {
    for kind in [1_u32, 6] {
        for len in [0_u32, 4, 8, 11] {
            let block = [kind.to_be_bytes(), len.to_be_bytes(), [0; 4]].concat();
            let error = read(&[pcapng(RAW, &[]), block].concat()).unwrap_err();
            assert!(
                error.to_string().contains("a block is shorter"),
                "{kind} {error}"
            );
            let block = [kind.to_be_bytes(), len.to_be_bytes(), [0; 4]].concat();
            let before = [data(1, b"a"), data(2, b"b")].map(|one| packet(RAW, one));
            let error = read(&[pcapng(RAW, &before), block].concat()).unwrap_err();
            assert!(error.to_string().starts_with("packet 3 of"), "{error}");
        }
    }
}

proptest! {
    /// Whatever is in the file.
    #[test]
    fn no_file_makes_it_panic(
        begin in prop::sample::select(vec![
            pcap(ETHERNET, &[]), pcapng(SLL2, &[]), captured(&[data(1, b"abc")]), Vec::new(),
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = read(&[begin, rest].concat());
    }

    /// In whatever order and however often segments come.
    #[test]
    fn bytes_are_those_that_were_sent(
        bytes in prop::collection::vec(any::<u8>(), 1..300),
        first: u32,
        cuts in prop::collection::vec((0usize..300, 1usize..80), 0..40),
    ) {
        let mut segments = vec![syn(first.wrapping_sub(1))];
        let whole = (0..bytes.len()).step_by(50).map(|at| (at, 50));
        for (at, len) in cuts.into_iter().chain(whole) {
            if at < bytes.len() {
                let end = (at + len).min(bytes.len());
                let number = first.wrapping_add(u32::try_from(at).unwrap());
                segments.push(data(number, &bytes[at..end]));
            }
        }
        prop_assert_eq!(only(&segments), (bytes.clone(), false));
    }
}
