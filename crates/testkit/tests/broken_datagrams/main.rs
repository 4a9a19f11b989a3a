//! Datagram transports that are broken on purpose: each has one defect, and the law that names the
//! defect finds it. The same wrapper without a defect keeps all laws.
#![allow(clippy::unwrap_used, reason = "tests")]

mod halves;
mod listener;
mod unconnected;

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socketry_testkit::Law;
use socketry_testkit::datagram::{Subject, law, laws};
use socketry_transport::{
    Endpoint, Keys, Result, SocketOptions, Transport, UdpTransport, UnixDgramTransport, async_trait,
};

use halves::{Broken, broken};
use listener::Listening;

/// The defects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    Nothing,
    /// Waiting datagrams are received together.
    Merges,
    CutsInSilence,
    DropsEmpty,
    TakesEmptyForTheEnd,
    TakesNoRoomForTheEnd,
    AsksForTooLittleRoom,
    /// If a datagram is too long, it sends a part.
    SendsTheHead,
    RefusesWithoutWords,
    SwapsParts,
    SendsPartsApart,
    BatchLosesTheLast,
    BatchReorders,
    BatchForgets,
    /// Sends the first datagram of it.
    TakesWholeRuns,
    /// Leaves a datagram in the buffer of a receive that has to wait.
    FillsTheBufferTooEarly,
    /// Keeps a datagram whose send has to wait, and sends it later.
    SendsCancelled,
    /// Gives an accepted socket to the task that waits, and to no other.
    LosesAcceptedSockets,
    /// Asks to be polled again at once while nothing is there.
    SpinsForData,
    SpinsForRoom,
    NeverWakesSenders,
    CallsItselfThePeer,
    MixesSessions,
    /// A half waits while the other one has something to do.
    HalvesTakeTurns,
    FinishSpeaks,
    EndsWithTheListener,
    KeepsDroppedSessions,
    EvictsTheOldest,
    ExpiresTooSoon,
    /// It ignores this option.
    Ignores(&'static str),
    IgnoresUnknownOptions,
    EndsAtAnError,
    TellsAnErrorAgain,
    ForgetsErrors,
    NamesTheSenderBefore,
    ForgetsSendersOfCut,
    BatchNamesTheFirst,
    StopsAtAnError,
}
use Defect::*;

/// A transport with a defect.
struct Faulty<T> {
    inner: T,
    defect: Defect,
}

#[async_trait]
impl<T: Transport<Socket: AsFd>> Transport for Faulty<T> {
    type Socket = Broken<T::Socket>;
    type Listener = Listening<T::Listener>;

    fn keys(&self) -> Keys {
        self.inner.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let socket = self.inner.connect(&self.known(to)).await?;
        let options = SocketOptions::read_back(&socket).unwrap();
        Ok(broken(socket, self.defect, &Arc::default(), options))
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let limit = at.query().find(|(key, _)| *key == "max_peers");
        let limit = limit.and_then(|(_, value)| value.parse().ok());
        let listener = self.inner.listen(&self.known(at)).await?;
        Ok(Listening::new(listener, self.defect, limit))
    }
}

impl<T: Transport> Faulty<T> {
    /// The endpoint without the options that the defect ignores.
    fn known(&self, endpoint: &Endpoint) -> Endpoint {
        let knows = |key: &str| match self.defect {
            Ignores(ignored) => key != ignored,
            EvictsTheOldest => key != "max_peers",
            IgnoresUnknownOptions => self.inner.keys().contains(key),
            _ => true,
        };
        let options = endpoint.query().filter(|(key, _)| knows(key));
        let bare = endpoint.clone().without_query();
        options.fold(bare, |at, (key, value)| match (self.defect, key) {
            (ExpiresTooSoon, "peer_idle") => at.with(key, "20ms"),
            _ => at.with(key, value),
        })
    }
}

fn udp(defect: Defect) -> Subject<Faulty<UdpTransport>> {
    let inner = UdpTransport::default();
    Subject::new(Faulty { inner, defect }, "udp://127.0.0.1:0")
        .unconnected(move |at| async move {
            let bound = UdpTransport::default().bind(&at).await?;
            Ok(unconnected::Bound::new(bound, defect))
        })
        .reads_back(&[("ttl", "7")], |socket| Ok(socket.halves().0.options()))
}

/// For a defect that UDP cannot show, since it never waits for room.
fn unix_dgram(defect: Defect) -> Subject<Faulty<UnixDgramTransport>> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let inner = UnixDgramTransport::default();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let directory = tempfile::tempdir().unwrap();
    let at = format!("unix-dgram://{}/{number}", directory.path().display());
    Subject::new(Faulty { inner, defect }, at)
        .unconnected(|at| async move { UnixDgramTransport::default().bind(&at).await })
        .keeping(directory)
}

/// Asserts that the law that names the defect finds it.
fn caught<T: Transport>(subject: Subject<T>, by: &str) {
    // All datagrams arrive at once. A test that runs out of time here still reports the right law.
    let subject = subject.patience(Duration::from_millis(400));
    match law(by).check(&subject) {
        Ok(()) => panic!("{by} saw nothing"),
        Err(violation) => assert_eq!(violation.law(), by),
    }
}

#[test]
fn without_a_defect_all_laws_are_kept() {
    for law in laws() {
        law.run(&udp(Nothing));
    }
    for name in [
        "a_cancelled_send_is_whole_or_nothing",
        "a_sender_that_waits_for_room_is_woken",
    ] {
        law(name).run(&unix_dgram(Nothing));
    }
}

macro_rules! broken {
    ($($name:ident: $subject:expr => $law:ident,)*) => {
        $(
            #[test]
            fn $name() {
                caught($subject, stringify!($law));
            }
        )*

        /// The laws that are broken here.
        const BROKEN: &[&str] = &[$(stringify!($law)),*];
    };
}

broken! {
    it_merges_datagrams: udp(Merges) => boundaries_are_kept,
    it_cuts_in_silence: udp(CutsInSilence) => a_cut_is_reported,
    it_drops_empty_datagrams: udp(DropsEmpty) => an_empty_datagram_is_no_end,
    it_takes_an_empty_datagram_for_the_end: udp(TakesEmptyForTheEnd) => an_empty_datagram_is_no_end,
    it_takes_no_room_for_the_end: udp(TakesNoRoomForTheEnd) => a_buffer_without_room_takes_nothing,
    it_asks_for_too_little_room: udp(AsksForTooLittleRoom) => the_room_that_is_asked_for_is_enough,
    it_sends_the_head_of_a_long_datagram: udp(SendsTheHead) => one_byte_too_many_is_refused,
    it_refuses_without_words: udp(RefusesWithoutWords) => one_byte_too_many_is_refused,
    it_swaps_parts: udp(SwapsParts) => parts_are_one_datagram,
    it_sends_parts_apart: udp(SendsPartsApart) => parts_are_one_datagram,
    its_batches_lose_the_last: udp(BatchLosesTheLast) => batches_carry_the_same_datagrams,
    its_batches_reorder: udp(BatchReorders) => batches_carry_the_same_datagrams,
    its_batches_forget: udp(BatchForgets) => a_batch_grows_and_cuts_nothing,
    it_takes_whole_runs_and_sends_one: udp(TakesWholeRuns) => a_run_is_its_datagrams,
    it_fills_the_buffer_too_early: udp(FillsTheBufferTooEarly) => a_cancelled_receive_loses_nothing,
    it_sends_cancelled_datagrams: unix_dgram(SendsCancelled)
        => a_cancelled_send_is_whole_or_nothing,
    it_loses_accepted_sockets: udp(LosesAcceptedSockets) => a_cancelled_accept_loses_no_client,
    it_spins_for_data: udp(SpinsForData) => waiting_costs_nothing,
    it_spins_for_room: unix_dgram(SpinsForRoom) => a_sender_that_waits_for_room_is_woken,
    it_never_wakes_senders: unix_dgram(NeverWakesSenders) => a_sender_that_waits_for_room_is_woken,
    it_calls_itself_the_peer: udp(CallsItselfThePeer) => the_ends_are_mirror_images,
    it_mixes_sessions: udp(MixesSessions) => each_peer_has_its_own_session,
    its_halves_share_a_turn: udp(HalvesTakeTurns) => halves_serve_two_tasks,
    its_finish_sends: udp(FinishSpeaks) => a_half_that_goes_is_silent,
    it_ends_with_the_listener: udp(EndsWithTheListener) => sessions_outlive_their_listener,
    it_keeps_dropped_sessions: udp(KeepsDroppedSessions) => a_dropped_session_is_forgotten,
    it_keeps_their_places: udp(KeepsDroppedSessions) => a_session_that_goes_frees_its_place,
    its_table_has_no_bound: udp(Ignores("max_peers")) => a_full_table_refuses_the_newcomer,
    it_evicts_the_oldest: udp(EvictsTheOldest) => a_flood_evicts_no_peer,
    its_backlog_has_no_bound: udp(Ignores("backlog")) => a_full_backlog_refuses_the_newcomer,
    its_queues_have_no_bound: udp(Ignores("peer_queue")) => a_full_queue_drops_the_newest,
    its_queues_have_no_bound_in_bytes: udp(Ignores("peer_queue_bytes"))
        => a_queue_is_bounded_in_bytes,
    its_sessions_never_expire: udp(Ignores("peer_idle")) => an_idle_session_ends,
    its_sessions_expire_too_soon: udp(ExpiresTooSoon) => traffic_keeps_a_session,
    it_tells_an_error_again: udp(TellsAnErrorAgain) => a_refusal_is_reported_once,
    it_keeps_errors_to_itself: udp(ForgetsErrors) => a_refusal_is_reported_once,
    it_ends_at_an_error: udp(EndsAtAnError) => a_refused_socket_goes_on,
    it_stops_when_a_peer_goes: unix_dgram(StopsAtAnError) => a_peer_that_goes_stops_no_other,
    it_names_the_sender_before: udp(NamesTheSenderBefore) => the_sender_is_named,
    it_forgets_senders_of_cut_datagrams: udp(ForgetsSendersOfCut)
        => the_sender_of_a_cut_datagram_is_named,
    its_batches_name_the_first_sender: udp(BatchNamesTheFirst) => a_batch_names_each_sender,
    it_stops_at_an_error: udp(StopsAtAnError) => an_error_is_the_datagrams_own,
    it_ignores_unknown_options: udp(IgnoresUnknownOptions)
        => an_unknown_option_is_refused_and_named,
    it_ignores_an_option: udp(Ignores("ttl")) => options_are_read_back,
}

/// All laws but one can be broken here. A defect in one form alone would be a defect of
/// `BoxSocket`.
#[test]
fn each_law_has_a_transport_that_breaks_it() {
    let all = laws::<Faulty<UdpTransport>>().iter().map(Law::name);
    let unbroken: Vec<_> = all.filter(|law| !BROKEN.contains(law)).collect();
    assert_eq!(unbroken, ["the_erased_form_behaves_alike"]);
}
