//! What a part of the program hears of the frames and buffers of a connection, and its bound on the
//! buffers.

use std::io;
use std::sync::Arc;

use super::FrameError;
use super::watch::Watch;

/// Hears of the frames, errors and buffers of a [`Framed`](super::Framed), set with
/// [`metered`](super::Framed::metered). Each method does nothing by default.
///
/// The methods run where frames are received and sent: they must not block.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use socketry_codec::{Framed, Line, Meter};
/// use socketry_transport::{Listener, connect, listen};
///
/// #[derive(Default)]
/// struct Sent(AtomicUsize);
///
/// impl Meter for Sent {
///     fn frames_sent(&self, count: usize) {
///         self.0.fetch_add(count, Ordering::Relaxed);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = listen("mem://*").await?;
/// let sent = Arc::new(Sent::default());
/// let client = Framed::new(connect(listener.local()).await?, Line::new());
/// let mut client = client.metered(sent.clone());
/// client.feed_many(["one", "two"]).await?;
/// client.send(b"three").await?;
/// assert_eq!(sent.0.load(Ordering::Relaxed), 3);
/// # Ok(()) }
/// ```
pub trait Meter: Send + Sync {
    /// Whether it hears of frames and errors, too, and not of buffers alone. Asked once, when it is
    /// set. Without it a frame costs as little as without a meter. Default `true`.
    fn counts_frames(&self) -> bool {
        true
    }

    /// So many frames were given to the caller. With such a meter
    /// [`recv_many`](super::Framed::recv_many) gives frames one by one.
    fn frames_received(&self, count: usize) {
        let _ = count;
    }

    /// So many frames were taken from the caller, and are written now or with others. A large frame
    /// is told once it is written.
    fn frames_sent(&self, count: usize) {
        let _ = count;
    }

    /// A receive or a send gives this error to the caller.
    fn failed(&self, error: &FrameError) {
        let _ = error;
    }

    /// The receive buffer or the send buffer had room for `before` bytes, and has for `after` bytes
    /// now. Told after each receive and each frame that was fed if it has changed, and when the
    /// buffer is freed, with `after` 0. Frames that were [cut](super::Framed::recv_bytes) from the
    /// buffer belong to the caller and do not count, nor does the queue of a
    /// [`Sender`](super::Sender), which has a bound of its own.
    ///
    /// # Errors
    /// An error refuses a buffer that has grown. It is given to the caller and is fatal: the buffer
    /// is freed, and still counts `before` bytes until that is told.
    fn buffer(&self, before: usize, after: usize) -> io::Result<()> {
        let _ = (before, after);
        Ok(())
    }
}

/// The parts of the program that one side of a connection reports to.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) watch: Option<Box<dyn Watch>>,
    meter: Option<Arc<dyn Meter>>,
    /// The meter hears of frames.
    counting: bool,
    /// The bytes that the meter knows of.
    held: usize,
}

impl Hooks {
    pub(super) fn set_meter(&mut self, meter: Arc<dyn Meter>) {
        self.free();
        self.counting = meter.counts_frames();
        self.meter = Some(meter);
    }

    /// The meter, if it hears of frames.
    #[inline]
    pub(super) fn counter(&self) -> Option<&dyn Meter> {
        match self.counting {
            true => self.meter.as_deref(),
            false => None,
        }
    }

    /// The buffer has room for `bytes` now.
    pub(super) fn hold(&mut self, bytes: usize) -> io::Result<()> {
        if self.held == bytes {
            return Ok(());
        }
        if let Some(meter) = &self.meter {
            meter.buffer(self.held, bytes)?;
            self.held = bytes;
        }
        Ok(())
    }

    /// The buffer is gone. To have less is never refused.
    pub(super) fn free(&mut self) {
        let _ = self.hold(0);
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        self.free();
    }
}

/// Tells the counter of `hooks`, if there is one.
#[inline(always)]
pub(super) fn tell(hooks: Option<&Hooks>, tell: impl FnOnce(&dyn Meter)) {
    if let Some(counter) = hooks.and_then(Hooks::counter) {
        tell(counter);
    }
}
