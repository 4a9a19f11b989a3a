//! What every program writes around its sockets, once: a server with limits, deadlines and an end
//! that drains; a client that reconnects, with many callers over one connection; one message to
//! many readers, none of which delays another.
//!
//! [`Server`] accepts clients from any listener of `socketry-transport` and gives each to a handler
//! as a [`Framed`](socketry_codec::Framed), or each of its frames as a request to be
//! [answered](Server::answer). [`Limits`] bounds what clients may use. A [`Stopper`] ends the
//! server in order, and an [`Observer`] hears of each connection.
//!
//! [`Client`] sends requests to one server, and gives each caller its answer. It dials again when
//! the connection is lost, within [`ClientLimits`].
//!
//! [`Hub`] gives each message to all readers of a topic, over any mix of sockets and codecs, within
//! [`HubLimits`].
//!
//! [`Relay`] passes the frames of one connection on to another, both ways.
//!
//! # Features
//!
//! * `auth`: identities that `socketry-auth` has proved are users, for [`Limits::per_user`].
//! * `json`: `JsonField`, answers that are found by a field of a JSON object.
//! * `metrics`: `Metrics`, an observer that counts in the `metrics` facade.
//! * `prometheus`: `Prometheus`, those metrics as text, at a URL of any transport.
//! * `serde`: [`Limits`], [`ClientLimits`], [`PoolLimits`] and [`HubLimits`] from configuration
//!   files.
//! * `tower`: `ClientService`, a client as a `tower::Service`, and `Server::answer_with`, which
//!   answers by one.
#![forbid(unsafe_code)]

mod client;
mod hub;
mod limits;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(unix)]
mod notify;
#[cfg(feature = "prometheus")]
mod prometheus;
mod relay;
mod server;
#[cfg(feature = "serde")]
mod text;

#[cfg(feature = "json")]
pub use client::JsonField;
pub use client::{
    Answers, Call, CallError, Client, ClientBuilder, ClientLimits, ClientState, Correlate, Integer,
    IntegerField, Lost, Pool, PoolLimits, Pooled, Pushes, TypedClient,
};
#[cfg(feature = "tower")]
pub use client::{ClientService, PoolService};
pub use hub::{
    Format, Hub, HubLimits, HubSummary, Joining, Publication, Reader, ReaderEnd, Receipt,
    TooManyTopics, Unpublished,
};
pub use limits::Limits;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
#[cfg(unix)]
pub use notify::Notify;
#[cfg(feature = "prometheus")]
pub use prometheus::Prometheus;
pub use relay::{Flow, Relay, RelayError, Traffic};
pub use server::{
    Ending, Lent, LentRecv, LentSend, Observer, Refusal, Request, Served, Server, Stopper, Summary,
    TypedServer,
};

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
