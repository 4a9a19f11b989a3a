//! Captures: whatever a file holds, its directions are read or refused, and each guess about them
//! finds the frames that it tells.

use socketry_codec::CodecRegistry;
use socketry_wire::{frames, guess, read};

/// Other guesses are not looked at.
const GUESSES: usize = 4;

pub fn run(input: &[u8]) {
    let Ok(directions) = read(input) else {
        return;
    };
    for direction in directions {
        assert!(direction.bytes.len() <= input.len(), "bytes from nowhere");
        for guess in guess(&direction.bytes).into_iter().take(GUESSES) {
            let opened = guess.opening.map_or(0, |(bytes, _)| bytes);
            let rest = &direction.bytes[opened..];
            for name in guess.names {
                let codec = CodecRegistry::catalogue()
                    .build(name.as_str())
                    .expect("its codec");
                let found = frames(codec, rest).take_while(|found| found.frame.is_ok());
                let (count, told) = (found.count(), guess.frames);
                // A frame behind the last one may be none of the protocol.
                let more = guess.fault.is_some() && count > told;
                assert!(count == told || more, "{name}: {count}, {told}");
            }
        }
    }
}
