//! Values of the user's own types as frames: one small trait for each direction.

/// The error of any other library.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A format that writes values of type `T` as frames.
///
/// With [`Unpack`] it is all that a serialization format needs for `Framed::typed`. The codec finds
/// where a frame ends, and the format reads its contents. No value of `Self` is ever made: it is a
/// name for the format, such as [`Json`](crate::Json).
///
/// # Implementing
///
/// Another format is one `impl` for each direction:
///
/// ```
/// use serde::{Serialize, de::DeserializeOwned};
/// use socketry_codec::{BoxError, Pack, Unpack};
///
/// enum Cbor {}
///
/// impl<T: Serialize + ?Sized> Pack<T> for Cbor {
///     fn pack(value: &T, frame: &mut Vec<u8>) -> Result<(), BoxError> {
///         Ok(ciborium::into_writer(value, frame)?)
///     }
/// }
///
/// impl<T: DeserializeOwned> Unpack<T> for Cbor {
///     fn unpack(mut frame: &[u8]) -> Result<T, BoxError> {
///         let value = ciborium::from_reader(&mut frame)?;
///         if frame.is_empty() { Ok(value) } else { Err("bytes follow the value".into()) }
///     }
/// }
///
/// let mut frame = Vec::new();
/// Cbor::pack(&("a", 1), &mut frame)?;
/// assert_eq!(frame, b"\x82\x61a\x01");
/// let value: (String, u8) = Cbor::unpack(&frame)?;
/// assert_eq!(value, ("a".to_owned(), 1));
/// let refused: Result<u8, BoxError> = Cbor::unpack(b"\x01\x02");
/// assert!(refused.is_err());
/// # Ok::<(), BoxError>(())
/// ```
///
/// Easily missed:
///
/// * Many formats stop at the end of the value, and ignore bytes that follow. A frame is one value:
///   refuse such bytes, or the second value of a peer that writes two is lost.
/// * A peer chose the bytes. `unpack` must not panic. It must bound the depth of the value, and the
///   memory that it reserves for a length that was only claimed.
/// * `pack` appends to an empty buffer. If it fails, the bytes that it has written are not sent.
pub trait Pack<T: ?Sized> {
    /// Appends `value` to `frame`, which is empty.
    ///
    /// # Errors
    /// If the format has no form for this value.
    fn pack(value: &T, frame: &mut Vec<u8>) -> Result<(), BoxError>;
}

/// A format that reads values of type `T` from frames; see [`Pack`], the other direction.
pub trait Unpack<T> {
    /// Reads the value from all of `frame`. The peer chose these bytes.
    ///
    /// # Errors
    /// If they are no value of that type, or more than one.
    fn unpack(frame: &[u8]) -> Result<T, BoxError>;
}

/// JSON, over any codec: as lines with [`Line`](crate::Line), say. The type is that of the codec of
/// this name. No value of it is made for the format.
///
/// JSON has no number for a NaN or an infinity. `serde_json` writes `null` instead, which the peer
/// reads as an `Option` and refuses as an `f64`.
#[cfg(feature = "json")]
impl<T: serde::Serialize + ?Sized> Pack<T> for crate::Json {
    fn pack(value: &T, frame: &mut Vec<u8>) -> Result<(), BoxError> {
        Ok(serde_json::to_writer(frame, value)?)
    }
}

/// Nesting is limited to 128 levels by `serde_json`.
#[cfg(feature = "json")]
impl<T: serde::de::DeserializeOwned> Unpack<T> for crate::Json {
    fn unpack(frame: &[u8]) -> Result<T, BoxError> {
        Ok(serde_json::from_slice(frame)?)
    }
}
