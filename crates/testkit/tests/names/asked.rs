//! What a URL of a service may be, and what the transport inside is asked for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketry_names::Srv;
use socketry_testkit::names::Known;
use socketry_transport::{
    BoxListener, BoxSocket, Endpoint, Error, ErrorKind, Keys, Layer, Listener, MemTransport,
    Registry, Result, SystemResolver, Transport, async_trait,
};
use tokio::time::Instant;

/// A transport whose servers do what their names say, and which notes its endpoints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inner(Arc<Mutex<Vec<String>>>);

impl Inner {
    /// What it was asked for since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[async_trait]
impl Transport for Inner {
    type Socket = BoxSocket;
    type Listener = BoxListener;

    fn keys(&self) -> Keys {
        Keys::new(&["connect_timeout", "name", "nodelay"])
    }

    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        self.0.lock().unwrap().push(to.to_string());
        let host = to.host().unwrap().into_owned();
        let failed = |kind| Err(Error::new(kind, "connect to", to));
        match host.split('.').next().unwrap() {
            "silent" => std::future::pending().await,
            "refuses" => failed(ErrorKind::Refused),
            "untrusted" => failed(ErrorKind::Untrusted),
            "options" => failed(ErrorKind::InvalidOption),
            _ => {
                let mem = MemTransport::default();
                let mut listener = mem.listen(&"mem://*".parse()?).await?;
                let socket = mem.connect(listener.local()).await?;
                // The other end lives as long as the test.
                std::mem::forget(listener.accept().await?);
                Ok(BoxSocket::new(socket))
            }
        }
    }

    async fn listen(&self, at: &Endpoint) -> Result<BoxListener> {
        Err(Error::new(ErrorKind::Unsupported, "listen at", at))
    }
}

pub(crate) const SERVICE: &str = "_chat._tcp.example";
pub(crate) const URL: &str = "inner+srv://_chat._tcp.example";

/// Connects to `url`, where the service has these records; what was asked for, and the end of it.
async fn tried(
    url: &str,
    records: &[(u16, u16, u16, &str)],
) -> (Vec<String>, Result<BoxSocket, String>) {
    let known = Known::default().service(SERVICE, records.iter().copied());
    let inner = Inner::default();
    let layered = Srv::new(known).seed(1).layer(inner.clone());
    let connected = match url.parse::<Endpoint>() {
        Ok(to) => layered.connect(&to).await,
        Err(error) => Err(error),
    };
    let words = connected.map_err(|error| error.to_string());
    (inner.asked(), words)
}

#[tokio::test]
async fn the_transport_inside_gets_host_and_port_of_a_record_and_the_name_to_trust() {
    for (url, due) in [
        (URL.to_owned(), "inner://ok.example.:9000?name=example"),
        (format!("{URL}."), "inner://ok.example.:9000?name=example"),
        (
            format!("{URL}?nodelay=true"),
            "inner://ok.example.:9000?nodelay=true&name=example",
        ),
        (
            format!("{URL}/path?name=other.example"),
            "inner://ok.example.:9000/path?name=other.example",
        ),
    ] {
        let (asked, connected) = tried(&url, &[(1, 1, 9000, "ok.example.")]).await;
        assert!(connected.is_ok());
        assert_eq!(asked, [due], "{url}");
    }
}

#[tokio::test]
async fn servers_are_tried_by_their_priority() {
    let records = [
        (30, 1, 3, "ok.example."),
        (10, 1, 1, "refuses.example."),
        (20, 1, 2, "untrusted.example."),
    ];
    let (asked, connected) = tried(URL, &records).await;
    assert!(connected.is_ok());
    let due = [
        "refuses.example.:1",
        "untrusted.example.:2",
        "ok.example.:3",
    ];
    assert_eq!(asked, due.map(|at| format!("inner://{at}?name=example")));
}

#[tokio::test]
async fn an_error_has_what_each_server_said() {
    let records: Vec<_> = (1..=5)
        .map(|port| (port, 1, port, "refuses.example."))
        .collect();
    let (asked, connected) = tried(URL, &records).await;
    assert_eq!(asked.len(), 5);
    assert_eq!(
        connected.unwrap_err(),
        "cannot connect to inner+srv://_chat._tcp.example: none of its servers can be reached: \
         refuses.example:1: nobody listens there, refuses.example:2: nobody listens there, \
         refuses.example:3: nobody listens there, and 2 more; \
         are they running, and are the records right?"
    );
}

#[tokio::test]
async fn no_more_than_32_servers_are_tried() {
    let records: Vec<_> = (0..500)
        .map(|port| (1, port, port, "refuses.example."))
        .collect();
    let (asked, connected) = tried(URL, &records).await;
    assert_eq!(asked.len(), 32);
    assert!(connected.unwrap_err().contains("and 29 more"));
}

/// It would fail at each server in the same way.
#[tokio::test]
async fn an_option_that_is_refused_ends_the_attempts() {
    let records = [(1, 1, 1, "options.example."), (2, 1, 2, "ok.example.")];
    let (asked, connected) = tried(URL, &records).await;
    assert_eq!(asked.len(), 1);
    assert!(connected.unwrap_err().contains("options.example"));
}

#[tokio::test]
async fn a_target_that_is_no_host_is_passed_over() {
    for target in [
        "a/b.example.",
        "user@evil.example.",
        "evil.example:80.",
        "a?via=x.example.",
        "a b.",
        "\u{1b}[2J.",
        "..",
        "a..",
        "%41.example.",
        "b\u{fc}cher.example.",
        "[::1]",
    ] {
        let records = [(1, 1, 1, target), (2, 1, 2, "ok.example.")];
        let (asked, connected) = tried(URL, &records).await;
        assert!(connected.is_ok(), "{target}");
        assert_eq!(asked, ["inner://ok.example.:2?name=example"], "{target}");

        let (asked, connected) = tried(URL, &records[..1]).await;
        assert_eq!(asked, [""; 0]);
        let error = connected.unwrap_err();
        assert!(error.contains("no name of a host"), "{error}");
        assert!(!error.contains('\u{1b}'));
    }
}

/// Some libraries give out the target `.` as an empty name, which a system takes for this machine.
#[tokio::test]
async fn a_service_that_is_refused_is_not_tried() {
    for target in [".", ""] {
        let (asked, connected) = tried(URL, &[(0, 0, 9000, target)]).await;
        assert_eq!(asked, [""; 0]);
        assert_eq!(
            connected.unwrap_err(),
            "cannot connect to inner+srv://_chat._tcp.example: the record of _chat._tcp.example \
             says that there is no such service; its target is '.' (RFC 2782)"
        );
    }
}

#[tokio::test]
async fn urls_that_name_no_service_say_what_is_wrong() {
    for (url, words) in [
        ("inner+srv://_chat._tcp.example:9000", "leave out ':9000'"),
        ("inner+srv://chat.example", "_SERVICE._PROTOCOL.DOMAIN"),
        ("inner+srv://_chat.example", "_SERVICE._PROTOCOL.DOMAIN"),
        ("inner+srv://_chat._tcp", "_SERVICE._PROTOCOL.DOMAIN"),
        ("inner+srv://_chat._tcp.", "_SERVICE._PROTOCOL.DOMAIN"),
        ("inner+srv://_._tcp.example", "_SERVICE._PROTOCOL.DOMAIN"),
        (
            "inner+srv://_chat._tcp..example",
            "_SERVICE._PROTOCOL.DOMAIN",
        ),
        ("inner+srv://_chat._tcp.a%2Fb", "_SERVICE._PROTOCOL.DOMAIN"),
        ("inner+srv://[::1]", "_SERVICE._PROTOCOL.DOMAIN"),
        ("inner+srv://", "_SERVICE._PROTOCOL.DOMAIN"),
        ("inner+srv://_chat._tcp.b\u{fc}cher.example", "xn--"),
        ("inner://_chat._tcp.example", "does not end in +srv"),
        (
            "inner+srv://_chat._tcp.example?colour=red",
            "there is no option 'colour'",
        ),
    ] {
        let (asked, connected) = tried(url, &[(1, 1, 1, "ok.example.")]).await;
        let error = connected.unwrap_err();
        assert!(error.contains(words), "{url}: {error}");
        assert_eq!(asked, [""; 0], "{url}");
    }
}

/// The domain itself may be another server, or none (RFC 2782 would ask for its address).
#[tokio::test]
async fn no_records_are_no_reason_to_connect_to_the_domain() {
    let known = Known::default().host("example", ["127.0.0.1".parse().unwrap()]);
    let inner = Inner::default();
    let layered = Srv::new(known).layer(inner.clone());
    let error = layered.connect(&URL.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains(URL), "{error}");
    assert_eq!(inner.asked(), [""; 0]);
}

#[tokio::test]
async fn the_systems_resolver_says_which_one_has_services() {
    let registry = Srv::new(SystemResolver).register(Registry::standard());
    let error = registry
        .connect("tcp+srv://_chat._tcp.example")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "cannot connect to tcp+srv://_chat._tcp.example: this resolver has the addresses of \
         hosts, and no SRV records of services; \
         the crate socketry-names with its feature hickory has one that does"
    );
    let error = registry
        .listen("tcp+srv://_chat._tcp.example")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.to_string().contains("listen at an address"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_leaves_time_for_the_next() {
    let records = [
        (1, 1, 1, "silent.example."),
        (2, 1, 2, "refuses.example."),
        (3, 1, 3, "silent.example."),
        (4, 1, 4, "ok.example."),
    ];
    let begun = Instant::now();
    let url = format!("{URL}?connect_timeout=12s");
    let (asked, connected) = tried(&url, &records).await;
    assert!(connected.is_ok());
    assert_eq!(asked.len(), 4);
    // A quarter of the time, and then half of what is left.
    assert_eq!(begun.elapsed().as_millis(), 3_000 + 4_500);
}

#[tokio::test(start_paused = true)]
async fn all_attempts_end_within_the_deadline() {
    let begun = Instant::now();
    let (asked, connected) = tried(
        &format!("{URL}?connect_timeout=10s"),
        &[(1, 1, 1, "silent.example."), (2, 1, 2, "silent.example.")],
    )
    .await;
    assert_eq!(asked.len(), 2);
    let error = connected.unwrap_err();
    assert!(
        error.contains("silent.example:1: no answer within 5.0s"),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_millis(10_100));
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_does_not_answer_is_not_waited_for() {
    let known = Known::default().silent(SERVICE);
    let layered = Srv::new(known).layer(Inner::default());
    let begun = Instant::now();
    let error = layered.connect(&URL.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(begun.elapsed() < Duration::from_millis(30_100));
}
