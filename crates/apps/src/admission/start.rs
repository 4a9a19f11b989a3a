//! How a server of a command line starts: at which address, and whom that lets in.

use std::io::{self, Write};

use socketry_transport::Endpoint;

use super::{Authentication, Reach, Typed, is_encrypted};
use crate::access::Access;
use crate::common::{announce, hint, reachable};
use crate::matrix::{App, DATAGRAM_SCHEMES, WS_SCHEMES};
use crate::proxies::is_behind_a_balancer;
use crate::{AppError, Service, encryption};

/// The file of tokens in a line to type. It is made in the working directory.
const TOKENS: &str = "tokens";

/// What a user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) app: App,
    /// The URL as it was typed.
    pub(crate) url: String,
    /// Whether it may serve other machines without encryption and authentication.
    pub(crate) insecure: bool,
    /// Whether rules say what each client may do.
    pub(crate) has_rules: bool,
}

/// A server that a user asked for, before it listens.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    asked: Asked,
    at: Endpoint,
    access: Access,
    typed: Typed,
}

impl Start {
    /// # Errors
    /// If the app does not run there, or if it would serve strangers there without `--insecure`.
    pub(crate) fn new(asked: Asked, service: &Service, typed: &Typed) -> Result<Self, AppError> {
        let at = reachable(&asked.url)?;
        service.check(asked.app, at.scheme())?;
        let (access, typed) = (service.access.clone(), typed.clone());
        let start = Start {
            asked,
            at,
            access,
            typed,
        };
        // What a name stands for is known once it is listened at.
        if start.at.socket_addr().is_some() {
            start.check(&start.at)?;
        }
        Ok(start)
    }

    /// The URL.
    pub(crate) fn url(&self) -> &Endpoint {
        &self.at
    }

    /// Where to listen. Over TLS this has a certificate, which is kept in a directory of the user
    /// if the URL names none.
    pub(crate) fn place(&self) -> Result<Endpoint, AppError> {
        encryption::with_certificate(self.access.place(self.at.clone()))
    }

    /// The same command line with one more option.
    pub(crate) fn with(&self, option: &str) -> Typed {
        self.typed.clone().and(option)
    }

    /// Whether no client is served that has not proved who it is.
    ///
    /// # Errors
    /// If the URL cannot be understood.
    pub(crate) fn authenticates(&self) -> Result<bool, AppError> {
        Ok(Authentication::of(&self.at, &self.access)?.is_required())
    }

    /// The same command line with a token, and with encryption where other machines are served, if
    /// there can be both.
    pub(crate) fn proving(&self) -> Option<Typed> {
        let is_exposed = Reach::of(&self.at) == Reach::Network;
        let scheme = self.at.scheme();
        let is_stream = !DATAGRAM_SCHEMES.contains(&scheme) && !WS_SCHEMES.contains(&scheme);
        let mut typed = self.typed.clone();
        if (is_exposed && !is_encrypted(&self.at)) || !is_stream {
            typed = typed.at(&self.asked.url, &encryption::encrypted(&self.at)?);
        }
        if matches!(self.authenticates(), Ok(true)) {
            return Some(typed);
        }
        let typed = typed.without("--anonymous");
        match self.access.takes_tokens() {
            true => Some(typed),
            false => Some(typed.and("--token-file").and(TOKENS)),
        }
    }

    /// Prints where the server listens, if it may serve there.
    ///
    /// # Errors
    /// If it would serve strangers without `--insecure`, or if printing fails.
    pub(crate) fn announce(&self, locals: &[Endpoint]) -> Result<(), AppError> {
        for local in locals {
            self.check(local)?;
        }
        for local in locals {
            if let Some(exposed) = self.exposed(local)? {
                // Without a standard error there is nowhere to warn.
                let _ = writeln!(io::stderr(), "socketry: warning: --insecure: {exposed}");
            }
        }
        if is_encrypted(&self.at) {
            encryption::reload_on_signal();
        }
        announce(locals)?;
        if let Some(first) = locals.first() {
            self.access.introduce(self.asked.app, first);
        }
        // An inherited socket has the mode that its maker gave it.
        let has_file = Reach::of(&self.at) == Reach::File;
        let place = self.access.place(self.at.clone());
        if has_file && !place.query().any(|(key, _)| key == "mode") {
            hint(
                "only you can connect; ?mode=0660 in the URL admits a group, ?mode=0666 all users",
            );
        }
        Ok(())
    }

    fn check(&self, local: &Endpoint) -> Result<(), AppError> {
        let exposed = self.exposed(local)?.filter(|_| !self.asked.insecure);
        let Some(exposed) = exposed else {
            return Ok(());
        };
        let instead = match self.proving() {
            Some(line) => format!("type: {line} (or let clients have certificates, with ca=FILE)"),
            None => format!("use tls:// with --token-file {TOKENS}"),
        };
        Err(AppError::usage(format_args!(
            "{exposed}; {instead}, or add --insecure to serve anybody"
        )))
    }

    /// What strangers on a network could do at `local`, in words.
    fn exposed(&self, local: &Endpoint) -> Result<Option<String>, AppError> {
        if Reach::of(local) != Reach::Network && !is_behind_a_balancer(&self.at) {
            return Ok(None);
        }
        let authenticates = self.authenticates()?;
        let use_it = match (self.asked.app, self.asked.has_rules) {
            (App::Chat, _) => "read and write in this chat",
            (App::Command, false) => "run any program as this user",
            (App::File, false) => "read and replace all files of this server",
            (App::Command, true) => "run as this user what the rules let 'anonymous' run",
            (App::File, true) => {
                "do with the files of this server what the rules let 'anonymous' do"
            }
        };
        let place = local.clone().without_query();
        Ok(match (authenticates, is_encrypted(&self.at)) {
            (true, true) => None,
            (false, true) => Some(format!("anybody who reaches {place} can {use_it}")),
            (false, false) => Some(format!(
                "anybody who reaches {place} can {use_it}, and all networks in between can read \
                 and change what is sent"
            )),
            (true, false) => Some(format!(
                "all networks between {place} and its clients can read and change what is sent"
            )),
        })
    }
}
