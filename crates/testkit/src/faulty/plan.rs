//! The kinds of faults, their rates, and the seed.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use super::Trace;
use super::closing::Common;

/// A fault of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// A stream's receive gives only a few bytes, often just one. Per receive; loses nothing.
    ShortRead,
    /// A stream's send takes only a few bytes, often just one. Per send; loses nothing.
    ShortWrite,
    /// A call is `Pending` once for no reason, and wakes its task at once. Per receive, send, open
    /// or accept; loses nothing.
    Pending,
    /// A call waits, in tokio's time, before it does anything. Per receive, send, open or accept;
    /// loses nothing.
    Delay,
    /// The connection breaks: receiving and sending fail from then on, and the peer gets a reset,
    /// too, where the transport has one. On a datagram socket one call fails as if there was no
    /// listener, and the socket goes on. Per direction.
    Reset,
    /// Nothing arrives any more and no bytes are taken: calls wait for ever. Per direction, and
    /// then in both.
    Stall,
    /// The peer has vanished: nothing arrives any more, and sent bytes are taken and lost. Per
    /// direction, and then in both.
    HalfOpen,
    /// A datagram does not arrive.
    Loss,
    /// A datagram arrives twice.
    Duplication,
    /// A datagram arrives after the next one, if one comes soon.
    Reordering,
    /// The end of a datagram is missing, and the receiver is not told: a device between the peers
    /// cut it.
    Truncation,
    /// The end of a datagram is missing, and the receiver is told:
    /// [`Received::Cut`](socketry_transport::Received::Cut).
    Cut,
    /// One bit of a datagram is flipped.
    Corruption,
    /// One bit of the receive of a stream, or of a message, is flipped. Transports that check their
    /// bytes prevent this, so it is in no preset. Per receive.
    StreamCorruption,
    /// A connection of many streams is closed: each end sees that the peer closed it, with
    /// [`Faults::code`]. Per connection, once so many bytes have passed over all its sockets. A
    /// socket by itself has no such fault.
    Close,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 15] = [
        Fault::ShortRead,
        Fault::ShortWrite,
        Fault::Pending,
        Fault::Delay,
        Fault::Reset,
        Fault::Stall,
        Fault::HalfOpen,
        Fault::Loss,
        Fault::Duplication,
        Fault::Reordering,
        Fault::Truncation,
        Fault::Cut,
        Fault::Corruption,
        Fault::StreamCorruption,
        Fault::Close,
    ];

    /// The faults after which every byte still arrives, in order and once.
    pub const HARMLESS: [Fault; 4] = [
        Fault::ShortRead,
        Fault::ShortWrite,
        Fault::Pending,
        Fault::Delay,
    ];

    /// The faults that end a connection, each at most once in a direction.
    pub(super) const FATES: [Fault; 3] = [Fault::Reset, Fault::Stall, Fault::HalfOpen];

    /// The faults of single datagrams.
    const OF_DATAGRAMS: [Fault; 6] = [
        Fault::Loss,
        Fault::Duplication,
        Fault::Reordering,
        Fault::Truncation,
        Fault::Cut,
        Fault::Corruption,
    ];
}

/// The rate of each [`Fault`], in thousandths, and the seed that decides when it happens.
///
/// A plan is a value: the same plan and the same sequence of calls give the same faults. A call
/// that was `Pending` does not count again. The fault that ends a connection is decided when the
/// socket is made, with the byte at which it happens. So it does not depend on the number of calls.
///
/// ```
/// use socketry_testkit::{Fault, Faults};
///
/// let plan = Faults::harmless().seed(7).with(Fault::Reset, 500).within(4096);
/// assert_eq!(plan.rate(Fault::Reset), 500);
/// ```
#[derive(Clone, Debug)]
pub struct Faults {
    pub(super) seed: u64,
    pub(super) number: u64,
    rates: [u16; Fault::ALL.len()],
    pub(super) longest_delay: Duration,
    pub(super) longest_piece: usize,
    pub(super) within: u64,
    pub(super) between_calls: bool,
    pub(super) code: u64,
    pub(super) trace: Option<Trace>,
    /// The connection of the socket, if it is one of many streams.
    pub(super) connection: Option<Arc<Common>>,
}

impl Faults {
    /// No faults: a socket with this plan behaves as the one inside.
    pub fn none() -> Self {
        Faults {
            seed: 0,
            number: 0,
            rates: [0; Fault::ALL.len()],
            longest_delay: Duration::from_millis(5),
            longest_piece: 16,
            within: 16 << 10,
            between_calls: false,
            code: 1,
            trace: None,
            connection: None,
        }
    }

    /// All of [`Fault::HARMLESS`]. A program that works without them must work with them.
    pub fn harmless() -> Self {
        Faults::none()
            .with(Fault::ShortRead, 400)
            .with(Fault::ShortWrite, 400)
            .with(Fault::Pending, 300)
            .with(Fault::Delay, 30)
    }

    /// All but [`Fault::StreamCorruption`]. About every third connection ends early, and every
    /// tenth datagram has a fault.
    pub fn hostile() -> Self {
        let fates = Fault::FATES.iter();
        let plan = Faults::harmless().with(Fault::Close, 70);
        let plan = fates.fold(plan, |plan, fate| plan.with(*fate, 70));
        let of_datagrams = Fault::OF_DATAGRAMS.iter();
        of_datagrams.fold(plan, |plan, fault| plan.with(*fault, 20))
    }

    /// A plan from numbers, a fuzzer's for instance: `rates` in thousandths, in the order of
    /// [`Fault::ALL`]. Missing ones are 0.
    pub fn from_rates(seed: u64, rates: impl IntoIterator<Item = u16>) -> Self {
        let rates = Fault::ALL.into_iter().zip(rates);
        rates.fold(Faults::none().seed(seed), |plan, (fault, rate)| {
            plan.with(fault, rate)
        })
    }

    /// The same plan with another seed. Default 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same plan for another socket, which gets faults of its own.
    /// [`FaultyTransport`](super::FaultyTransport) numbers the sockets that it makes. Default 0.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// The same plan with `fault` happening in `thousandths` of the cases; from 1,000 on always.
    #[must_use]
    pub fn with(mut self, fault: Fault, thousandths: u16) -> Self {
        self.rates[fault as usize] = thousandths;
        self
    }

    /// The same plan without these faults.
    #[must_use]
    pub fn without(self, faults: &[Fault]) -> Self {
        faults.iter().fold(self, |plan, fault| plan.with(*fault, 0))
    }

    /// The longest [`Fault::Delay`], and how long a datagram is held until another overtakes it:
    /// default 5 ms. With zero there are no delays, and no timer is needed.
    #[must_use]
    pub fn longest_delay(mut self, delay: Duration) -> Self {
        self.longest_delay = delay;
        self
    }

    /// The most bytes of a [`Fault::ShortRead`] or [`Fault::ShortWrite`], at least 1: default 16.
    #[must_use]
    pub fn longest_piece(mut self, bytes: usize) -> Self {
        self.longest_piece = bytes.max(1);
        self
    }

    /// By which byte of a direction the connection has ended, if a fault ends it: default 16 KiB.
    /// Early bytes are as likely as late ones, on a logarithmic scale.
    #[must_use]
    pub fn within(mut self, bytes: u64) -> Self {
        self.within = bytes;
        self
    }

    /// The code of a [`Fault::Close`], and of a [`Fault::Reset`] of a stream of a connection:
    /// default 1.
    #[must_use]
    pub fn code(mut self, code: u64) -> Self {
        self.code = code;
        self
    }

    /// A fault ends the connection only between two receives or sends, and cuts none. For `raw` on
    /// a stream, where one read is a message.
    #[must_use]
    pub fn between_calls(mut self) -> Self {
        self.between_calls = true;
        self
    }

    /// The same plan, which records its faults in `trace`.
    #[must_use]
    pub fn traced(mut self, trace: &Trace) -> Self {
        self.trace = Some(trace.clone());
        self
    }

    /// The rate of `fault`, in thousandths.
    pub fn rate(&self, fault: Fault) -> u16 {
        self.rates[fault as usize]
    }

    /// Whether `fault` happens now.
    pub(super) fn rolls(&self, fault: Fault, rng: &mut Rng) -> bool {
        let rate = self.rate(fault);
        // A fault that never happens draws no number, so that plans can be compared.
        rate > 0 && rng.u16(0..1000) < rate
    }

    /// The byte at which a connection ends, up to [`within`](Faults::within).
    pub(super) fn roll_end(&self, rng: &mut Rng) -> u64 {
        let bits = u64::BITS - self.within.leading_zeros();
        let below = 1u64.checked_shl(rng.u32(0..=bits)).unwrap_or(u64::MAX);
        rng.u64(0..below).min(self.within)
    }

    /// Whether no fault ever happens.
    pub(super) fn are_none(&self) -> bool {
        self.rates == [0; Fault::ALL.len()]
    }

    /// Whether there are faults of single datagrams.
    pub(super) fn touch_datagrams(&self) -> bool {
        Fault::OF_DATAGRAMS
            .iter()
            .any(|fault| self.rate(*fault) > 0)
    }
}
