//! `Framed` over a socket that gives and takes as the input says, with all kinds of faults in
//! between. The frames and bodies are those of a model. Whole frames are written in order,
//! whichever call was cancelled. The error that ends the connection is reported once. Nothing
//! panics, hangs, or asks for more room than has arrived.

mod incoming;
mod outgoing;
mod patience;
mod play;
mod receiving;
mod sending;
mod witness;

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use socketry_testkit::{Faults, Script};

use super::case;
use play::Play;

/// The setting of a run.
#[derive(Arbitrary)]
struct Setting {
    form: u8,
    limits: u8,
    datagrams: bool,
    high_water: u8,
    seed: u16,
    /// The rate of each fault, in the order of `Fault::ALL`; 255 is always. The last two are
    /// missing: bytes of a stream are not flipped, and there are no connections of many streams.
    rates: [u8; 13],
}

/// The events, in order.
#[derive(Arbitrary)]
enum Event<'a> {
    PeerSends(&'a [u8]),
    PeerSendsFrame(&'a [u8]),
    PeerPauses,
    PeerEnds,
    /// The next receive fails, once everything before it has arrived.
    RecvFails(u8),
    /// The next sends take this many bytes, or make one wait.
    SocketTakes(Option<u8>),
    /// The next send fails.
    SendFails(u8),
    /// The next call is dropped if it has to wait.
    Impatience,
    Recv,
    RecvBytes,
    /// A frame, and a body after it.
    RecvBody(u8),
    RestOfBody,
    Send(&'a [u8]),
    Feed(&'a [u8]),
    SendLarge(u8),
    Body(&'a [u8]),
    Flush,
    Finish,
    WithCodec(u8, u8),
    Split,
}

/// How many events of an input are used.
const EVENTS: usize = 64;
/// The longest datagram.
const DATAGRAM: usize = 1500;
/// The longest piece of a short read or write, in bytes. Large frames come in pieces, but not in
/// thousands of them.
const SHORT: usize = 256;
/// The byte by which a fault that ends the connection has happened. It may be in the second large
/// frame.
const WITHIN: u64 = 128 << 10;

pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let Ok(setting) = input.arbitrary::<Setting>() else {
        return;
    };
    let mut play = Play::new(&setting);
    let events = input.arbitrary_iter::<Event<'_>>().into_iter().flatten();
    for event in events.map_while(Result::ok).take(EVENTS) {
        play.event(&event);
    }
    play.end();
}

impl Setting {
    fn script(&self) -> Script {
        let script = match self.datagrams {
            true => Script::datagrams(DATAGRAM),
            false => Script::stream(),
        };
        script.open()
    }

    /// Without delays, since no time passes here.
    fn faults(&self) -> Faults {
        let rates = self.rates.map(|rate| u16::from(rate) * 4);
        Faults::from_rates(self.seed.into(), rates)
            .longest_delay(Duration::ZERO)
            .longest_piece(SHORT)
            .within(WITHIN)
    }
}
