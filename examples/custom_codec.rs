//! A codec of one's own: netstrings (<https://cr.yp.to/proto/netstrings.txt>), `5:hello,`. A codec says where a frame
//! lies; buffers, cancellation, limits on time and sockets are the framework's.

use std::error::Error;

use bytes::BytesMut;
use socketry_codec::{Codec, CodecError, Decoded, End, Fault, Framed};
use socketry_transport::{Listener, connect, listen};

#[derive(Clone)]
struct Netstring {
    max: usize,
}

impl Codec for Netstring {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let Some(colon) = input.iter().take(10).position(|byte| *byte == b':') else {
            return more(input, 10, end);
        };
        let digits = std::str::from_utf8(&input[..colon]).ok();
        let len: usize = digits.and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
        let (start, comma) = (colon + 1, colon + 1 + len);
        if len > self.max {
            let (len, max) = (Some(len as u64), self.max as u64);
            // Skipped, not fatal: where the next one begins is known.
            return Err(CodecError::skip(
                Fault::TooLong { len, max },
                comma as u64 + 1,
            ));
        }
        match input.get(comma) {
            #[rustfmt::skip]
            Some(b',') => Ok(Decoded::Frame { start, end: comma, consumed: comma + 1 }),
            Some(_) => Err(wrong()),
            None => more(input, comma + 1, end),
        }
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        if frame.len() > self.max {
            let (len, max) = (Some(frame.len() as u64), self.max as u64);
            // Refused before a byte is written, so that there is nothing to pass over.
            return Err(CodecError::skip(Fault::TooLong { len, max }, 0));
        }
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
    CodecError::fatal(Fault::Other("that is no netstring".to_owned()))
}

/// `whole` bytes are needed, or at least some more; none will come when the input has ended.
fn more(input: &[u8], whole: usize, end: End) -> Result<Decoded, CodecError> {
    match whole.checked_sub(input.len()) {
        None | Some(0) => Err(wrong()),
        Some(_) if end != End::Open && !input.is_empty() => Err(wrong()),
        Some(missing) => Ok(Decoded::Need(if whole == 10 { 1 } else { missing })),
    }
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

// One line, and the codec is tested by every law of codecs: `cargo test -p socketry-examples --example custom_codec`.
#[cfg(test)]
socketry_testkit::codec_laws!(
    netstring,
    socketry_testkit::codec::Subject::new("netstring", |limits| Netstring {
        max: limits.max_frame
    })
    .without_max_discard()
);
