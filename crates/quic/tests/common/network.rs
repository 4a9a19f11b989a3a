//! A network that loses, repeats and reorders datagrams, below QUIC.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use socketry_quic::Quic;
use socketry_transport::{BoxFuture, DatagramSocket, Endpoint, PeerAddr, Received, UdpTransport};
use tokio::io::ReadBuf;

/// What all sockets of a network share.
#[derive(Clone)]
pub(crate) struct Network(Arc<State>);

struct State {
    /// Of 1,000 datagrams, so many are lost, and as many each come twice or late.
    faults: u64,
    random: AtomicU64,
    cut: AtomicBool,
    pub(crate) lost: AtomicU64,
}

impl Network {
    /// One that loses `faults` of 1,000 datagrams, repeats as many, and has as many come late. The
    /// order of the faults is the same each time.
    pub(crate) fn new(faults: u64) -> Self {
        Network(Arc::new(State {
            faults,
            random: AtomicU64::new(1),
            cut: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        }))
    }

    /// From now on nothing arrives.
    pub(crate) fn cut(&self) {
        self.0.cut.store(true, Relaxed);
    }

    pub(crate) fn lost(&self) -> u64 {
        self.0.lost.load(Relaxed)
    }

    /// `quic` over sockets of this network.
    pub(crate) fn under(&self, quic: &Quic) -> Quic {
        let network = self.clone();
        quic.clone().over(move |at: Endpoint| {
            let network = network.clone();
            async move {
                let inner = UdpTransport::default()
                    .bind(&at.with_scheme("udp")?)
                    .await?;
                Ok(Faulty {
                    inner,
                    network,
                    late: Mutex::default(),
                })
            }
        })
    }

    /// A number from 0 to 999.
    fn draw(&self) -> u64 {
        let next = |seed: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let seed = self
            .0
            .random
            .fetch_update(Relaxed, Relaxed, |seed| Some(next(seed)));
        (seed.unwrap_or(0) >> 33) % 1000
    }
}

struct Faulty<D> {
    inner: D,
    network: Network,
    /// A datagram that goes behind the next one.
    late: Mutex<Option<(Vec<u8>, PeerAddr)>>,
}

impl<D: DatagramSocket> DatagramSocket for Faulty<D> {
    fn local(&self) -> &Endpoint {
        self.inner.local()
    }

    fn max_len(&self) -> usize {
        self.inner.max_len()
    }

    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        self.inner.poll_recv_from(cx, buf)
    }

    fn try_send_to(&self, parts: &[IoSlice<'_>], to: &PeerAddr) -> io::Result<usize> {
        let len = parts.iter().map(|part| part.len()).sum();
        let (state, drawn) = (&self.network.0, self.network.draw());
        if state.cut.load(Relaxed) || drawn < state.faults {
            state.lost.fetch_add(1, Relaxed);
            return Ok(len);
        }
        if drawn < 2 * state.faults {
            let _ = self.inner.try_send_to(parts, to);
        }
        let mut late = self.late.lock().unwrap();
        if drawn >= 2 * state.faults && drawn < 3 * state.faults && late.is_none() {
            let bytes = parts.iter().flat_map(|part| part.to_vec()).collect();
            *late = Some((bytes, to.clone()));
            return Ok(len);
        }
        let sent = self.inner.try_send_to(parts, to)?;
        if let Some((bytes, to)) = late.take() {
            let _ = self.inner.try_send_to(&[IoSlice::new(&bytes)], &to);
        }
        Ok(sent)
    }

    fn writable<'a>(&'a self, to: &'a PeerAddr) -> BoxFuture<'a, io::Result<()>> {
        self.inner.writable(to)
    }
}
