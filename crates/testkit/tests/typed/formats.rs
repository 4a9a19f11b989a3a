//! Formats of other crates, each adapted in a few lines.

use serde::Serialize;
use serde::de::DeserializeOwned;
use socketry_codec::{BoxError, Pack, Unpack};

/// RFC 8949.
pub(crate) enum Cbor {}

impl<T: Serialize + ?Sized> Pack<T> for Cbor {
    fn pack(value: &T, frame: &mut Vec<u8>) -> Result<(), BoxError> {
        Ok(ciborium::into_writer(value, frame)?)
    }
}

impl<T: DeserializeOwned> Unpack<T> for Cbor {
    fn unpack(mut frame: &[u8]) -> Result<T, BoxError> {
        let value = ciborium::from_reader(&mut frame)?;
        all(value, frame)
    }
}

/// msgpack.org, with structs as maps, as in other languages.
pub(crate) enum MessagePack {}

impl<T: Serialize + ?Sized> Pack<T> for MessagePack {
    fn pack(value: &T, frame: &mut Vec<u8>) -> Result<(), BoxError> {
        Ok(rmp_serde::encode::write_named(frame, value)?)
    }
}

impl<T: DeserializeOwned> Unpack<T> for MessagePack {
    fn unpack(mut frame: &[u8]) -> Result<T, BoxError> {
        let mut from = rmp_serde::Deserializer::new(&mut frame);
        // A test's stack of 2 MiB is too small for the default of 1,024 levels.
        from.set_max_depth(128);
        let value = T::deserialize(&mut from)?;
        drop(from);
        all(value, frame)
    }
}

/// postcard.jamesmunns.com: no names and no types on the wire.
pub(crate) enum Postcard {}

impl<T: Serialize + ?Sized> Pack<T> for Postcard {
    fn pack(value: &T, frame: &mut Vec<u8>) -> Result<(), BoxError> {
        postcard::to_io(value, frame)?;
        Ok(())
    }
}

impl<T: DeserializeOwned> Unpack<T> for Postcard {
    fn unpack(frame: &[u8]) -> Result<T, BoxError> {
        let (value, rest) = postcard::take_from_bytes(frame)?;
        all(value, rest)
    }
}

fn all<T>(value: T, rest: &[u8]) -> Result<T, BoxError> {
    match rest.len() {
        0 => Ok(value),
        bytes => Err(format!("{bytes} bytes follow the value").into()),
    }
}
