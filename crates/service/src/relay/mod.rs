//! Frames of one connection passed on to another, both ways.

mod flow;
mod pass;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use socketry_codec::{BoxCodec, Codec, FrameError, FrameFault, Framed};
use socketry_transport::Socket;
use tokio::time::timeout;

pub use flow::{Flow, Traffic};
use pass::{Pass, Toll};

/// How long a relay goes on without a frame after one side has ended, where the other side never
/// ends: [`Relay::linger`].
const DEFAULT_LINGER: Duration = Duration::from_secs(1);

/// Two connections, each with its own transport and codec, of which each gets the frames of the
/// other.
///
/// ```
/// use socketry_codec::{Framed, Line, Struct};
/// use socketry_service::Relay;
/// use socketry_transport::{Listener, connect, listen};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut lines = listen("tcp://127.0.0.1:0").await?;
/// let mut lengths = listen("mem://lengths").await?;
/// let mut left = Framed::new(connect(lines.local()).await?, Line::new());
/// let near = Framed::new(lines.accept().await?, Line::new());
/// let far = Framed::new(connect("mem://lengths").await?, Struct::default());
/// let mut right = Framed::new(lengths.accept().await?, Struct::default());
///
/// let relay = Relay::new(near, far);
/// let traffic = relay.traffic();
/// let relaying = tokio::spawn(relay.run());
/// left.send(b"a line").await?;
/// assert_eq!(right.recv().await?, Some(&b"a line"[..]));
/// left.finish().await?; // the half-close is passed on
/// assert_eq!(right.recv().await?, None);
/// right.send(b"an answer").await?;
/// right.finish().await?;
/// assert_eq!(left.recv().await?, Some(&b"an answer"[..]));
/// relaying.await??;
/// assert_eq!((traffic.to_far.frames(), traffic.to_near.bytes()), (1, 9));
/// # Ok(()) }
/// ```
///
/// A side that takes nothing holds the other back: no more is received of a side than its frames
/// at hand, until they are written. An end is passed on as a half-close, and the other direction
/// goes on. A datagram socket has no end, so see [`linger`](Relay::linger).
pub struct Relay<A, B, CA = BoxCodec, CB = BoxCodec> {
    near: Framed<A, CA>,
    far: Framed<B, CB>,
    passing_over: bool,
    linger: Duration,
    traffic: Arc<Traffic>,
}

/// A relay has failed, and has aborted both connections.
///
/// It prints as one line: which frame, from where to where, and the fault.
#[derive(Clone, Debug, thiserror::Error)]
#[error("frame {} from {from} to {to}: {error}", after + 1)]
pub struct RelayError {
    /// The number of frames that were passed on in this direction before.
    pub after: u64,
    /// What happened to the next one.
    #[source]
    pub error: FrameError,
    from: String,
    to: String,
}

impl<A, B, CA, CB> Relay<A, B, CA, CB>
where
    A: Socket,
    B: Socket,
    CA: Codec + Clone,
    CB: Codec + Clone,
{
    /// A relay between these two. Bytes that were received already are passed on too.
    pub fn new(near: Framed<A, CA>, far: Framed<B, CB>) -> Self {
        Relay {
            near,
            far,
            passing_over: false,
            linger: DEFAULT_LINGER,
            traffic: Arc::default(),
        }
    }

    /// Whether a frame that one codec cannot read or the other cannot carry, or a datagram that is
    /// lost, is [counted](Flow::lost) and passed over. By default it ends the relay, so that
    /// nothing is missing without a word.
    #[must_use]
    pub fn passing_over(mut self, on: bool) -> Self {
        self.passing_over = on;
        self
    }

    /// How long it goes on without a frame from a datagram socket, which has no end, after the
    /// other side has ended, and with answers after a frame that ends the relay. Default 1 second.
    /// Then the other side gets an end too. A stream has an end of its own, which is waited for.
    #[must_use]
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// What it has passed on so far, which grows while it runs.
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    /// Passes frames on until both directions have ended.
    ///
    /// Not cancel-safe: if the future is dropped, frames on their way are lost, and both
    /// connections are aborted, where their transports can. So are they if the process dies. No
    /// peer takes that for an end.
    ///
    /// # Errors
    /// The first failure of either side. Both connections are aborted then. Where a codec could not
    /// read or carry a frame, the other direction first goes on for the time
    /// [`linger`](Relay::linger), since frames before that one may still be answered.
    pub fn run(self) -> impl Future<Output = Result<(), RelayError>> + Send {
        // Said here, since a caller with sockets of any kind could not prove it.
        self.relay()
    }

    async fn relay(self) -> Result<(), RelayError> {
        let Traffic { to_far, to_near } = &*self.traffic;
        let toll = |flow, back| Toll {
            flow,
            back,
            passing_over: self.passing_over,
        };
        let (near_recv, near_send) = self.near.split();
        let (far_recv, far_send) = self.far.split();
        let mut there = Pass {
            from: near_recv,
            to: far_send,
            toll: toll(to_far, to_near),
        };
        let mut back = Pass {
            from: far_recv,
            to: near_send,
            toll: toll(to_near, to_far),
        };
        there.abort_on_drop(true);
        back.abort_on_drop(true);
        both::<A, B, _, _>(&mut there, &mut back, self.linger).await?;
        there.abort_on_drop(false);
        back.abort_on_drop(false);
        Ok(())
    }
}

/// Runs both directions until both have ended.
async fn both<A, B, CA, CB>(
    there: &mut Pass<'_, A::Recv, CA, B::Send, CB>,
    back: &mut Pass<'_, B::Recv, CB, A::Send, CA>,
    linger: Duration,
) -> Result<(), RelayError>
where
    A: Socket,
    B: Socket,
    CA: Codec,
    CB: Codec,
{
    let lingering = |flow, ends: bool| Lingering {
        flow,
        time: (!ends).then_some(linger),
    };
    let there_after = lingering(there.toll.flow, there.from.shape().is_reliable());
    let back_after = lingering(back.toll.flow, back.from.shape().is_reliable());
    let (there_ended, back_ended) = {
        let (mut going, mut coming) = (pin!(there.run()), pin!(back.run()));
        tokio::select! {
            done = &mut going => match done {
                Ok(()) => (true, back_after.wait(coming).await?),
                Err(error) => return Err(parting(error, coming, linger).await),
            },
            done = &mut coming => match done {
                Ok(()) => (there_after.wait(going).await?, true),
                Err(error) => return Err(parting(error, going, linger).await),
            },
        }
    };
    // Datagrams have no end that was passed on. Some peers take a drop alone for a failure.
    if !there_ended {
        there.finish().await?;
    }
    if !back_ended {
        back.finish().await?;
    }
    Ok(())
}

/// After the failure of one direction. If it is of a frame, and not of a connection, frames before
/// it may still be answered.
async fn parting(error: RelayError, other: impl Future, linger: Duration) -> RelayError {
    if matches!(error.error.fault(), FrameFault::Codec(_)) {
        let _ = timeout(linger, other).await;
    }
    error
}

/// How long a direction goes on after the other has ended.
struct Lingering<'a> {
    flow: &'a Flow,
    /// Without a bound where an end comes.
    time: Option<Duration>,
}

impl Lingering<'_> {
    /// Whether the direction has ended, and is not given up.
    async fn wait(
        self,
        mut direction: impl Future<Output = Result<(), RelayError>> + Unpin,
    ) -> Result<bool, RelayError> {
        let Some(time) = self.time else {
            return direction.await.map(|()| true);
        };
        loop {
            let before = self.flow.frames();
            match timeout(time, &mut direction).await {
                Ok(done) => return done.map(|()| true),
                // A frame on its way is waited for.
                Err(_) if self.flow.is_waiting() && self.flow.frames() == before => {
                    return Ok(false);
                }
                Err(_) => {}
            }
        }
    }
}
