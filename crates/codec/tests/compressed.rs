//! Compressed frames: what others write, bombs, damage, limits, names.
#![cfg(all(feature = "zstd", feature = "lz4", feature = "deflate"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{codec, datagram, encode, ok, stream};
use socketry_codec::{BoxCodec, Codec, CodecRegistry, CodecSpec, Fault};

const ALL: [&str; 4] = ["zstd", "lz4", "deflate", "zlib"];

fn limited(name: &str, max_frame: usize) -> BoxCodec {
    let max_frame = Some(max_frame);
    CodecSpec {
        max_frame,
        ..CodecSpec::new(name)
    }
    .build()
    .unwrap()
}

fn framed(form: &[u8]) -> Vec<u8> {
    let len = u32::try_from(form.len()).unwrap();
    [&len.to_be_bytes()[..], form].concat()
}

/// The form of a frame, without the length in front of it.
fn form(name: &str, frame: &[u8]) -> Vec<u8> {
    encode(&mut codec(&format!("struct:>I+{name}")), &[frame])[4..].to_vec()
}

fn restored(name: &str, form: &[u8]) -> Result<Vec<u8>, Fault> {
    let [one] = &stream(codec(&format!("struct:>I+{name}")), [&framed(form)[..]])[..] else {
        panic!("one frame");
    };
    one.clone()
}

fn hex(text: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(pair).collect()
}

/// Text that compresses well, and noise that does not at all.
fn frames() -> Vec<Vec<u8>> {
    let mut state = 1_u32;
    let noise = |len| -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(len).collect()
    };
    let mut all = [0, 1, 20, 65_536, 65_537, 300_000].map(noise).to_vec();
    for len in [1, 100, 65_535, 65_536, 262_145] {
        all.push(
            b"to be, or not to be; "
                .iter()
                .copied()
                .cycle()
                .take(len)
                .collect(),
        );
        all.push(vec![0; len]);
    }
    // More than one block, of the longest ones.
    all.push(vec![0; (4 << 20) + 1]);
    all
}

#[test]
fn what_is_sent_arrives() {
    let names = [
        "zstd:level=1",
        "zstd:level=19",
        "deflate:level=0",
        "zlib:level=9",
    ];
    for name in ALL.into_iter().chain(names) {
        for frame in frames() {
            let wire = framed(&form(name, &frame));
            let found = stream(codec(&format!("struct:>I+{name}")), wire.chunks(1 << 16));
            assert!(found == ok(&[&frame]), "{name}, {} bytes", frame.len());
        }
    }
}

/// As Python writes it: zlib 1.2.13, lz4 4.4.5 (with and without checksums), zstandard 0.25.0 (with
/// and without a checksum, as a stream).
#[test]
fn each_is_in_the_format_of_its_name() {
    let text = b"hello hello hello hello hello";
    let table = [
        ("deflate", "cb48cdc9c957c8c04e0200"),
        ("zlib", "789ccb48cdc9c957c8c04e0200a3100ae5"),
        (
            "lz4",
            "04224d1868401d000000000000000e0f0000006e68656c6c6f2006005068656c6c6f00000000",
        ),
        (
            "lz4",
            "04224d187440bd0f0000006e68656c6c6f2006005068656c6c6f98f6dc6d0000000079b1fff9",
        ),
        ("zstd", "28b52ffd201d6500003068656c6c6f200100a94b11"),
        ("zstd", "28b52ffd04006500003068656c6c6f200100a94b11874e200a"),
        ("zstd", "28b52ffd00586500003068656c6c6f200100a94b11"),
    ];
    for (name, theirs) in table {
        assert_eq!(restored(name, &hex(theirs)).as_deref(), Ok(&text[..]));
    }
    let ours = |name| form(name, text);
    // Another compressor may find other matches.
    assert_eq!(ours("lz4")[..15], hex(table[2].1)[..15]);
    assert_eq!(ours("zstd"), hex(table[4].1));
    assert_eq!(ours("zlib")[2..][..ours("deflate").len()], ours("deflate"));
}

/// A kilobyte that would be a gigabyte, and says so, or does not.
#[test]
fn a_bomb_is_an_error_before_it_is_unpacked() {
    for name in ALL {
        let bomb = form(name, &vec![0; 8 << 20]);
        assert!(bomb.len() < 40_000, "{name}: {}", bomb.len());
        let name = format!("struct:>I+{name}");
        for limit in [0, 1000, (8 << 20) - 1] {
            let found = stream(limited(&name, limit), [&framed(&bomb)[..]]);
            let fault = Fault::Expands {
                coded: bomb.len() as u64,
                max: limit as u64,
            };
            let too_long = |fault: &Fault| matches!(fault, Fault::TooLong { .. });
            let [Err(said)] = &found[..] else {
                panic!("{name}, {limit}");
            };
            assert!(*said == fault || too_long(said), "{name}, {limit}: {said}");
        }
        let whole = stream(limited(&name, 8 << 20), [&framed(&bomb)[..]]);
        assert!(whole[0].is_ok(), "{name}");
    }
}

/// A header that claims much, and nothing behind it.
#[test]
fn a_claim_is_refused_or_not_believed() {
    let claims = |len: u64| {
        let mut lz4 = form("lz4", &[0; 100]);
        lz4[6..14].copy_from_slice(&len.to_le_bytes());
        let sum = twox_hash_of(&lz4[4..14]);
        lz4[14] = sum;
        let zstd = [&hex("28b52ffde0")[..], &len.to_le_bytes(), &hex("010000")].concat();
        [("lz4", lz4), ("zstd", zstd)]
    };
    for (name, claim) in claims(1 << 62).into_iter().chain(claims(9 << 20)) {
        let coded = claim.len() as u64;
        let max = 8 << 20;
        assert_eq!(restored(name, &claim), Err(Fault::Expands { coded, max }));
    }
    for (name, claim) in claims(7 << 20) {
        let error = restored(name, &claim).unwrap_err();
        assert!(
            matches!(error, Fault::NotCompressed { .. }),
            "{name}: {error}"
        );
    }
}

/// The checksum of a header: the second byte of an xxHash, of 32 bits.
fn twox_hash_of(header: &[u8]) -> u8 {
    let wrong = |sum: &u8| {
        let mut form = form("lz4", &[0; 100]);
        form[4..14].copy_from_slice(header);
        form[14] = *sum;
        let error = restored("lz4", &form).unwrap_err().to_string();
        !error.contains("checksum of its header")
    };
    (0..=255).find(wrong).unwrap()
}

/// What is wrong with a form costs its frame alone.
#[test]
fn damage_is_one_error() {
    let text = b"to be, or not to be, that is the question".repeat(20);
    for name in ALL {
        let good = form(name, &text);
        let mut wrong = vec![Vec::new(), b"\0".to_vec(), [&good[..], b"\0"].concat()];
        wrong.extend((0..good.len()).map(|len| good[..len].to_vec()));
        for form in wrong {
            let wire = [framed(&form), framed(&good)].concat();
            let found = stream(codec(&format!("struct:>I+{name}")), wire.chunks(7));
            assert_eq!(found.len(), 2, "{name} {form:x?}");
            let fault = found[0].as_ref().unwrap_err();
            let not_one = matches!(fault, Fault::NotCompressed { .. });
            assert!(not_one, "{name} {form:x?}: {fault}");
            assert_eq!(found[1].as_deref(), Ok(&text[..]));
            let alone = datagram(codec(&format!("raw+{name}")), &form);
            assert!(
                matches!(alone[..], [Err(Fault::NotCompressed { .. })]),
                "{name}"
            );
        }
    }
    for name in ["zlib", "lz4"] {
        let mut form = form(name, &text);
        let last = form.len() - 1;
        form[last] ^= 1;
        assert!(restored(name, &form).is_err(), "{name}");
    }
}

#[test]
fn names_levels_and_limits() {
    let all = CodecRegistry::catalogue();
    for name in [
        "struct:>I+zstd",
        "struct:>I+zstd:level=7",
        "slip+crc16:usb+lz4",
        "json-seq+zstd",
        "cobs+deflate:level=9",
        "raw+zlib",
    ] {
        match all.named(name) {
            Ok(named) => assert_eq!(named.name(), name),
            Err(error) => assert!(name.starts_with("json-seq"), "{name}: {error}"),
        }
    }
    let full = |name: &str| all.named(name).unwrap().full_name().to_owned();
    assert_eq!(full("raw+zstd"), "raw+zstd:level=3");
    assert_eq!(full("raw+zlib:level=1+lz4"), "raw+zlib:level=1+lz4");
    let refused = [
        (
            "struct:>I+zstd:level=20",
            "level goes from 1 to 19, and is 20",
        ),
        (
            "struct:>I+zstd:3",
            "zstd has no parameter \"3\"; it takes level",
        ),
        ("struct:>I+lz4:level=3", "lz4 takes nothing after it"),
        (
            "struct:>I+gzip",
            "\"gzip\" is no transform; there are crc16, crc32, zstd",
        ),
        (
            "line+zstd",
            "zstd makes any bytes, and line does not carry any bytes",
        ),
    ];
    for (name, words) in refused {
        let error = all.build(name).unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
    let longest = |name: &str| codec(name).properties().max_frame;
    assert_eq!(longest("struct:>I+zstd"), 8 << 20);
    assert_eq!(longest("kafka+zstd"), 104_857_600);
    assert_eq!(longest("raw+lz4"), 8 << 20);
    // Whatever the frame, its form fits into 255 bytes.
    let small = longest("struct:B+deflate");
    assert!((100..130).contains(&small), "{small}");
    let noise = &frames()[3][..small];
    for name in ALL {
        let mut codec = codec(&format!("struct:B+{name}"));
        codec.encode(noise, &mut BytesMut::new()).unwrap();
    }
}

#[test]
fn a_higher_level_makes_a_shorter_form() {
    let text: Vec<u8> = (0..4_000_u32)
        .flat_map(|number| number.to_string().into_bytes())
        .collect();
    for (name, low, high) in [("deflate", 0, 9), ("zlib", 0, 9), ("zstd", 1, 19)] {
        let len = |level: i32| form(&format!("{name}:level={level}"), &text).len();
        assert!(
            len(high) < len(low),
            "{name}: {} and {}",
            len(low),
            len(high)
        );
    }
}
