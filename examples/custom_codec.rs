//! Your own codec: netstrings (<https://cr.yp.to/proto/netstrings.txt>), `5:hello,`. A codec says
//! where a frame lies. The framework does buffers, cancellation, time limits and sockets.

use std::error::Error;

use bytes::BytesMut;
use socketry_codec::limits::{check, unfinished};
use socketry_codec::{Codec, CodecError, Decoded, End, Fault, Framed};
use socketry_transport::{Listener, connect, listen};

#[derive(Clone)]
struct Netstring {
    max: usize,
}

impl Codec for Netstring {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let Some(colon) = input.iter().take(10).position(|byte| *byte == b':') else {
            return match input.len() {
                0..10 => unfinished(input.len(), 1, end),
                _ => Err(wrong()),
            };
        };
        let digits = std::str::from_utf8(&input[..colon]).ok();
        let len: usize = digits.and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
        let (start, comma) = (colon + 1, colon + 1 + len);
        if len > self.max {
            let (len, max) = (Some(len as u64), self.max as u64);
            // Skipped and not fatal, since the next frame boundary is known.
            return Err(CodecError::skip(
                Fault::TooLong { len, max },
                comma as u64 + 1,
            ));
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

    fn in_step(&self) -> bool {
        true
    }
}

fn wrong() -> CodecError {
    CodecError::fatal(Fault::Other("that is no netstring".into()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut listener = listen("mem://netstrings").await?;
    let mut client = Framed::new(connect(listener.local()).await?, Netstring { max: 1000 });
    let mut server = Framed::new(listener.accept().await?, Netstring { max: 10 });
    for frame in [&b"hello"[..], b"too long for the server", b"", b"world!"] {
        client.send(frame).await?;
        match server.recv().await {
            Ok(frame) => println!("{:?}", frame.map(String::from_utf8_lossy)),
            Err(error) if !error.is_fatal() => println!("passed over: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

// This one line runs every law of codecs against it:
// `cargo test -p socketry-examples --example custom_codec`.
#[cfg(test)]
socketry_testkit::codec_laws!(
    netstring,
    socketry_testkit::codec::Subject::new("netstring", |limits| Netstring {
        max: limits.max_frame
    })
    .without_max_discard()
);
