//! Your own codec, chosen by its name from our apps: netstrings
//! (<https://cr.yp.to/proto/netstrings.txt>), `5:hello,`. A codec says where a frame lies. The
//! framework does buffers, cancellation, time limits and sockets.
//!
//! `cargo run --example custom_codec -- chat serve tcp://127.0.0.1:9000 --codec netstring:max=500`

use std::process::ExitCode;

use bytes::BytesMut;
use socketry_apps::cli::CommandLine;
use socketry_codec::limits::{check, unfinished};
use socketry_codec::{Codec, CodecError, CodecRegistry, Decoded, End, Fault, Properties};

/// The length has at most nine digits, so that no sum of positions can overflow.
const DIGITS: usize = 9;

#[derive(Clone)]
struct Netstring {
    max: usize,
}

impl Codec for Netstring {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        #[rustfmt::skip]
        let Some(colon) = input.iter().take(DIGITS + 1).position(|byte| *byte == b':') else {
            return match input.len() {
                0..=DIGITS => unfinished(input.len(), 1, end),
                _ => Err(wrong()),
            };
        };
        let digits = std::str::from_utf8(&input[..colon]).ok();
        #[rustfmt::skip]
        let len: usize = digits.and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        let (start, comma) = (colon + 1, colon + 1 + len);
        if len > self.max {
            let (len, max) = (Some(len as u64), self.max as u64);
            // One frame is lost, and not the connection: the next one begins after the comma.
            #[rustfmt::skip]
            return Err(CodecError::skip(Fault::TooLong { len, max }, comma as u64 + 1));
        }
        match input.get(comma) {
            #[rustfmt::skip]
            Some(b',') => Ok(Decoded::Frame { start, end: comma, consumed: comma + 1 }),
            Some(_) => Err(wrong()),
            None => unfinished(input.len(), comma + 1 - input.len(), end),
        }
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        check(frame, self.max)?;
        out.extend_from_slice(format!("{}:", frame.len()).as_bytes());
        out.extend_from_slice(frame);
        out.extend_from_slice(b",");
        Ok(())
    }

    fn at_boundary(&self) -> bool {
        true // it keeps nothing from one call to the next
    }

    fn properties(&self) -> Properties {
        Properties::default().at_most(self.max)
    }
}

fn wrong() -> CodecError {
    CodecError::fatal(Fault::Other("that is no netstring".into()))
}

/// Our codecs and this one, whose name takes a parameter.
fn codecs() -> CodecRegistry {
    CodecRegistry::standard().with("netstring", |parameters| {
        let max = parameters.get_or("max", 1_000_000)?;
        let max = parameters.max_frame().unwrap_or(max);
        Ok(Box::new(Netstring { max }))
    })
}

fn main() -> ExitCode {
    CommandLine::default().codecs(codecs()).main()
}

// This one line runs every law of codecs against it:
// `cargo test -p socketry-examples --example custom_codec`.
#[cfg(test)]
socketry_testkit::codec_laws!(
    netstring,
    socketry_testkit::codec::Subject::registered(&codecs(), "netstring")
);
