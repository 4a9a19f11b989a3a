//! The default bounds, and the errors of frames that exceed them.
//!
//! Each [`Codec`](crate::Codec) needs the same answers at its limits. [`unfinished`], [`admit`],
//! [`check`], [`refused`] and [`contain`] give them as the codecs of this crate do, and as the laws
//! of codecs demand. [`decimal`] reads a length that is written in digits.

use std::time::Duration;

use crate::{CodecError, Decoded, End, Fault};

/// The longest frame: 8 MiB, without header and delimiter.
pub const DEFAULT_MAX_FRAME: usize = 8 << 20;

/// The longest JSON header after a length: 64 KiB. Larger data belongs in a body after the header.
pub const DEFAULT_MAX_HEADER: usize = 64 << 10;

/// The longest bare JSON object: 8 MiB, since the tutorial sends small files inside one.
pub const DEFAULT_MAX_BARE: usize = 8 << 20;

/// The most bytes of one frame that is too long that are passed over, counted from its first byte:
/// 16 MiB. Beyond them the error is fatal.
pub const DEFAULT_MAX_DISCARD: u64 = 16 << 20;

/// How long a frame may take from its first byte to its last: 30 seconds.
pub const DEFAULT_FRAME_TIME: Duration = Duration::from_secs(30);

/// How many bytes wait before `Framed::feed` writes them: 256 KiB.
pub const DEFAULT_HIGH_WATER: usize = 256 << 10;

/// How many bytes may wait for the writer of a `Sender`: 256 KiB.
pub const DEFAULT_SENDER_CAPACITY: usize = 256 << 10;

/// The most frames that one call of `Framed::recv_many` gives: 128. Their positions take 3 KiB.
pub const FRAMES_AT_ONCE: usize = 128;

/// How long a `Sender` that is finished or dropped goes on without writing anything: 30 seconds.
pub const SENDER_LINGER: Duration = Duration::from_secs(30);

/// How long `Framed::close` takes at most: 5 seconds.
pub const CLOSE_TIME: Duration = Duration::from_secs(5);

/// How many bytes `Framed::close` reads and drops at most: 1 MiB.
pub const CLOSE_BYTES: usize = 1 << 20;

/// How deep bare JSON may nest, braces and brackets together: 128 levels. No larger depth can be
/// chosen.
pub const MAX_DEPTH: usize = 128;

/// The longest frame, and the most bytes of a longer frame that are passed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_frame: usize,
    pub(crate) max_discard: u64,
}

impl Limits {
    pub(crate) const fn frames(max_frame: usize) -> Self {
        Limits {
            max_frame,
            max_discard: DEFAULT_MAX_DISCARD,
        }
    }

    /// The error of a received frame of `len` bytes. `pass` is the number of bytes to pass over: up
    /// to its end, or as far as the codec has looked.
    #[cold]
    pub(crate) fn too_long(&self, len: Option<u64>, pass: Option<u64>) -> CodecError {
        let max = self.max_frame as u64;
        CodecError {
            fault: Fault::TooLong { len, max },
            skip: pass.filter(|pass| *pass <= self.max_discard),
        }
    }
}

/// Refuses a frame of `len` bytes that arrives, if that is more than `longest`. One frame is lost,
/// and not the connection: its `consumed` bytes, with header and delimiter, are passed over.
///
/// ```
/// use socketry_codec::{Fault, limits::admit};
///
/// assert_eq!(admit(5, 5, 8), Ok(()));
/// let error = admit(6, 5, 9).unwrap_err();
/// assert_eq!(error.fault, Fault::TooLong { len: Some(6), max: 5 });
/// assert_eq!(error.skip, Some(9));
/// ```
///
/// # Errors
/// [`Fault::TooLong`].
#[inline]
pub fn admit(len: usize, longest: usize, consumed: usize) -> Result<(), CodecError> {
    if len <= longest {
        return Ok(());
    }
    Err(CodecError::skip(too_long(len, longest), consumed as u64))
}

#[cold]
fn too_long(len: usize, longest: usize) -> Fault {
    Fault::TooLong {
        len: Some(len as u64),
        max: longest as u64,
    }
}

/// The most digits that [`decimal`] reads.
const DIGITS: usize = 9;

/// A number in one to nine decimal digits at the front of `input`, up to `delimiter`, which is no
/// digit. Gives the number and the count of bytes with the delimiter. `None` while the delimiter
/// has not arrived.
///
/// Such a number is below 10⁹, so that a codec can add positions to it without an overflow.
///
/// ```
/// use socketry_codec::limits::decimal;
///
/// assert_eq!(decimal(b"12:hello world!,", b':'), Ok(Some((12, 3))));
/// assert_eq!(decimal(b"12", b':'), Ok(None));
/// assert!(decimal(b"+12:", b':').unwrap_err().is_fatal());
/// assert!(decimal(b"1234567890", b':').unwrap_err().is_fatal());
/// ```
///
/// # Errors
/// Fatal, if another byte or a tenth digit stands there.
#[inline]
pub fn decimal(input: &[u8], delimiter: u8) -> Result<Option<(usize, usize)>, CodecError> {
    let number = digits(input, DIGITS, delimiter)?;
    #[expect(clippy::cast_possible_truncation, reason = "below 10⁹")]
    Ok(number.map(|(number, bytes)| (number as usize, bytes)))
}

/// [`decimal`], of at most `most` digits, 19 at most.
#[inline]
pub(crate) fn digits(
    input: &[u8],
    most: usize,
    delimiter: u8,
) -> Result<Option<(u64, usize)>, CodecError> {
    let mut number = 0;
    for (at, byte) in input.iter().enumerate() {
        match byte {
            b'0'..=b'9' if at < most => number = 10 * number + u64::from(byte - b'0'),
            b'0'..=b'9' => return Err(malformed_length("has more digits than it may have")),
            byte if *byte == delimiter && at > 0 => return Ok(Some((number, at + 1))),
            _ => {
                let problem = "is not decimal digits and the byte that ends them";
                return Err(malformed_length(problem));
            }
        }
    }
    Ok(None)
}

/// It does not tell where the next frame begins.
#[cold]
pub(crate) fn malformed_length(problem: &'static str) -> CodecError {
    CodecError::fatal(Fault::MalformedLength(problem))
}

/// Refuses to send a frame of more than `longest` bytes: no peer with the same limit takes it, or
/// its length field cannot hold the length.
///
/// [`encode`](crate::Codec::encode) begins with it:
///
/// ```
/// use socketry_codec::{Fault, limits::check};
///
/// assert_eq!(check(b"hello", 5), Ok(()));
/// let error = check(b"hello!", 5).unwrap_err();
/// assert_eq!(error.fault, Fault::TooLong { len: Some(6), max: 5 });
/// ```
///
/// # Errors
/// [`Fault::TooLong`], [`refused`].
#[inline]
pub fn check(frame: &[u8], longest: usize) -> Result<(), CodecError> {
    if frame.len() <= longest {
        return Ok(());
    }
    Err(refused(too_long(frame.len(), longest)))
}

/// Refuses to send a frame of fewer than `least` bytes: no peer takes it.
#[inline]
pub(crate) fn check_least(frame: &[u8], least: usize) -> Result<(), CodecError> {
    if frame.len() >= least {
        return Ok(());
    }
    let (len, min) = (frame.len() as u64, least as u64);
    Err(refused(Fault::TooShort { len, min }))
}

/// An error about a frame that the caller sends. It was not written, so there are no bytes to pass
/// over, and none is lost.
///
/// ```
/// use socketry_codec::limits::refused;
///
/// let error = refused("a frame of this codec is one line of ASCII");
/// assert!(!error.is_fatal());
/// assert_eq!(error.skip, Some(0));
/// ```
#[cold]
pub fn refused(fault: impl Into<Fault>) -> CodecError {
    CodecError::skip(fault, 0)
}

/// Limits `error` to its datagram: no fault concerns the next one.
///
/// `here` is the length of the input. On a stream the error stays as it is.
///
/// ```
/// use socketry_codec::{CodecError, End, Fault, limits::contain};
///
/// let lost = CodecError::fatal(Fault::NegativeLength(-1));
/// assert_eq!(contain(lost.clone(), End::Open, 10), lost);
/// assert_eq!(contain(lost, End::Datagram, 10).skip, Some(10));
/// ```
#[cold]
pub fn contain(error: CodecError, end: End, here: usize) -> CodecError {
    match end {
        End::Datagram => CodecError::skip(error.fault, here as u64),
        End::Open | End::Closed => error,
    }
}

/// The answer for a frame at the front that is not whole: the input has `have` bytes of it, and at
/// least `missing` more (1 or more) belong to it. While more bytes may follow, the codec needs
/// them. At an end between two frames, no frame is left.
///
/// ```
/// use socketry_codec::{Decoded, End, limits::unfinished};
///
/// assert_eq!(unfinished(3, 2, End::Open), Ok(Decoded::Need(2)));
/// assert_eq!(unfinished(0, 5, End::Closed), Ok(Decoded::Need(5)));
/// let error = unfinished(3, 2, End::Closed).unwrap_err();
/// assert_eq!(error.skip, Some(3));
/// ```
///
/// # Errors
/// [`Fault::Truncated`] where the stream or datagram ends inside the frame; the input is passed
/// over.
#[inline(always)]
pub fn unfinished(have: usize, missing: usize, end: End) -> Result<Decoded, CodecError> {
    if end == End::Open || have == 0 {
        return Ok(Decoded::Need(missing));
    }
    Err(truncated(have, missing))
}

#[cold]
fn truncated(have: usize, missing: usize) -> CodecError {
    CodecError::skip(Fault::Truncated { have, missing }, have as u64)
}
