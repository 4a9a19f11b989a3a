//! Your own codec, chosen by its name from our apps: netstrings
//! (<https://cr.yp.to/proto/netstrings.txt>), `5:hello,`. A codec says where a frame lies. The
//! framework does buffers, cancellation, time limits and sockets.
//!
//! `cargo run --example custom_codec -- chat serve tcp://127.0.0.1:9000 --codec netstring:max=500`

use std::process::ExitCode;

use bytes::BytesMut;
use socketry_apps::cli::CommandLine;
use socketry_codec::limits::{admit, check, decimal, unfinished};
use socketry_codec::{Codec, CodecError, CodecRegistry, Decoded, End, Properties};

#[derive(Clone)]
struct Netstring {
    max: usize,
}

impl Codec for Netstring {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let Some((len, start)) = decimal(input, b':')? else {
            return unfinished(input.len(), 1, end);
        };
        let (comma, consumed) = (start + len, start + len + 1);
        admit(len, self.max, consumed)?;
        match input.get(comma) {
            Some(b',') => Ok(Decoded::frame(start..comma, consumed)),
            Some(_) => Err(CodecError::fatal("a netstring ends with a comma")),
            None => unfinished(input.len(), consumed - input.len(), end),
        }
    }

    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        self.decode(input, end).ok() // it keeps nothing from one call to the next
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        check(frame, self.max)?;
        out.extend_from_slice(format!("{}:", frame.len()).as_bytes());
        out.extend_from_slice(frame);
        out.extend_from_slice(b",");
        Ok(())
    }

    fn at_boundary(&self) -> bool {
        true
    }

    fn properties(&self) -> Properties {
        Properties::default().at_most(self.max)
    }
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
