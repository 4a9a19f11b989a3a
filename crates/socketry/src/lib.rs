//! Frames over any socket: a URL chooses the transport, a name the codec.
//!
//! ```
//! use socketry::prelude::*;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let codec: BoxCodec = "line".parse()?; // or struct, struct:>H, json, raw, …
//!     let mut listener = listen("tcp://127.0.0.1:0").await?; // or unix://, udp://, mem://
//!     let mut client = Framed::new(connect(listener.local()).await?, codec.clone());
//!     let mut server = Framed::new(listener.accept().await?, codec);
//!
//!     client.send(b"hello").await?;
//!     assert_eq!(server.recv().await?, Some(&b"hello"[..]));
//!     Ok(())
//! }
//! ```
//!
//! This is a whole program. It depends only on `socketry` and `tokio`.
//!
//! # The idea
//!
//! A socket carries bytes, and a program wants messages. Each program has to answer two questions:
//! how to reach the peer, and where a message ends. Here each answer is one word of configuration:
//!
//! ```text
//!  "tcp://…"                                     "struct:>H"
//!  Endpoint ─▶ Transport ─▶ Socket ─▶ Framed ◀─ Codec
//!              connect      bytes or    frames
//!              listen       datagrams
//! ```
//!
//! * [`transport`] knows how to reach a peer, and no frames. [`connect`] and [`listen`] take a URL,
//!   with options in its query (`tcp://[::1]:9000?nodelay=true`).
//! * [`codec`] knows where a frame begins and ends, and no sockets. A codec comes from a name, or
//!   from a type with its limits (`Line::new().max_frame(1024)`).
//! * [`Framed`] joins the two: [`send`](Framed::send) and [`recv`](Framed::recv),
//!   [`feed`](Framed::feed) for many frames in one write, [`split`](Framed::split) for two tasks,
//!   [`into_sender`](Framed::into_sender) for many, [`body`](Framed::body) for data that is too
//!   large for a frame, and [`typed`](Framed::typed) for values of your own types.
//!
//! All that a peer can make a program hold is bounded, and each bound has a name and a default. The
//! error of a bad frame [is not fatal](codec::FrameError::is_fatal) if the next frame can be found.
//! A transport or codec of your own is one trait, and the crate `socketry-testkit` has the laws
//! that ours keep, to run against yours.
//!
//! # Choosing a transport
//!
//! | you want | URL |
//! |---|---|
//! | two machines, and nothing may be lost | `tcp://host:port` |
//! | one machine, and the file system says who may connect | `unix:///path`, `unix://@name` (Linux) |
//! | short messages that may be lost, broadcast or multicast | `udp://host:port` |
//! | whole messages on one machine, in order | `unix-dgram:///path` |
//! | the same, and an end (Linux) | `unix-seqpacket:///path` |
//! | a test, or two parts of one program | `mem://name` |
//! | a board, a modem, or a machine at the end of a wire (the feature `serial`) | `serial:///dev/ttyUSB0?baud=9600` |
//! | a socket that this process was started with | `fd://3`, `systemd://name`, `stdio://` |
//!
//! The page of [`transport`] has more of each. None of them encrypts. The feature `tls` puts TLS
//! over any stream, as `tls://host:port`; the feature `quic` adds `quic://host:port`, and the
//! feature `auth` tells who a peer is. With the feature `ws` a page in a browser is a client too,
//! of `ws://host:port/path`.
//!
//! # Choosing a codec
//!
//! | you want | name |
//! |---|---|
//! | text that a person or `nc` can type | `line`, `line:crlf` |
//! | any bytes, and speed | `struct:>I` and its kin: a length, then that many bytes |
//! | JSON objects, with files or other bodies behind them | `json` |
//! | a peer that writes JSON objects one after another | `json:bare` |
//! | datagrams as they are, or bytes as they come | `raw` |
//!
//! The page of [`codec`] has more of each. Values of your own types go over any of them:
//!
//! ```
//! # #[cfg(feature = "json")] mod only {
//! use socketry::codec::{BoxCodec, Framed, Json};
//! use socketry::transport::BoxSocket;
//!
//! # use socketry::codec::FrameError;
//! # async fn show(framed: Framed<BoxSocket, BoxCodec>) -> Result<(), FrameError> {
//! // Any type with serde's Serialize and Deserialize; Json, or any other format.
//! let mut numbers = framed.typed::<Vec<u64>, Json>();
//! numbers.send(&vec![1, 2, 3]).await?;
//! # Ok(()) }
//! # }
//! ```
//!
//! # Features
//!
//! The defaults are `batch`, `text`, `serde` and `json`.
//!
//! * `batch`: many UDP datagrams a call on Linux, through quinn-udp.
//! * `text`: sockets that carry text in any encoding, through encoding_rs.
//! * `serde`: endpoints, options, codecs and limits from configuration files.
//! * `json`: JSON frames as values of your own types, through serde_json.
//! * `lz4`, `deflate`, `zstd`: codecs with compressed frames, such as `struct:>I+lz4`.
//! * `tls`: TLS over any stream transport, as [`tls`](https://docs.rs/socketry-tls). Off, since its
//!   cryptography needs a C compiler.
//! * `quic`: connections of many streams over UDP, as [`quic`](https://docs.rs/socketry-quic), with
//!   the certificates of `tls`.
//! * `auth`: who a peer is, as [`auth`](https://docs.rs/socketry-auth): tokens that are proved over
//!   any stream, certificates of clients (with `tls`), users of Unix sockets.
//! * `names`: services by their SRV records, as `tcp+srv://_chat._tcp.example.org`, and a resolver
//!   that asks DNS servers by itself, as [`names`](https://docs.rs/socketry-names).
//! * `proxy`: servers behind a balancer that speaks the PROXY protocol, and clients through SOCKS5
//!   and HTTP's CONNECT, as [`proxy`](https://docs.rs/socketry-proxy).
//! * `serial`: a serial line as a socket (Linux), `SerialTransport` of [`transport`].
//! * `service`: servers with limits and an end that drains, and clients that reconnect, as
//!   [`service`](https://docs.rs/socketry-service).
//! * `tokio-util`: our codecs as that crate's `Decoder` and `Encoder`.
//! * `ws`: WebSocket over any stream transport, as [`ws`](https://docs.rs/socketry-ws).
#![forbid(unsafe_code)]

#[cfg(feature = "auth")]
#[doc(no_inline)]
pub use socketry_auth as auth;
#[doc(no_inline)]
pub use socketry_codec as codec;
#[cfg(feature = "names")]
#[doc(no_inline)]
pub use socketry_names as names;
#[cfg(feature = "proxy")]
#[doc(no_inline)]
pub use socketry_proxy as proxy;
#[cfg(feature = "quic")]
#[doc(no_inline)]
pub use socketry_quic as quic;
#[cfg(feature = "service")]
#[doc(no_inline)]
pub use socketry_service as service;
#[cfg(feature = "tls")]
#[doc(no_inline)]
pub use socketry_tls as tls;
#[doc(no_inline)]
pub use socketry_transport as transport;
#[cfg(feature = "ws")]
#[doc(no_inline)]
pub use socketry_ws as ws;

#[doc(no_inline)]
pub use codec::{BoxCodec, Framed};
#[doc(no_inline)]
pub use transport::{Endpoint, connect, listen};

pub mod prelude {
    //! The names that most programs use: `use socketry::prelude::*;`.
    //!
    //! It has names for making sockets and framing them, and the traits with their methods. It has
    //! no name that a program is likely to have itself: codecs are in [`codec`](crate::codec), and
    //! errors and the types of single transports in [`transport`](crate::transport).

    #[doc(no_inline)]
    pub use crate::codec::{BoxCodec, Codec, Framed};
    #[doc(no_inline)]
    pub use crate::transport::{
        BoxSocket, Endpoint, Half, Listener, RecvExt, RecvHalf, SendExt, SendHalf, Socket,
        Transport, connect, listen,
    };
}

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
