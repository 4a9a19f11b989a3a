//! Values of the user's own types as frames: one small trait for each direction.

/// The error of another library, whichever it is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// How a value of type `T` is written as a frame.
///
/// With [`Unpack`] it is all that a serialization format needs for `Framed::typed`, which adds
/// conversation to it: the format says nothing of where a frame ends, the codec nothing of what is
/// in it. `Self` is never made; it is a name for the format, such as [`Json`](crate::Json).
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
/// What is easily missed:
///
/// * Many formats stop at the end of the value and say nothing of what follows. A frame is one
///   value: refuse the rest, or a peer that writes two is understood by half.
/// * A peer chose the bytes. `unpack` must not panic, and must bound the depth of what it builds
///   and the memory that it reserves for a length that was only claimed.
/// * `pack` appends to an empty buffer; what it has written when it fails is not sent.
pub trait Pack<T: ?Sized> {
    /// Appends `value` to `frame`, which is empty.
    ///
    /// # Errors
    /// If the format has no form for this value.
    fn pack(value: &T, frame: &mut Vec<u8>) -> Result<(), BoxError>;
}

/// How a value of type `T` is read from a frame; see [`Pack`], whose other half it is.
pub trait Unpack<T> {
    /// The value that all of `frame` is. The peer chose these bytes.
    ///
    /// # Errors
    /// If they are no value of that type, or more than one.
    fn unpack(frame: &[u8]) -> Result<T, BoxError>;
}

/// JSON, over any codec: as lines with [`Line`](crate::Line), say. The type is that of the codec of
/// this name, since nothing would be gained by two; none is made for it.
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
