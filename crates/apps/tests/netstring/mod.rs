//! A third party's codec: netstrings, of any bytes or of JSON objects, as a parameter says.

use bytes::BytesMut;
use socketry_codec::limits::{check, refused, unfinished};
use socketry_codec::{
    BoxCodec, Codec, CodecError, CodecRegistry, Content, Decoded, End, Fault, Parameters,
    Properties, SpecError,
};

#[derive(Clone)]
pub(crate) struct Netstring {
    max: usize,
    json: bool,
    properties: Properties,
}

impl Codec for Netstring {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let Some(colon) = input.iter().take(10).position(|byte| *byte == b':') else {
            let digits = input.len() < 10 && input.iter().all(u8::is_ascii_digit);
            return if digits {
                unfinished(input.len(), 1, end)
            } else {
                Err(wrong())
            };
        };
        let digits = std::str::from_utf8(&input[..colon]).ok();
        let len: usize = digits.and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
        check(&vec![0; len.min(self.max + 1)], self.max).map_err(|e| CodecError::fatal(e.fault))?;
        let (start, comma) = (colon + 1, colon + 1 + len);
        match input.get(comma) {
            Some(b',') => Ok(Decoded::Frame {
                start,
                end: comma,
                consumed: comma + 1,
            }),
            Some(_) => Err(wrong()),
            None => unfinished(input.len(), comma + 1 - input.len(), end),
        }
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        check(frame, self.max)?;
        if self.json && !frame.starts_with(b"{") {
            return Err(refused(Fault::NotJson("no object".to_owned())));
        }
        out.extend_from_slice(format!("{}:", frame.len()).as_bytes());
        out.extend_from_slice(frame);
        out.extend_from_slice(b",");
        Ok(())
    }

    fn at_boundary(&self) -> bool {
        true
    }

    fn properties(&self) -> Properties {
        self.properties
    }
}

fn wrong() -> CodecError {
    CodecError::fatal(Fault::Other("that is no netstring".into()))
}

/// `netstring:max=1000,json=true`
fn netstring(parameters: &mut Parameters<'_>) -> Result<BoxCodec, SpecError> {
    let max = parameters.get_or("max", 1_000_000)?;
    let max = parameters.max_frame().map_or(max, |limit| limit.min(max));
    let json = parameters.get_or("json", false)?;
    let content = if json { Content::Json } else { Content::Bytes };
    let properties = Properties::default().at_most(max).carrying(content);
    Ok(Box::new(Netstring {
        max,
        json,
        properties,
    }))
}

/// The standard codecs, netstrings, and two codecs that not every app runs over.
pub(crate) fn codecs() -> CodecRegistry {
    let odd = |properties: Properties| Netstring {
        max: 1000,
        json: false,
        properties,
    };
    CodecRegistry::standard()
        .with("netstring", netstring)
        .with("records", move |_| {
            Ok(Box::new(
                odd(Properties::default().carrying(Content::Other)),
            ))
        })
        .with("counting", move |_| {
            Ok(Box::new(odd(Properties::default().stateful())))
        })
}
