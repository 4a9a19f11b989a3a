//! One connection: requests go out, answers come in, until it is lost.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socketry_codec::limits::{CLOSE_BYTES, CLOSE_TIME, FRAMES_AT_ONCE};
use socketry_codec::{Codec, CodecError, Fault, FrameError, Framed};
use socketry_transport::{
    BoxRecv, BoxSend, BoxSocket, DeadlineRecv, DeadlineSend, Deadlines, Half, Joined, SendHalf,
    Socket, close,
};
use tokio::time::{Instant, timeout};

use super::Settings;
use super::Shared;
use super::in_flight::{Answered, InFlight};
use super::outbox::Outbox;
use super::pulse::{Beat, Pulse};
use super::queue::Entry;
use super::waiter::Blocked;
use crate::client::bound;
use crate::client::error::{CallError, Lost};
use crate::client::pushes::Publisher;

/// After a write has failed, answers that are on their way are received for this long.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A connection that has lived so long is good: to dial as often as that is no burden.
const GOOD_AFTER: Duration = Duration::from_secs(5);

/// A connection.
pub(super) struct Link<'a, C: Codec> {
    shared: &'a Shared,
    pushes: Publisher,
    /// The frame of a probe.
    probe: Option<Bytes>,
    recv: Framed<DeadlineRecv<BoxRecv>, C>,
    outbox: Outbox<DeadlineSend<BoxSend>, C>,
    in_flight: InFlight,
    pulse: Option<Pulse>,
    /// Frames that arrived and were not given to calls yet.
    arrived: VecDeque<Bytes>,
    /// The reader of a stream of answers has no room for the next one.
    blocked: Option<Blocked>,
    /// The number of the last probe.
    probed: Option<u64>,
    begun: Instant,
    answered: bool,
}

impl<'a, C: Codec + Clone> Link<'a, C> {
    pub(super) fn new(
        shared: &'a Shared,
        settings: &Settings<C>,
        socket: BoxSocket,
    ) -> Result<Self, Lost> {
        if settings.correlate.is_none() && !socket.shape().is_reliable() {
            return Err(Lost::Unordered);
        }
        let limits = &shared.limits;
        let mut deadlines = Deadlines::default();
        if let Some(time) = bound(limits.stalled_write) {
            deadlines = deadlines.send_within(time);
        }
        let (recv, send) = deadlines.over(socket).split();
        let codec = settings.codec.clone();
        let mut recv = Framed::new(recv, codec.clone()).frame_time(bound(limits.whole_frame));
        let pulse = settings.probe.is_some().then(|| Pulse::new(limits));
        if let Some(pulse) = &pulse {
            recv = recv.watched(pulse.watch());
        }
        Ok(Link {
            shared,
            pushes: settings.pushes.clone(),
            probe: settings.probe.clone(),
            recv,
            outbox: Outbox::new(send, codec),
            in_flight: InFlight::new(settings.correlate.clone()),
            pulse,
            arrived: VecDeque::new(),
            blocked: None,
            probed: None,
            begun: Instant::now(),
            answered: false,
        })
    }

    /// Serves calls until the client is closed and all are done.
    pub(super) async fn run(&mut self) -> Result<(), Lost> {
        let mut batch = Vec::new();
        loop {
            self.give_answers();
            self.take_requests();
            if self.is_done() {
                return Ok(());
            }
            tokio::select! {
                biased;
                written = self.outbox.write(), if !self.outbox.is_empty() => {
                    if let Err(error) = written {
                        return Err(self.last_words(error).await);
                    }
                }
                received = self.recv.recv_many_bytes(&mut batch, FRAMES_AT_ONCE),
                    if self.blocked.is_none() =>
                {
                    self.received(received)?;
                    self.arrived.extend(batch.drain(..));
                }
                _ = room(&mut self.blocked), if self.blocked.is_some() => self.blocked = None,
                () = self.shared.changed() => {}
                beat = beat(&mut self.pulse), if self.blocked.is_none() => match beat {
                    Beat::Probe => self.send_probe(),
                    Beat::Dead(time) => return Err(Lost::Silent(time)),
                },
            }
        }
    }

    fn is_done(&self) -> bool {
        self.in_flight.is_idle()
            && self.outbox.is_empty()
            && self.blocked.is_none()
            && self.shared.is_done(true)
    }

    /// Encodes the requests that wait, as long as there is room.
    fn take_requests(&mut self) {
        let mut places = self.shared.limits.in_flight.max(1);
        places = places.saturating_sub(self.in_flight.len());
        let mut room = self.outbox.room();
        let (in_flight, mut first) = (&self.in_flight, None);
        let mut taken = Vec::new();
        let cancelled = self.shared.take(&mut taken, |entry| {
            let place = usize::from(!entry.is_one_way());
            let first = *first.get_or_insert(entry.seq);
            let fits = room > 0 && places >= place && in_flight.is_free(entry.seq, first);
            if fits {
                places -= place;
                room = room.saturating_sub(entry.frame.len().max(1));
            }
            fits
        });
        for seq in cancelled {
            self.in_flight.cancel(seq);
        }
        for entry in taken {
            self.send(entry);
        }
    }

    fn send(&mut self, entry: Entry) {
        if entry.waiter.is_gone() {
            return;
        }
        if entry.is_one_way() {
            match self.outbox.put(&entry.frame) {
                Ok(start) => self.outbox.keep(start, entry),
                Err(error) => tracing::warn!("a notification cannot be sent: {error}"),
            }
            return;
        }
        match self.put(entry.seq, &entry.frame) {
            Ok(start) => self.in_flight.sent(entry, start),
            Err(error) => entry.waiter.fail(CallError::Refused(error)),
        }
    }

    /// Encodes request `seq`, with its id, and gives its position.
    fn put(&mut self, seq: u64, frame: &[u8]) -> Result<u64, CodecError> {
        match self.in_flight.id(seq) {
            None => self.outbox.put(frame),
            Some((id, correlate)) => {
                let mut stamped = BytesMut::from(frame);
                correlate
                    .stamp(&mut stamped, id)
                    .map_err(|cause| CodecError::skip(Fault::Other(cause), 0))?;
                self.outbox.put(&stamped)
            }
        }
    }

    /// The server is silent: asks it for a sign of life. While bytes wait to be written it would
    /// not get a probe sooner than those.
    fn send_probe(&mut self) {
        let Some(frame) = self.probe.clone().filter(|_| self.outbox.is_empty()) else {
            return;
        };
        if let Some(earlier) = self.probed.take() {
            self.in_flight.cancel(earlier);
        }
        let seq = self.shared.number();
        if !self.in_flight.is_free(seq, seq) {
            return;
        }
        match self.put(seq, &frame) {
            Ok(start) => {
                self.in_flight.probed(seq, start);
                self.probed = Some(seq);
            }
            Err(error) => tracing::warn!("the probe cannot be sent: {error}"),
        }
    }

    fn received(&mut self, received: Result<usize, FrameError>) -> Result<(), Lost> {
        match received {
            Ok(0) => Err(Lost::Ended),
            Ok(_) => Ok(()),
            Err(error) if error.is_fatal() || self.is_cut(&error) => Err(Lost::Failed(error)),
            Err(error) => {
                if let Err(error) = self.in_flight.refuse(CallError::BadAnswer(error)) {
                    tracing::debug!("passed over: {error}");
                }
                Ok(())
            }
        }
    }

    /// Whether the stream has ended inside a frame. (A message or datagram that was cut concerns
    /// itself only.)
    fn is_cut(&self, error: &FrameError) -> bool {
        let truncated = matches!(error.codec_fault(), Some(Fault::Truncated { .. }));
        truncated && self.recv.shape().is_stream()
    }

    /// Gives the frames that have arrived to the calls that wait for them.
    fn give_answers(&mut self) {
        while self.blocked.is_none()
            && let Some(frame) = self.arrived.pop_front()
        {
            match self.in_flight.answer(frame) {
                Answered::Call | Answered::Late => self.answered = true,
                Answered::Blocked(blocked) => {
                    self.answered = true;
                    self.blocked = Some(blocked);
                }
                Answered::Push(frame) => self.pushes.publish(frame),
            }
        }
    }

    /// A write has failed. The server may have answered before it went.
    async fn last_words(&mut self, error: io::Error) -> Lost {
        let peer = self.recv.peer().clone();
        let heard = async {
            let mut batch = Vec::new();
            loop {
                let received = self.recv.recv_many_bytes(&mut batch, FRAMES_AT_ONCE).await;
                let received = self.received(received);
                self.arrived.extend(batch.drain(..));
                self.give_answers();
                if let Some(mut blocked) = self.blocked.take() {
                    blocked.room().await;
                    self.give_answers();
                }
                if let Err(lost) = received {
                    return lost;
                }
            }
        };
        match timeout(LAST_WORDS, heard).await {
            Ok(Lost::Ended) => Lost::Ended,
            _ => Lost::Failed(FrameError::new(error, "send to", &peer, true)),
        }
    }

    /// Whether it has proved good: it brought an answer, or has lived for long.
    pub(super) fn is_good(&self) -> bool {
        self.answered || self.begun.elapsed() >= GOOD_AFTER
    }

    /// Gives the requests back that may be sent over another connection. The others fail.
    pub(super) fn lost(mut self, why: &Lost) {
        if !matches!(why, Lost::Ended) {
            // If the transport has no reset, the server sees an end.
            let _ = self.outbox.socket.abort(0);
        }
        let (handed, one_way) = self.outbox.lost();
        let again = self.in_flight.lost(handed, why);
        self.shared.give_back(again.into_iter().chain(one_way));
    }

    /// Ends it in order.
    pub(super) async fn close(self) {
        let socket = Joined::new(self.recv.into_socket(), self.outbox.socket);
        // The server may have gone: nothing is left to do.
        let _ = close(socket, CLOSE_BYTES, CLOSE_TIME).await;
    }
}

async fn room(blocked: &mut Option<Blocked>) -> bool {
    match blocked {
        Some(blocked) => blocked.room().await,
        None => true,
    }
}

async fn beat(pulse: &mut Option<Pulse>) -> Beat {
    match pulse {
        Some(pulse) => pulse.beat().await,
        None => std::future::pending().await,
    }
}
