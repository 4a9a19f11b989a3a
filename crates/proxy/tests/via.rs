//! Clients through proxies: what is asked of which one, and what each failure says.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "common/relay.rs"]
mod relay;

use common::{all, in_time, received};
use relay::Relay;
use socketry_proxy::{Hop, Passed, Via};
use socketry_transport::{
    BoxListener, BoxSocket, ErrorKind, Half, Listener, Registry, SendExt, listen,
};
use tokio::net::TcpListener;

fn registry() -> Registry {
    Via::new().register(Registry::standard()).unwrap()
}

/// A server, and its port.
async fn server() -> (BoxListener, u16) {
    let listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listener.local().port().unwrap();
    (listener, port)
}

/// One word each way, and a half-close each way.
async fn converse(client: &mut BoxSocket, server: &mut BoxSocket) {
    client.send_all(b"hello").await.unwrap();
    assert_eq!(received(server, 5).await, b"hello");
    client.finish().await.unwrap();
    assert_eq!(all(server).await.unwrap(), b"");
    server.send_all(b"there").await.unwrap();
    server.finish().await.unwrap();
    assert_eq!(all(client).await.unwrap(), b"there");
}

#[tokio::test]
async fn names_are_resolved_at_the_right_end() {
    let relay = Relay::start().await;
    for (scheme, asked) in [
        ("socks5", "127.0.0.1"),
        ("socks5h", "localhost"),
        ("http", "localhost"),
    ] {
        let (mut listener, port) = server().await;
        let url = format!(
            "tcp://localhost:{port}?nodelay=true&via={}",
            relay.url(scheme)
        );
        let mut client = in_time(registry().connect(&url)).await.unwrap();
        let mut accepted = in_time(listener.accept()).await.unwrap();
        // This machine may know the name as an IPv6 address first, where nobody listens.
        assert_eq!(relay.asked().last().unwrap(), &format!("{asked}:{port}"));
        assert_eq!(client.peer().to_string(), format!("tcp://localhost:{port}"));
        let passed: &Passed = client.info().get().unwrap();
        assert_eq!(passed.proxies(), [relay.url(scheme)]);
        assert_eq!(passed.seen_as(), None);
        converse(&mut client, &mut accepted).await;
    }
}

#[tokio::test]
async fn chains_are_passed_in_order() {
    let (first, second, third) = (
        Relay::start().await,
        Relay::start().await,
        Relay::start().await,
    );
    let (mut listener, port) = server().await;
    let hops = [
        first.url("http"),
        second.url("socks5h"),
        third.url("socks5"),
    ];
    let url = format!(
        "tcp://127.0.0.1:{port}?via={}&via={}&via={}",
        hops[0], hops[1], hops[2]
    );
    let mut client = in_time(registry().connect(&url)).await.unwrap();
    let mut accepted = in_time(listener.accept()).await.unwrap();
    let place = |url: &str| url.split_once("://").unwrap().1.to_owned();
    assert_eq!(first.asked(), [place(&hops[1])]);
    assert_eq!(second.asked(), [place(&hops[2])]);
    assert_eq!(third.asked(), [format!("127.0.0.1:{port}")]);
    converse(&mut client, &mut accepted).await;

    let in_code = hops
        .iter()
        .fold(Via::new(), |via, hop| via.through(hop.parse().unwrap()));
    let in_code = in_code.register(Registry::standard()).unwrap();
    let mut client = in_time(in_code.connect(&format!("tcp://127.0.0.1:{port}")))
        .await
        .unwrap();
    let mut accepted = in_time(listener.accept()).await.unwrap();
    assert_eq!(client.info().get::<Passed>().unwrap().proxies(), hops);
    converse(&mut client, &mut accepted).await;
    let direct = format!("tcp://127.0.0.1:{port}?via=direct");
    let client = in_time(in_code.connect(&direct)).await.unwrap();
    assert!(client.info().get::<Passed>().is_none());
}

#[tokio::test]
async fn an_error_names_the_hop() {
    let (first, second) = (Relay::start().await, Relay::start().await);
    let (_, port) = server().await; // and gone
    let url = format!(
        "tcp://127.0.0.1:{port}?via={}&via={}",
        first.url("http"),
        second.url("socks5")
    );
    let text = registry().connect(&url).await.unwrap_err().to_string();
    let hop = format!(
        "the proxy {} (2 of 2): it did not connect to 127.0.0.1:{port}",
        second.url("socks5")
    );
    assert!(text.contains(&hop), "{text}");

    let gone = second.url("socks5");
    drop(second);
    let text = loop {
        // It is gone once its task has ended.
        let text = registry().connect(&url).await.unwrap_err().to_string();
        if text.contains("(1 of 2)") {
            break text;
        }
    };
    let place = gone.trim_start_matches("socks5://");
    let hop = format!(
        "the proxy {} (1 of 2): it did not connect to {place}: 502 Bad",
        first.url("http")
    );
    assert!(text.contains(&hop), "{text}");

    let url = format!("tcp://127.0.0.1:9?via=socks5://127.0.0.1:{port}");
    let error = registry().connect(&url).await.unwrap_err();
    let hop = format!("the proxy socks5://127.0.0.1:{port} cannot be reached: ");
    assert!(error.to_string().contains(&hop), "{error}");
    assert!(
        error.to_string().contains("is the proxy running"),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn one_deadline_is_for_the_whole_chain() {
    let relay = Relay::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "tcp://127.0.0.1:9?connect_timeout=200ms&via={}&via=http://{}",
        relay.url("socks5"),
        silent.local_addr().unwrap()
    );
    let error = in_time(registry().connect(&url)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(
        error
            .to_string()
            .contains("(2 of 2) was not done within 200ms"),
        "{error}"
    );
}

#[tokio::test]
async fn passwords_come_from_files_variables_and_code_and_are_never_shown() {
    let relay = Relay::with_password(Some(("ann", "secret"))).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (right, wrong) = (file("right", "secret\nmore"), file("wrong", "hunter2\r\n"));
    for scheme in ["socks5", "http"] {
        let (mut listener, port) = server().await;
        let at = |user: &str, query: &str| {
            let proxy = relay.url(scheme).replace("://", &format!("://{user}"));
            format!("tcp://127.0.0.1:{port}?via={proxy}{query}")
        };
        let url = at("ann@", &format!("?password_file={right}"));
        let mut client = in_time(registry().connect(&url)).await.unwrap();
        let mut accepted = in_time(listener.accept()).await.unwrap();
        assert!(!format!("{client:?} {:?}", client.info()).contains("ann"));
        converse(&mut client, &mut accepted).await;

        let hop: Hop = relay.url(scheme).parse().unwrap();
        let in_code = Via::new().through(hop.password("ann", "secret"));
        assert!(!format!("{in_code:?}").contains("secret"));
        let in_code = in_code.register(Registry::standard()).unwrap();
        let plain = format!("tcp://127.0.0.1:{port}");
        let _client = in_time(in_code.connect(&plain)).await.unwrap();
        let _ = in_time(listener.accept()).await.unwrap();

        for (url, words) in [
            (at("ann@", &format!("?password_file={wrong}")), "user name"),
            (
                at("ann@", "?password_file=/nowhere/at/all"),
                "the file of the password, /nowhere/at/all",
            ),
            (
                at("ann@", "?password_env=SOCKETRY_NO_SUCH"),
                "the environment has no SOCKETRY_NO_SUCH",
            ),
            (at("", ""), "user name"),
            (
                at("", "?password_env=HOME"),
                "has a password without a user",
            ),
            (at("ann:hunter2@", ""), "has a password in it"),
            (
                at("ann:hunter2@", "?password_env=HOME"),
                "has two passwords",
            ),
            (
                at("ann@", "?no_such=hunter2"),
                "there is no option 'no_such' of a proxy",
            ),
        ] {
            let error = in_time(registry().connect(&url)).await.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(words), "{words}: {text}");
            assert!(
                !text.contains("hunter2") && !text.contains("secret"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn proxies_that_there_are_not_are_refused() {
    let long: String = "&via=socks5://127.0.0.1:9".repeat(9);
    for (query, words) in [
        ("via=https://h:1", "no proxy is known by the scheme https"),
        ("via=socks5://h", "has no host and port"),
        ("via=http://h:80/path", "has a path"),
        ("via=direct&via=direct", "cannot be read"),
        ("via=", "cannot be read"),
        (&long[1..], "a chain has at most 8 proxies"),
    ] {
        let url = format!("tcp://127.0.0.1:9?{query}");
        let error = registry().connect(&url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    let error = registry()
        .listen("tcp://127.0.0.1:0?via=direct")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("via= is for connecting"),
        "{error}"
    );
    let url = "tcp://b\u{fc}cher.example:9?via=socks5://127.0.0.1:9";
    let error = registry().connect(url).await.unwrap_err();
    assert!(error.to_string().contains("xn--"), "{error}");
}

#[tokio::test]
async fn the_environment_is_asked_if_the_program_says_so() {
    let relay = Relay::with_password(Some(("ann", "secret"))).await;
    let all = relay.url("socks5h").replace("://", "://ann:secret@");
    let rules =
        "example.org, .internal:9000,10.0.0.0/8,192.0.2.1 [2001:db8::1] *.dotted. localhost:1";
    let variables = move |name: &str| match name {
        "ALL_PROXY" => Some(all.clone()),
        "no_proxy" => Some(rules.to_owned()),
        "NO_PROXY" => Some("*".to_owned()),
        _ => None,
    };
    let via = Via::from_variables(variables).unwrap();
    assert!(!format!("{via:?}").contains("secret"));
    let with_rules = via.register(Registry::standard()).unwrap();
    let (mut listener, port) = server().await;
    let client = in_time(with_rules.connect(format!("tcp://localhost:{port}")))
        .await
        .unwrap();
    assert!(client.info().get::<Passed>().is_some());
    let _ = in_time(listener.accept()).await.unwrap();
    let empty = Via::from_variables(|_| Some(String::new())).unwrap();
    let empty = empty.register(Registry::standard()).unwrap();
    let client = in_time(empty.connect(format!("tcp://localhost:{port}")))
        .await
        .unwrap();
    assert!(client.info().get::<Passed>().is_none());
    let wrong = Via::from_variables(|_| Some("what:hunter2@".to_owned())).unwrap_err();
    assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
}
