//! How an answer is matched with its request.

mod integer;
#[cfg(feature = "json")]
mod json;

use bytes::BytesMut;
use socketry_codec::Cause;

pub use integer::{Integer, IntegerField};
#[cfg(feature = "json")]
pub use json::JsonField;

/// Puts an id into each request, and finds it in the answer, so that answers may come in any order.
///
/// [`IntegerField`] and `JsonField` (feature `json`) are ready ones. Here ids are four hexadecimal
/// digits at the front of a line:
///
/// ```
/// use bytes::BytesMut;
/// use socketry_codec::Cause;
/// use socketry_service::Correlate;
///
/// struct Hex;
///
/// impl Correlate for Hex {
///     fn last_id(&self) -> u64 {
///         0xffff
///     }
///     fn stamp(&self, request: &mut BytesMut, id: u64) -> Result<(), Cause> {
///         let stamped = [format!("{id:04x} ").as_bytes(), request].concat();
///         *request = BytesMut::from(&stamped[..]);
///         Ok(())
///     }
///     fn id_of(&self, frame: &[u8]) -> Option<u64> {
///         let digits = std::str::from_utf8(frame.get(..4)?).ok()?;
///         u64::from_str_radix(digits, 16).ok()
///     }
/// }
///
/// let mut request = BytesMut::from("get x");
/// Hex.stamp(&mut request, 10)?;
/// assert_eq!((&request[..], Hex.id_of(&request)), (&b"000a get x"[..], Some(10)));
/// # Ok::<(), Cause>(())
/// ```
pub trait Correlate: Send + Sync + 'static {
    /// The largest id, at least 1. Ids count from 1 up to it, and begin anew. Default `u64::MAX`.
    ///
    /// An id is not used while its request is in flight. After a call that was given up it is not
    /// used before all others were: with two bytes, 65,534 requests later. So in practice an
    /// answer that comes late is never taken for another call's.
    fn last_id(&self) -> u64 {
        u64::MAX
    }

    /// Puts `id` into `request`.
    ///
    /// # Errors
    /// If it has no place for one. The call fails, and nothing is sent.
    fn stamp(&self, request: &mut BytesMut, id: u64) -> Result<(), Cause>;

    /// The id of a frame that arrived, or `None` if it answers no request and goes to the
    /// [`Pushes`](crate::Pushes). An id that no call waits for is that of a late answer, which is
    /// dropped.
    fn id_of(&self, frame: &[u8]) -> Option<u64>;
}
