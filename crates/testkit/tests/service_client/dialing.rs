//! When and how often a client dials.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketry_service::{CallError, Client, ClientLimits, ClientState, Lost};
use socketry_testkit::{Places, in_time};
use socketry_transport::{
    BoxListener, BoxSocket, Endpoint, Error, ErrorKind, Listener, MemTransport, Registry, Result,
    Transport, async_trait, listen,
};
use tokio::time::Instant;

use crate::steps::{SECOND, accept, answer, hear, lost, reaches, say};

/// `mem`, with the times of its attempts, which may fail or hang.
#[derive(Clone)]
struct Watched {
    attempts: Arc<Mutex<Vec<Instant>>>,
    mood: Arc<Mutex<Mood>>,
}

#[derive(Clone, Copy)]
enum Mood {
    Works,
    Fails,
    Hangs,
}

impl Watched {
    fn new(mood: Mood) -> Self {
        Watched {
            attempts: Arc::default(),
            mood: Arc::new(Mutex::new(mood)),
        }
    }

    fn client(&self, at: &Endpoint) -> Client {
        let registry = Registry::standard().with("mem", self.clone());
        let builder = Client::builder(at).unwrap().registry(registry);
        builder.start().unwrap()
    }

    fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// The times between the attempts so far, which are forgotten.
    fn waits(&self) -> Vec<Duration> {
        let attempts = std::mem::take(&mut *self.attempts.lock().unwrap());
        attempts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

#[async_trait]
impl Transport for Watched {
    type Socket = BoxSocket;
    type Listener = BoxListener;

    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        self.attempts.lock().unwrap().push(Instant::now());
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Works => Ok(BoxSocket::new(MemTransport::default().connect(to).await?)),
            Mood::Fails => Err(Error::new(ErrorKind::Refused, "connect to", to)),
            Mood::Hangs => std::future::pending().await,
        }
    }

    async fn listen(&self, at: &Endpoint) -> Result<BoxListener> {
        listen(at).await
    }
}

/// The longest waits after 1, 2, … failures.
fn longest() -> impl Iterator<Item = Duration> {
    (0..).map(|n| (Duration::from_millis(100) * 2_u32.saturating_pow(n)).min(30 * SECOND))
}

#[tokio::test(start_paused = true)]
async fn waits_grow_up_to_a_bound_and_are_random() {
    let watched = Watched::new(Mood::Fails);
    let client = watched.client(&"mem://gone".parse().unwrap());
    tokio::time::sleep(3600 * SECOND).await;
    let waits = watched.waits();
    // 15 seconds in the mean.
    assert!((150..400).contains(&waits.len()), "{}", waits.len());
    for (wait, longest) in waits.iter().zip(longest()) {
        // The timer counts in milliseconds.
        assert!(
            *wait <= longest + Duration::from_millis(2),
            "{wait:?} of {longest:?}"
        );
    }
    let short = waits.iter().skip(10).filter(|wait| **wait < 10 * SECOND);
    assert!(short.count() > 20);
    let state = client.state().borrow().clone();
    assert!(
        matches!(
            &state,
            ClientState::Waiting {
                why: Lost::NotConnected(_),
                ..
            }
        ),
        "{state:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_no_good_does_not_shorten_the_waits() {
    let mut listener = listen("mem://*").await.unwrap();
    let watched = Watched::new(Mood::Works);
    let client = watched.client(listener.local());
    // It accepts and hangs up, again and again, for half an hour.
    let hang_up = async {
        loop {
            drop(listener.accept().await);
        }
    };
    let _ = tokio::time::timeout(1800 * SECOND, hang_up).await;
    assert!(watched.waits().len() < 250);

    // An answer makes it good.
    let mut peer = accept(&mut listener).await;
    let (answered, ()) = tokio::join!(answer(client.call("x")), async {
        let request = hear(&mut peer).await;
        say(&mut peer, request).await;
    });
    assert_eq!(answered.unwrap(), "x");
    watched.becomes(Mood::Fails);
    watched.waits();
    drop(peer);
    tokio::time::sleep(SECOND).await;
    let waits = watched.waits();
    assert!(waits.len() >= 2, "they begin anew: {waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_has_lived_for_long_is_good_without_an_answer() {
    let mut listener = listen("mem://*").await.unwrap();
    let watched = Watched::new(Mood::Fails);
    let client = watched.client(listener.local());
    tokio::time::sleep(600 * SECOND).await;
    watched.becomes(Mood::Works);
    let peer = accept(&mut listener).await;
    tokio::time::sleep(6 * SECOND).await;
    drop(peer);
    let begun = Instant::now();
    let _peer = accept(&mut listener).await;
    assert_eq!(begun.elapsed(), Duration::ZERO, "it dials at once");
    let connected = reaches(&mut client.state(), ClientState::is_connected).await;
    assert!(matches!(connected, ClientState::Connected { peer, .. } if peer == *listener.local()));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_given_up() {
    let watched = Watched::new(Mood::Hangs);
    let client = watched.client(&"mem://gone".parse().unwrap());
    let begun = Instant::now();
    let why = lost(&client).await;
    assert_eq!(begun.elapsed(), 10 * SECOND);
    assert!(why.to_string().contains("within 10s"), "{why}");
    let Lost::NotConnected(error) = why else {
        panic!("{why}")
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn the_states_of_a_client_are_told_in_order() {
    let mut listener = listen("mem://*").await.unwrap();
    let at = listener.local().clone();
    let client = crate::steps::client(&at);
    let mut state = client.state();
    assert!(matches!(
        *state.borrow(),
        ClientState::Connecting { attempt: 1, .. }
    ));
    let peer = accept(&mut listener).await;
    in_time("connected", client.connected()).await.unwrap();
    drop((peer, listener));
    let waits = |state: &ClientState| matches!(state, ClientState::Waiting { .. });
    reaches(&mut state, waits).await;
    let refused = |state: &ClientState| {
        matches!(
            state,
            ClientState::Waiting {
                why: Lost::NotConnected(_),
                ..
            }
        )
    };
    reaches(&mut state, refused).await;
    in_time("the end", client.close()).await;
    let state = state.borrow().clone();
    assert!(
        matches!(
            &state,
            ClientState::Closed {
                why: Lost::Closed,
                ..
            }
        ),
        "{state:?}"
    );
}

#[tokio::test]
async fn what_can_never_connect_ends_with_the_reason() {
    let unknown = Client::builder("tpc://127.0.0.1:1").unwrap().start();
    let error = unknown.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownScheme);
    assert!(error.to_string().contains("tcp"), "{error}");

    let client = crate::steps::client(&"tcp://127.0.0.1:1?no_such_option=1".parse().unwrap());
    let error = answer(client.call("x")).await.unwrap_err();
    assert!(matches!(error, CallError::Closed(_)), "{error}");
    assert!(error.to_string().contains("no_such_option"), "{error}");
    assert!(!error.may_be_done());
    let error = in_time("connecting", client.connected()).await.unwrap_err();
    assert!(error.to_string().contains("no_such_option"), "{error}");
}

#[tokio::test]
async fn answers_in_order_are_refused_over_datagrams() {
    let places = Places::new();
    for scheme in ["udp", "unix-dgram"] {
        let listener = crate::steps::listening(&places, scheme).await;
        let client = crate::steps::client(listener.local());
        let error = answer(client.call("x")).await.unwrap_err();
        assert!(
            matches!(error, CallError::Closed(Lost::Unordered)),
            "{error}"
        );
        assert!(error.to_string().contains("correlate"), "{error}");
    }
}

#[tokio::test]
async fn limits_bound_the_attempts_too() {
    let limits = ClientLimits {
        connect: Some(Duration::ZERO),
        backoff_min: Duration::ZERO,
        backoff_max: Duration::ZERO,
        ..ClientLimits::default()
    };
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let _client = builder.limits(limits).start().unwrap();
    for _ in 0..100 {
        drop(in_time("it dials again", listener.accept()).await.unwrap());
    }
}
