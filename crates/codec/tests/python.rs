//! Every format, against the `struct` module of the Python that is installed.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::Command;

use socketry_codec::{Fault, Format};

const SCRIPT: &str = r"
import struct
for order in ['', '@', '=', '<', '>', '!']:
    for letter in 'bBhHiIlLqQ':
        form = order + letter
        bits = 8 * struct.calcsize(form)
        top = (1 << (bits - letter.islower())) - 1
        small = {0, 1, 2, 127, 128, 255, 256, 65535, 65536, 0x01020304, -1, -2}
        for value in sorted(small | {top // 3, top, top + 1, -(top // 3), -top - 1}):
            try:
                print(form, bits // 8, top, value, struct.pack(form, value).hex())
            except struct.error:
                print(form, bits // 8, top, value, '-')
";

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

fn same(line: &str) {
    let fields: Vec<&str> = line.split(' ').collect();
    let [form, size, top, value, packed] = fields[..] else {
        panic!("{line}");
    };
    let format: Format = form.parse().unwrap();
    assert_eq!(format.size().to_string(), size, "{line}");
    assert_eq!(format.max().to_string(), top, "{line}");
    match (value.parse::<u64>(), packed) {
        (Ok(len), "-") => assert_eq!(format.write(len), None, "{line}"),
        (Ok(len), _) => written(format, len, &unhex(packed)),
        (Err(_), "-") => {}
        (Err(_), _) => negative(format, value, &unhex(packed)),
    }
}

fn written(format: Format, len: u64, packed: &[u8]) {
    assert_eq!(&format.write(len).unwrap()[..], packed, "{format} {len}");
    assert_eq!(format.read(packed), Ok(Some(len)), "{format}");
    let followed = [packed, &[0xff; 9]].concat();
    assert_eq!(format.read(&followed), Ok(Some(len)), "{format}");
    assert_eq!(format.read(&packed[1..]), Ok(None), "{format}");
}

fn negative(format: Format, value: &str, packed: &[u8]) {
    let fault = Fault::NegativeLength(value.parse().unwrap());
    for bytes in [packed, &[packed, &[0x7f; 9]].concat()] {
        assert_eq!(format.read(bytes).unwrap_err().fault, fault, "{format}");
    }
}

#[test]
fn formats_are_those_of_python() {
    let Ok(python) = Command::new("python3").args(["-c", SCRIPT]).output() else {
        return println!("not tested: there is no python3 here");
    };
    assert!(python.status.success(), "{python:?}");
    let lines = String::from_utf8(python.stdout).unwrap();
    assert!(lines.lines().count() > 600);
    lines.lines().for_each(same);
}
