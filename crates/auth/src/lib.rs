//! Who is at the other end of a socket: an identity that the peer has proved.
//!
//! [`Auth`] is a layer. A server gives it an [`Authenticator`], and each socket that it accepts has
//! an [`Identity`] in its [`Info`](socketry_transport::Info). A client gives it a [`Token`], which
//! it proves to the server, and the server proves that it has the same one.
//!
//! ```
//! use socketry_auth::{Auth, Identity, Token, Tokens};
//! use socketry_transport::{Half, Listener, RecvExt, Registry, SendExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let token = Token::made("ann")?; // or Token::from_file, Tokens::from_file
//! let tokens = Tokens::new([token.clone()])?;
//! let server = Auth::new().require(tokens).register(Registry::standard())?;
//! let client = Auth::new().token(token).register(Registry::standard())?;
//!
//! let mut listener = server.listen("tcp://127.0.0.1:0").await?;
//! let at = listener.local().clone();
//! let (client, server) = tokio::join!(client.connect(at), listener.accept());
//! let (mut client, mut server) = (client?, server?);
//! assert_eq!(Identity::of(server.info()).map(Identity::name), Some("ann"));
//!
//! client.send_all(b"hello").await?;
//! let mut buf = [0; 8];
//! assert_eq!(server.recv(&mut buf).await?.0, 5);
//! # Ok(()) }
//! ```
//!
//! # What proves an identity
//!
//! | authenticator | the peer proves |
//! |---|---|
//! | [`Tokens`] | that it has a secret of at least 16 bytes, over any stream, without sending it |
//! | `Certificates` (feature `tls`) | that it has the key of a certificate: one of these keys, or one whose certificate an authority has signed for a name |
//! | [`Users`] | nothing: the kernel says which user connected to a Unix socket |
//! | [`Anonymous`] | nothing: everybody is let in |
//! | [`FirstOf`] | what the first of several accepts |
//!
//! One of your own is one method: see [`Authenticator`].
//!
//! # What a token protects, and what it does not
//!
//! The two ends exchange four lines before the first frame (`docs/auth.md` of the repository has
//! them byte by byte, and a script for Python). Both prove the token with an HMAC over two fresh
//! nonces, the role of the one that proves, and the TLS connection, if there is one: the server's
//! certificate, and keys that only the two ends have (the TLS exporter), where both have them. So a
//! proof that was recorded, reflected, or handed on by a server with another certificate is worth
//! nothing.
//!
//! **Without TLS, only the beginning of the connection is proved.** An attacker in the middle can
//! let the exchange pass and take the connection over behind it. On a network a token belongs over
//! TLS.
//!
//! A proxy that ends TLS in the middle is such an attacker: proofs fail behind it.
//!
//! # Deadlines and plain clients
//!
//! Exchanges run beside one another in the background, bounded in number and time
//! ([`Auth::limits`]). The client speaks first. Where an authenticator accepts a peer that proves
//! no token, a client whose first bytes are no beginning of an exchange is let in at once, and one
//! that says nothing after [`Auth::patience`]. All its bytes are received.
//!
//! # Features
//!
//! * `tls`: certificates as proofs, and tokens bound to TLS connections of `socketry-tls`. Without
//!   it a token is bound to a [`ChannelBinding`] in the socket's `Info` alone.

#![forbid(unsafe_code)]

mod authenticator;
mod binding;
mod error;
mod exchange;
mod identity;
mod layer;
mod token;
mod ways;

pub use authenticator::{Authenticator, Claim, Peer, Refusal};
pub use binding::ChannelBinding;
pub use error::AuthError;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub use exchange::fuzzing;
pub use exchange::{refusal, refused};
pub use identity::{Identity, Proof};
pub use layer::{Auth, AuthListener, AuthSocket, AuthTransport};
/// For the implementation of [`Authenticator`].
pub use socketry_transport::async_trait;
pub use token::{Secret, Token, private_text, unchanged_text};
#[cfg(feature = "tls")]
pub use ways::Certificates;
pub use ways::{Anonymous, FirstOf, Tokens, Users};

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
