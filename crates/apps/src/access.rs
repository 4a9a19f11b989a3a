//! Who is let in, and what a client proves.

mod made;
mod options;
mod shares;

use std::sync::Arc;

use socketry_auth::{Anonymous, Auth, FirstOf, Identity, Token, Tokens, Users};
use socketry_transport::{BoxListener, Endpoint, Info, Registry};

use crate::matrix::{DATAGRAM_SCHEMES, MESSAGE_SCHEME, UNIX_SCHEMES, WS_SCHEMES, is_standard};
use crate::{AppError, encryption};
use made::Made;
pub(crate) use options::AccessArgs;

/// Whom a server lets in, and what a client proves. By default a server lets in everybody, and a
/// client proves nothing.
///
/// Over TLS the URL of a server may ask for client certificates besides (`ca`, `pin`). A client
/// that proves one of the ways is let in; where the URL requires certificates, each client has to
/// have one.
#[derive(Clone, Debug, Default)]
pub struct Access {
    token: Option<Token>,
    tokens: Option<Tokens>,
    users: Option<Users>,
    anonymous: bool,
    /// The most connections of one client.
    most: Option<usize>,
    /// The file of a token that was made now.
    made: Option<Arc<Made>>,
}

impl Access {
    /// A client proves this token, and talks to no server that does not prove the same.
    #[must_use]
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// A server lets in the clients that prove one of these tokens.
    #[must_use]
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// A server lets in these users of this machine, at a Unix socket.
    #[must_use]
    pub fn users(mut self, users: Users) -> Self {
        self.users = Some(users);
        self
    }

    /// A server lets in everybody, also where some prove who they are.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// A server refuses a client that has this many connections, at least 1. A client is the name
    /// that it has proved, or else its user at a Unix socket, or its address (of IPv6, its network
    /// of 64 bits). By default only the places of the server bound them.
    #[must_use]
    pub fn max_per_user(mut self, most: usize) -> Self {
        self.most = Some(most.max(1));
        self
    }

    /// The same listener with this bound.
    pub(crate) fn bounded(&self, listener: BoxListener) -> BoxListener {
        match self.most {
            Some(most) => shares::bounded(listener, most),
            None => listener,
        }
    }

    /// Whether a server with this lets in nobody that has not proved a token or its user.
    pub(crate) fn is_required(&self) -> bool {
        (self.tokens.is_some() || self.users.is_some()) && !self.anonymous
    }

    /// Whether clients may prove tokens to a server with this.
    pub(crate) fn takes_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// The names that belong to the clients with these tokens, and to no others.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().flat_map(Tokens::names)
    }

    /// The transports of a client.
    pub(crate) fn connecting(&self, registry: &Registry) -> Result<Registry, AppError> {
        match &self.token {
            Some(token) => Ok(Auth::new()
                .token(token.clone())
                .register(registry.clone())?),
            None => Ok(registry.clone()),
        }
    }

    /// The transports of a server at `at`.
    pub(crate) fn listening(
        &self,
        registry: &Registry,
        at: &Endpoint,
    ) -> Result<Registry, AppError> {
        self.check(at)?;
        let mut who = FirstOf::new();
        let required = self.is_required() || encryption::requires_certificates(at)?;
        if let Some(tokens) = &self.tokens {
            who = who.or(tokens.clone());
        }
        who = encryption::or_certificates(who, at)?;
        if let Some(users) = &self.users {
            who = who.or(users.clone());
        }
        if who.is_empty() {
            return Ok(registry.clone());
        }
        if !required {
            who = who.or(Anonymous);
        }
        let auth = Auth::new().require(who);
        let auth = auth.on_failure(|failure| tracing::warn!("refused: {failure}"));
        Ok(auth.register(registry.clone())?)
    }

    /// Where to listen: a Unix socket whose users are told apart by the kernel is open to all.
    pub(crate) fn place(&self, at: Endpoint) -> Endpoint {
        let has_mode = at.query().any(|(key, _)| key == "mode");
        match self.users.is_some() && !has_mode && UNIX_SCHEMES.contains(&at.scheme()) {
            true => at.with("mode", "0666"),
            false => at,
        }
    }

    /// Refuses what could let in nobody.
    pub(crate) fn check(&self, at: &Endpoint) -> Result<(), AppError> {
        let scheme = at.scheme();
        if self.is_required() && DATAGRAM_SCHEMES.contains(&scheme) {
            return Err(AppError::usage(format_args!(
                "over {scheme} nobody can prove who it is: a token needs a stream, and the kernel \
                 does not say which user sends a datagram; use a stream, or add --anonymous"
            )));
        }
        if self.is_required() && self.users.is_none() && scheme == MESSAGE_SCHEME {
            return Err(AppError::usage(format_args!(
                "a token cannot be proved over {scheme}, which is no stream; use unix:///PATH, or \
                 add --allow-uid, since the kernel says which user connects"
            )));
        }
        if self.tokens.is_some() && WS_SCHEMES.contains(&scheme) {
            return Err(AppError::usage(format_args!(
                "over {scheme} no token can be proved, since that needs a stream; use tls:// or \
                 unix://, or certificates of clients over wss://"
            )));
        }
        let is_known = is_standard(scheme);
        if self.users.is_some() && is_known && !UNIX_SCHEMES.contains(&scheme) {
            return Err(AppError::usage(format_args!(
                "--allow-uid is for Unix sockets, where the kernel says which user connects, and \
                 not for {scheme}; use unix:///PATH or tls+unix:///PATH"
            )));
        }
        Ok(())
    }
}

/// Who the peer is, for a log; `None` if nothing asked it.
pub(crate) fn who(info: &Info) -> Option<String> {
    Identity::of(info).map(Identity::to_string)
}

/// The name that the peer has proved.
pub(crate) fn proved_name(info: &Info) -> Option<String> {
    let identity = Identity::of(info).filter(|identity| identity.is_proved());
    identity.map(|identity| identity.name().to_owned())
}

/// What a peer is counted by: the name that it has proved, or else its user or its address.
/// `None` if it has neither.
pub(crate) fn client(info: &Info) -> Option<String> {
    shares::client(info)
}
