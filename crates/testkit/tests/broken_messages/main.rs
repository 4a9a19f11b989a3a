//! Transports of messages that are broken on purpose: the law that names a defect finds it.
#![cfg(target_os = "linux")]

mod halves;

use std::task::{Context, Poll, ready};
use std::time::Duration;

use halves::{BrokenRecv, BrokenSend, Defect};
use socketry_testkit::Places;
use socketry_testkit::message::{Subject, law, laws};
use socketry_transport::{
    Endpoint, Joined, Keys, Listener, OsListener, OsSocket, Result, Socket, Transport,
    UnixSeqpacketTransport, async_trait,
};

struct Broken {
    inner: UnixSeqpacketTransport,
    defect: Defect,
}

struct BrokenListener {
    inner: OsListener,
    defect: Defect,
}

type BrokenSocket = Joined<BrokenRecv, BrokenSend>;

fn broken(socket: OsSocket, defect: Defect) -> BrokenSocket {
    let (recv, send) = socket.split();
    Joined::new(BrokenRecv::new(recv, defect), BrokenSend::new(send, defect))
}

#[async_trait]
impl Transport for Broken {
    type Socket = BrokenSocket;
    type Listener = BrokenListener;

    fn keys(&self) -> Keys {
        self.inner.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<BrokenSocket> {
        Ok(broken(self.inner.connect(to).await?, self.defect))
    }
    async fn listen(&self, at: &Endpoint) -> Result<BrokenListener> {
        let inner = self.inner.listen(at).await?;
        let defect = self.defect;
        Ok(BrokenListener { inner, defect })
    }
}

impl Listener for BrokenListener {
    type Socket = BrokenSocket;

    fn local(&self) -> &Endpoint {
        self.inner.local()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BrokenSocket>> {
        let socket = ready!(self.inner.poll_accept(cx))?;
        Poll::Ready(Ok(broken(socket, self.defect)))
    }
}

fn subject(defect: Defect) -> Subject<Broken> {
    let places = Places::new();
    let inner = UnixSeqpacketTransport::default();
    Subject::new(Broken { inner, defect }, places.free("unix-seqpacket"))
        .except(
            "options_applied_are_read_back",
            "the wrapper hides the socket",
        )
        .keeping(places)
}

socketry_testkit::message_laws!(unbroken, subject(Defect::None));

/// Asserts that the law that names the defect finds it, and in these words.
fn caught(defect: Defect, by: &str, words: &str) {
    let subject = subject(defect).patience(Duration::from_secs(2));
    let found = law(by).check(&subject).err();
    let found = found.unwrap_or_else(|| panic!("{by} does not find {defect:?}"));
    assert!(found.what().contains(words), "{defect:?}: {found}");
}

macro_rules! found {
    ($($name:ident: $defect:ident => $law:ident, $words:literal;)*) => {
        $(
            #[test]
            fn $name() {
                caught(Defect::$defect, stringify!($law), $words);
            }
        )*

        const FOUND: &[&str] = &[$(stringify!($law)),*];
    };
}

found! {
    it_glues_messages: Glues => boundaries_are_kept, "arrived";
    it_splits_long_messages: Splits => boundaries_are_kept, "arrived";
    it_sends_parts_apart: SendsPartsApart => parts_are_one_message, "taken";
    it_sends_the_head_of_a_long_message: SendsTheHead => one_byte_too_many_is_refused, "were taken";
    it_refuses_without_words: RefusesWithoutWords => one_byte_too_many_is_refused, "does not name";
    it_takes_an_empty_message_for_the_end: TakesEmptyForTheEnd => an_empty_message_is_no_end, "End";
    it_drops_empty_messages: DropsEmpty => an_empty_message_is_no_end, "nothing happened";
    it_cuts_in_silence: CutsInSilence => a_cut_is_reported, "Data, where Cut";
    it_miscounts_a_cut: MiscountsCut => a_cut_is_reported, "room: 1, len: Some(8)";
    it_takes_no_room_for_the_end: TakesNoRoomForTheEnd => a_buffer_without_room_takes_nothing, "End";
    it_asks_for_too_little_room: AsksForTooLittleRoom => the_room_that_is_asked_for_is_enough, "Cut";
    its_batches_cut: BatchesCut => a_batch_brings_whole_messages, "was cut";
    it_foretells_another_length: ForetellsWrong => a_message_that_is_upcoming_comes, "Whole(1) was upcoming";
    it_loses_messages: LosesSome => all_arrive_in_order_under_pressure, "message 7 was";
    it_swaps_messages: Swaps => all_arrive_in_order_under_pressure, "message 0 was";
    it_takes_what_does_not_fit: TakesWhatWaits => all_arrive_in_order_under_pressure, "was";
    it_takes_without_bound: TakesWhatWaits => a_peer_that_does_not_read_stops_the_sender, "were taken";
    it_ends_once: EndsOnce => the_end_is_for_ever, "after the end";
    its_end_is_not_sent: NeverFinishes => a_half_close_leaves_the_other_direction, "the end";
    its_abort_is_not_sent: NeverAborts => an_abort_is_seen_as_answered, "nothing happened";
    it_forgets_its_reader: ForgetsWakers => data_wakes_a_reader, "nothing happened";
    it_loses_cancelled_messages: LosesCancelled => a_cancelled_receive_loses_nothing, "another one";
    it_carries_datagrams: SaysDatagrams => every_form_carries_messages, "datagrams of at most";
}

/// Sockets that end when they are dropped, declared to break off.
#[test]
fn an_end_is_no_reset() {
    for name in [
        "dropping_a_socket_ends_the_peers_stream",
        "dropping_a_half_is_silent",
        "bytes_sent_before_the_accept_arrive",
        "a_dropped_socket_ends_as_answered",
    ] {
        let subject = subject(Defect::None).without_end_on_drop();
        let found = law(name).check(&subject).err();
        let found = found.unwrap_or_else(|| panic!("{name} does not find it"));
        let words = ["is an end, and no reset", "End, and not Reset"];
        assert!(
            words.iter().any(|words| found.what().contains(words)),
            "{found}"
        );
    }
}

/// All laws of boundaries are broken here. `broken_streams` breaks those that hold for streams too.
#[test]
fn each_law_of_boundaries_is_broken() {
    let stream_laws = socketry_testkit::stream::laws::<Broken>();
    let is_shared = |name: &str| stream_laws.iter().any(|law| law.name() == name);
    let own = laws::<Broken>().iter().map(socketry_testkit::Law::name);
    let unbroken: Vec<_> = own
        .filter(|name| !is_shared(name) && !FOUND.contains(name))
        .collect();
    assert!(unbroken.is_empty(), "{unbroken:?}");
}
