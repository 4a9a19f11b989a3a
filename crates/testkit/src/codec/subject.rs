//! The subject of the laws: a codec and its declarations.

use std::fmt;
use std::sync::Arc;

use socketry_codec::{BoxCodec, Codec, CodecRegistry};

use super::drive::{Driver, Event};

/// The limits that a law gives to the codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame in bytes, without the bytes around it, in both directions.
    pub max_frame: usize,
    /// The longest frame in bytes, with the bytes around it, that is passed over. A longer one is
    /// fatal.
    pub max_discard: u64,
}

type Build = dyn Fn(Limits) -> BoxCodec + Send + Sync;
type Plain = dyn Fn(Limits, &[u8]) -> Result<Vec<Event>, String> + Send + Sync;

/// Runs the given work, and returns the most bytes that were allocated at a time meanwhile.
pub type Count = fn(&mut dyn FnMut()) -> u64;

/// A codec to run the laws against: how it is built, which frames it carries, and what it does not
/// do.
///
/// By default the laws expect a codec that carries frames of any length, finds frame boundaries on
/// a stream, and keeps both limits.
#[derive(Clone)]
pub struct Subject {
    title: String,
    build: Arc<Build>,
    plain: Arc<Plain>,
    pub(super) shape: Option<fn(&mut [u8])>,
    pub(super) examples: Vec<Vec<u8>>,
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) opening: usize,
    pub(super) widest: Option<fn(usize) -> usize>,
    pub(super) bounded: bool,
    pub(super) limited: bool,
    pub(super) skips: bool,
    pub(super) discards: bool,
    pub(super) keeps_last: bool,
    pub(super) resynchronises: bool,
    pub(super) name: Option<(CodecRegistry, String)>,
    pub(super) counted: Option<Count>,
}

impl Subject {
    /// The codec that `build` returns for given limits, and its name in violations.
    pub fn new<C: Codec>(
        title: impl Into<String>,
        build: impl Fn(Limits) -> C + Send + Sync + 'static,
    ) -> Self {
        let build = Arc::new(build);
        let plain = Arc::clone(&build);
        Subject {
            title: title.into(),
            build: Arc::new(move |limits| Box::new(build(limits)) as BoxCodec),
            plain: Arc::new(move |limits, input| {
                Driver::new(plain(limits)).stream(input.chunks(1))
            }),
            shape: None,
            examples: Vec::new(),
            least: 0,
            most: usize::MAX,
            opening: 0,
            widest: None,
            bounded: true,
            limited: true,
            skips: true,
            discards: true,
            keeps_last: false,
            resynchronises: false,
            name: None,
            counted: None,
        }
    }

    /// After damage it looks for the next frame byte by byte, as codecs of sensors do. It does so
    /// after a frame with a wrong checksum, after one that is too long, and after one that the end
    /// of the stream cuts. By default such a frame is one error, and passed over whole.
    ///
    /// The laws then accept several errors for such a frame, and frames that are found inside it.
    /// None of the errors may be fatal, and the whole frames before and after it must arrive. The
    /// law `damage_costs_only_the_damaged_frames` checks that. There is no limit of bytes that are
    /// passed over, as with [`without_max_discard`](Subject::without_max_discard).
    ///
    /// Advice for such a codec: after a wrong checksum or length, return an error that skips 1
    /// byte. Do the same at the end of a stream. Skipping everything there could lose whole frames
    /// after a false mark.
    #[must_use]
    pub fn resynchronising(self) -> Self {
        let (resynchronises, discards) = (true, false);
        Subject {
            resynchronises,
            discards,
            ..self
        }
    }

    /// Its frames are not arbitrary bytes: `shape` turns arbitrary bytes into a frame of the same
    /// length, in place. By default arbitrary bytes are tried until `encode` accepts some.
    #[must_use]
    pub fn shaped(self, shape: fn(&mut [u8])) -> Self {
        let shape = Some(shape);
        Subject { shape, ..self }
    }

    /// Frames to test in addition to the generated ones.
    #[must_use]
    pub fn examples<F: AsRef<[u8]>>(mut self, frames: impl IntoIterator<Item = F>) -> Self {
        let frames = frames.into_iter().map(|frame| frame.as_ref().to_vec());
        self.examples.extend(frames);
        self
    }

    /// The shortest and the longest frame in bytes that it carries, whatever its limits are. A
    /// length field of one byte, for instance, carries at most 255. By default 0 and `usize::MAX`.
    ///
    /// # Panics
    /// If the two are less than 64 bytes apart, since the laws need frames of several lengths.
    #[must_use]
    pub fn carries(self, least: usize, most: usize) -> Self {
        assert!(most.saturating_sub(least) >= 64, "{least} to {most} bytes");
        Subject {
            least,
            most,
            ..self
        }
    }

    /// All its frames have this one length in bytes. It has no other limit.
    #[must_use]
    pub fn fixed(self, bytes: usize) -> Self {
        let (least, most, limited) = (bytes, bytes, false);
        Subject {
            least,
            most,
            limited,
            ..self
        }
    }

    /// The first bytes that it writes for a frame, so many, say nothing yet: behind them alone no
    /// frame has begun. A delimiter that also ends the frame before, for instance. By default none.
    #[must_use]
    pub fn opening_with(self, opening: usize) -> Self {
        Subject { opening, ..self }
    }

    /// The most bytes that a frame of so many takes on the wire, in any form that is read. By
    /// default as many as the laws see it write, and the bytes around a frame once more. A codec
    /// that stuffs or compresses frames says it.
    #[must_use]
    pub fn taking_at_most(self, widest: fn(usize) -> usize) -> Self {
        let widest = Some(widest);
        Subject { widest, ..self }
    }

    /// It has no limits: it ignores those that it is built with, and accepts frames of any length.
    #[must_use]
    pub fn without_limits(self) -> Self {
        let limited = false;
        Subject { limited, ..self }
    }

    /// It passes over a frame that is too long, however long that is.
    #[must_use]
    pub fn without_max_discard(self) -> Self {
        let discards = false;
        Subject { discards, ..self }
    }

    /// A frame that is too long is always fatal.
    #[must_use]
    pub fn without_skipping(self) -> Self {
        let skips = false;
        Subject { skips, ..self }
    }

    /// On a stream it has no frames. The laws only check there that all bytes arrive in order.
    #[must_use]
    pub fn without_boundaries(self) -> Self {
        let bounded = false;
        Subject { bounded, ..self }
    }

    /// Bytes without an end when a stream closes are a frame, and no error.
    #[must_use]
    pub fn keeping_the_last(self) -> Self {
        let keeps_last = true;
        Subject { keeps_last, ..self }
    }

    /// How memory is counted: runs the work, and returns the most bytes that were allocated at a
    /// time meanwhile. Only a program can choose an allocator that counts. With the crate
    /// `allocation-counter` it is `|work| allocation_counter::measure(work).bytes_max`. By default
    /// nothing is counted, and the sizes in `Need` stand for memory.
    #[must_use]
    pub fn counted_by(self, count: Count) -> Self {
        let counted = Some(count);
        Subject { counted, ..self }
    }

    pub(super) fn codec(&self, limits: Limits) -> BoxCodec {
        (self.build)(limits)
    }

    pub(super) fn driver(&self, limits: Limits) -> Driver<BoxCodec> {
        Driver::new(self.codec(limits))
    }

    /// The events of the codec without a box, for a stream that arrives byte by byte.
    pub(super) fn plain(&self, limits: Limits, input: &[u8]) -> Result<Vec<Event>, String> {
        (self.plain)(limits, input)
    }

    /// Limits that a short input reaches.
    pub(super) fn small(&self) -> Limits {
        let max_frame = self.least + 16;
        let max_discard = max_frame as u64 + 24;
        Limits {
            max_frame,
            max_discard,
        }
    }

    /// Limits that no input of these laws reaches.
    pub(super) fn roomy(&self) -> Limits {
        Limits {
            max_frame: self.most.min(4 << 20),
            max_discard: 8 << 20,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.title)
    }
}
