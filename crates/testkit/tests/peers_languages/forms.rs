//! Frames whose bytes are not those of the wire, against the packages of Python that make them.

use crate::mirror::{Program, binary};
use crate::tools;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers_languages/forms_peer.py"
);

/// Around the runs of COBS and the blocks of LZ4.
const LENGTHS: [usize; 11] = [
    0, 1, 253, 254, 255, 508, 4_096, 65_535, 65_536, 70_001, 300_000,
];

/// A conversation over `codec`, with a peer of these words.
async fn law(codec: &str, framing: &str, form: &str, module: &str) {
    if !tools::has_module(module) {
        return;
    }
    let mut frames = binary(&LENGTHS[usize::from(codec == "slip")..]);
    // What has to be stuffed, all of it.
    frames.extend([0, 0xc0, 0xdb].map(|byte| vec![byte; 600]));
    frames.extend([254, 255, 508].map(|len| vec![1; len]));
    let arguments = [SCRIPT, framing, form];
    let said = Program("python3", &arguments).mirrors(codec, &frames).await;
    assert_eq!(said, ["closed"; 2], "{codec}");
}

#[tokio::test]
async fn slip_is_that_of_sliplib() {
    law("slip", "slip", "none", "sliplib").await;
}

#[tokio::test]
async fn cobs_is_that_of_cobs() {
    law("cobs", "cobs", "none", "cobs").await;
}

#[tokio::test]
async fn sums_are_those_of_crcmod() {
    for (codec, framing, form) in [
        ("slip+crc16:ibm-sdlc", "slip", "x-25:<H"),
        ("cobs+crc32:iso-hdlc", "cobs", "crc-32:<I"),
        ("struct:>I+crc16:modbus", "length", "modbus:<H"),
        ("struct:>I+crc16:>arc", "length", "crc-16:>H"),
        ("struct:>I+crc16:xmodem", "length", "xmodem:>H"),
        ("struct:>I+crc16:ibm-3740", "length", "crc-ccitt-false:>H"),
        ("struct:>I+crc16:kermit", "length", "kermit:<H"),
        ("struct:>I+crc32:iscsi", "length", "crc-32c:<I"),
        ("struct:>I+crc32:bzip2", "length", "crc-32-bzip2:>I"),
        ("struct:>I+crc32:mpeg-2", "length", "crc-32-mpeg:>I"),
    ] {
        let module = if framing == "slip" { "sliplib" } else { "cobs" };
        if !tools::has_module(module) {
            return;
        }
        law(codec, framing, form, "crcmod").await;
    }
}

#[tokio::test]
async fn zstd_is_that_of_zstandard() {
    law("struct:>I+zstd", "length", "zstd", "zstandard").await;
}

#[tokio::test]
async fn lz4_is_that_of_lz4() {
    law("struct:>I+lz4", "length", "lz4", "lz4").await;
}

#[tokio::test]
async fn deflate_and_zlib_are_those_of_zlib() {
    for form in ["deflate", "zlib"] {
        let codec = format!("struct:>I+{form}");
        law(&codec, "length", form, "zlib").await;
    }
}
