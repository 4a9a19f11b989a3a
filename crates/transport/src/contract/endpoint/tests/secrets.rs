//! User names and passwords are hidden wherever an endpoint is shown.

use proptest::prelude::*;

use super::{parse, refusal};
use crate::contract::endpoint::{Address, Endpoint, EndpointParts, redacted};
use crate::contract::error::{Error, ErrorKind};

/// `unwrap`, and a `main` that returns an error, print with `{:?}`.
#[test]
fn secrets_never_show_in_debugging_output() {
    let shown = format!("{:?}", parse("ws://user:hunter2@host:1/path"));
    assert_eq!(shown, "Endpoint(ws://…@host:1/path)");
}

#[test]
fn secrets_never_show_in_errors() {
    let texts = [
        "user:hunter2@host:1",
        "tcp://user:hunter2@host:1",
        "tcp://user:hunter2@host",
        "tcp://user:hunter2@host:1?nodelay",
        "tcp://user:hunter2?x@host:1",
        "tcp://user:x?hunter2@host:1",
        "tcp://user:x?hunter2@host:1?a=b",
        "tcp://user:hunter2@@host:1",
        "tcp://us/er:hunter2@host:1",
        "tcp://user:hunter2#@host:1",
        "tcp://user:hunter2%@host:1",
        "ws://user:hunter2@host:1?a=%",
        "ws://user:hunter2@host:1#a",
    ];
    for text in texts {
        let words = refusal(text);
        assert!(!words.contains("hunter2"), "{words}");
    }
    let third_party = parse("ws://user:hunter2@host:1/path?join=239.1.2.3@eth0");
    let words = Error::new(ErrorKind::Refused, "connect to", &third_party).to_string();
    assert_eq!(
        words,
        "cannot connect to ws://…@host:1/path?join=239.1.2.3@eth0: nobody listens there"
    );
}

#[test]
fn an_at_sign_that_hides_nothing_is_shown() {
    for text in [
        "unix://@name",
        "unix:///run/a%40b",
        "udp://h:1?join=239.1.2.3@eth0",
        "mem://a@b",
        "ws://@host:1",
    ] {
        let words = Error::new(ErrorKind::Refused, "use", parse(text)).to_string();
        assert!(words.starts_with(&format!("cannot use {text}:")), "{words}");
    }
}

#[test]
fn refusals_cannot_drive_the_terminal() {
    for text in [
        "\u{1b}[2J",
        "tcp://h:\u{1b}[2J",
        "tcp://h:1?\u{1b}[2J",
        "tcp://\u{1b}[2J",
    ] {
        assert!(!refusal(text).contains('\u{1b}'));
    }
}

proptest! {
    #[test]
    fn a_password_stays_out_of_debug(password in "[a-z0-9:/@]{0,6}hunter2[a-z0-9:/@]{0,6}") {
        let name = Address::Name(format!("user:{password}@host:1"));
        prop_assert_eq!(format!("{name:?}"), "Name(\"…@host:1\")");
        // Its user is empty.
        let name = Address::Name("@host:1".to_owned());
        prop_assert_eq!(format!("{name:?}"), "Name(\"@host:1\")");
    }

    // All but '?' and a later '=', which together read as an option: nothing tells them from
    // `?join=group@eth0`.
    #[test]
    fn a_password_stays_out_of_errors(password in "[a-z0-9:/?#%@]{0,6}hunter2[a-z0-9:/?#%@]{0,6}") {
        let words = refusal(&format!("tcp://user:{password}@host:1"));
        prop_assert!(!words.contains("hunter2"), "{}", words);
    }
}

#[test]
fn secrets_never_show_in_errors_of_parts() {
    let users = [
        "me:hunter2?a=b",
        "me:12/hunter2",
        "me:hunter2/x?y=z",
        "me:hunter2@",
    ];
    for (user, scheme) in users.into_iter().flat_map(|u| [(u, "ssh"), (u, "unix")]) {
        for host in ["host", "::1", ""] {
            let parts = EndpointParts {
                scheme,
                user: Some(user),
                host,
                port: Some(1),
                ..EndpointParts::default()
            };
            let words = Endpoint::from_parts(parts).unwrap_err().to_string();
            assert!(!words.contains("hunter2"), "{words}");
            assert!(words.contains(host), "{words}");
        }
    }
}

#[test]
fn urls_in_a_query_have_no_secrets() {
    for (text, shown) in [
        (
            "tcp://h:1?via=socks5://me:hunter2@p:2&x=1",
            "tcp://h:1?via=socks5://…@p:2&x=1",
        ),
        (
            "tls://h:1?a=b&via=http%3A%2F%2Fme:hunter2%40p:2",
            "tls://h:1?a=b&via=http%3A%2F%2F…%40p:2",
        ),
        (
            "x://me:hunter2@h?via=http://hunter2@p",
            "x://…@h?via=http://…@p",
        ),
        ("tcp://h:1?via=socks5://p:2", "tcp://h:1?via=socks5://p:2"),
        ("x://h?mail=a@b", "x://h?mail=a@b"),
    ] {
        let at: Endpoint = text.parse().unwrap();
        assert_eq!(at.redacted().to_string(), shown);
        assert_eq!(redacted(text), shown);
        assert!(!format!("{at:?}").contains("hunter2"));
    }
}
