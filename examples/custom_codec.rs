//! A codec of one's own: netstrings (<https://cr.yp.to/proto/netstrings.txt>), `5:hello,`. A codec says where a frame
//! lies; buffers, limits on time, cancellation and sockets are the framework's.

use std::error::Error;

use bytes::BytesMut;
use socketry_codec::{Codec, CodecError, Decoded, End, Fault, Framed};
use socketry_transport::{Listener, connect, listen};

#[derive(Clone)]
struct Netstring {
    max_frame: usize,
}

fn wrong(words: &str) -> CodecError {
    CodecError::fatal(Fault::Other(words.to_owned()))
}

impl Codec for Netstring {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let digits = input
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        match input.get(digits) {
            _ if digits > 9 => return Err(wrong("a length of more than nine digits")),
            Some(b':') if digits > 0 => {}
            Some(_) => return Err(wrong("a netstring begins with its length and ':'")),
            None => return self.more(input, 1, end),
        }
        let text = std::str::from_utf8(&input[..digits]).map_err(|_| wrong("no digits"))?;
        let len: usize = text.parse().map_err(|_| wrong("no length"))?;
        if len > self.max_frame {
            let fault = Fault::TooLong {
                len: Some(len as u64),
                max: self.max_frame as u64,
            };
            return Err(CodecError::skip(fault, (digits + len + 2) as u64));
        }
        let start = digits + 1;
        match input.get(start + len) {
            Some(b',') => Ok(Decoded::Frame {
                start,
                end: start + len,
                consumed: start + len + 1,
            }),
            Some(_) => Err(wrong("a netstring ends with ','")),
            None => self.more(input, start + len + 1 - input.len(), end),
        }
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        out.extend_from_slice(format!("{}:", frame.len()).as_bytes());
        out.extend_from_slice(frame);
        out.extend_from_slice(b",");
        Ok(())
    }

    fn in_step(&self) -> bool {
        true
    }
}

impl Netstring {
    fn more(&self, input: &[u8], missing: usize, end: End) -> Result<Decoded, CodecError> {
        if end == End::Open || input.is_empty() {
            return Ok(Decoded::Need(missing));
        }
        let fault = Fault::Truncated {
            have: input.len(),
            missing,
        };
        Err(CodecError::skip(fault, input.len() as u64))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut listener = listen("mem://netstrings").await?;
    let mut client = Framed::new(
        connect(listener.local()).await?,
        Netstring { max_frame: 1000 },
    );
    let mut server = Framed::new(listener.accept().await?, Netstring { max_frame: 10 });
    for frame in [
        &b"hello"[..],
        b"much too long for the server",
        b"",
        b"world!",
    ] {
        client.send(frame).await?;
        match server.recv().await {
            Ok(frame) => println!("{:?}", frame.map(String::from_utf8_lossy)),
            Err(error) if !error.is_fatal() => println!("passed over: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
