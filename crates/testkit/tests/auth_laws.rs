//! The laws of streams, behind the exchange of a token over each stream transport of ours, and over
//! TLS; and for plain clients of a server that takes tokens.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;
use std::time::Duration;

use socketry_auth::{Anonymous, Auth, AuthTransport, FirstOf, Token, Tokens};
use socketry_testkit::Places;
use socketry_testkit::stream::Subject;
use socketry_tls::{Identity, Tls, TlsTransport, Trust};
use socketry_transport::{
    Endpoint, MemTransport, Stack, TcpTransport, Transport, UnixTransport, erase,
};

/// The reason for the exception of sockets whose options cannot be read back.
const NOTHING_TO_ASK: &str = "a layer has no descriptor to ask";

/// Both ends have one token.
static AUTH: LazyLock<Auth> = LazyLock::new(|| {
    let token = Token::made("ann").unwrap();
    let tokens = Tokens::new([token.clone()]).unwrap();
    Auth::new().token(token).require(tokens)
});

/// Clients have none, and need none.
static OPEN: LazyLock<Auth> = LazyLock::new(|| {
    let tokens = Tokens::new([Token::made("ann").unwrap()]).unwrap();
    let who = FirstOf::new().or(tokens).or(Anonymous);
    // Clients of many laws say nothing at first.
    Auth::new().require(who).patience(Duration::from_millis(20))
});

static TLS: LazyLock<Tls> = LazyLock::new(|| {
    let identity = Identity::made(["localhost"]).unwrap();
    let pin = identity.pin().unwrap();
    Tls::new().identity(identity).trust(Trust::pin(pin))
});

fn over<T: Transport>(transport: T, at: Endpoint) -> Subject<Stack<AuthTransport<T>>> {
    with(&AUTH, transport, at)
}

fn with<T: Transport>(auth: &Auth, transport: T, at: Endpoint) -> Subject<Stack<AuthTransport<T>>> {
    let stack = Stack::new(transport).with(auth.clone());
    Subject::new(stack, at).except("options_applied_are_read_back", NOTHING_TO_ASK)
}

fn unix() -> Subject<Stack<AuthTransport<UnixTransport>>> {
    let places = Places::new();
    let at = places.free("unix");
    over(UnixTransport::default(), at).keeping(places)
}

fn tls() -> Subject<Stack<AuthTransport<TlsTransport<TcpTransport>>>> {
    let stack = Stack::new(TcpTransport::default());
    let stack = stack.with(TLS.clone()).with(AUTH.clone());
    Subject::new(stack, at("tcp://127.0.0.1:0"))
        .except("options_applied_are_read_back", NOTHING_TO_ASK)
}

fn at(url: &str) -> Endpoint {
    url.parse().unwrap()
}

socketry_testkit::stream_laws!(tcp, over(TcpTransport::default(), at("tcp://127.0.0.1:0")));
socketry_testkit::stream_laws!(unix, unix());
socketry_testkit::stream_laws!(mem, over(MemTransport::default(), at("mem://*")));
socketry_testkit::stream_laws!(tls, tls());
socketry_testkit::stream_laws!(
    open,
    with(&OPEN, TcpTransport::default(), at("tcp://127.0.0.1:0"))
);
socketry_testkit::stream_laws!(
    erased,
    Subject::new(
        erase(Stack::new(TcpTransport::default()).with(AUTH.clone())),
        at("tcp://127.0.0.1:0")
    )
    .except("options_applied_are_read_back", NOTHING_TO_ASK)
);
