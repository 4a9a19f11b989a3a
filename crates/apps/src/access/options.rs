//! The options of the command line about who is who.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use nix::unistd::{Uid, User};
use socketry_auth::{AuthError, Token, Tokens, Users};
use socketry_transport::{Endpoint, ErrorKind};

use super::{Access, Made};
use crate::AppError;
use crate::admission::Typed;
use crate::common::at_least_one;
use crate::matrix::App;

/// The name of a token that a server makes.
const MADE: &str = "client";

/// Whom a server lets in.
#[derive(Clone, Debug, Args)]
pub(crate) struct AccessArgs {
    /// With --token-file or --allow-uid, let in everybody else, too: plain scripts, say
    #[arg(long)]
    anonymous: bool,
    /// At a Unix socket, let in this user of this machine, by the kernel's word; may be repeated
    #[arg(long, value_name = "UID|NAME", value_parser = parse_user)]
    allow_uid: Vec<Allowed>,
    /// The most connections of one client: of the name that it proved, or else of its user or its
    /// address (of IPv6, its network of 64 bits) [default: only --max-clients bounds them]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    max_per_user: Option<usize>,
}

/// A user that is let in.
#[derive(Clone, Debug)]
struct Allowed {
    uid: u32,
    name: String,
}

fn parse_user(text: &str) -> Result<Allowed, String> {
    let found = match text.parse() {
        Ok(uid) => User::from_uid(Uid::from_raw(uid)).map(|user| {
            let name = user.map_or_else(|| format!("uid:{uid}"), |user| user.name);
            Some(Allowed { uid, name })
        }),
        Err(_) => User::from_name(text).map(|user| {
            let allowed = |user: User| Allowed {
                uid: user.uid.as_raw(),
                name: user.name,
            };
            user.map(allowed)
        }),
    };
    match found {
        Ok(Some(allowed)) => Ok(allowed),
        Ok(None) => Err("this machine has no user of that name".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl From<AuthError> for AppError {
    fn from(error: AuthError) -> Self {
        match error.kind() {
            ErrorKind::InvalidOption => AppError::usage(error),
            _ => AppError::failed(error),
        }
    }
}

impl Access {
    /// That of a client with this file.
    pub(crate) fn of_client(token_file: Option<&Path>) -> Result<Self, AppError> {
        match token_file {
            Some(file) => match Token::from_file(file) {
                Ok(token) => Ok(Access::default().token(token)),
                Err(error) if error.kind() == ErrorKind::NotFound => Err(AppError::failed(
                    format_args!("{error}; a client has a copy of the file that its server made"),
                )),
                Err(error) => Err(error.into()),
            },
            None => Ok(Access::default()),
        }
    }

    /// That of a server with this file, which is made if it is not there.
    pub(crate) fn of_server(
        token_file: Option<&Path>,
        args: &AccessArgs,
    ) -> Result<Self, AppError> {
        let mut access = Access::default();
        if let Some(file) = token_file {
            let (tokens, made) = Tokens::kept_in(file, MADE)?;
            access = access.tokens(tokens);
            access.made = made.then(|| Arc::new(Made::new(file)));
        }
        if !args.allow_uid.is_empty() {
            let mut users = Users::new();
            for Allowed { uid, name } in &args.allow_uid {
                users = users.user(*uid, name)?;
            }
            access = access.users(users);
        }
        access.most = args.max_per_user;
        match (args.anonymous, access.is_required()) {
            (true, true) => Ok(access.anonymous()),
            (true, false) => Err(AppError::usage(
                "--anonymous is for servers that let clients prove who they are, with --token-file \
                 or --allow-uid; without these everybody is let in anyway",
            )),
            (false, _) => Ok(access),
        }
    }

    /// Tells the user of a server of a token that was made now: where it is, and what a client
    /// types.
    pub(crate) fn introduce(&self, app: App, local: &Endpoint) {
        let Some(made) = &self.made else { return };
        let file = made.keep().display().to_string();
        let (app, verb, rest): (_, _, &[&str]) = match app {
            App::Chat => ("chat", "join", &[]),
            App::Command => ("command", "run", &["uptime"]),
            App::File => ("file", "ls", &[]),
        };
        let words = ["socketry", app, verb, local.as_str(), "--token-file", &file];
        let words: Vec<_> = words.iter().chain(rest).map(Into::into).collect();
        let client = Typed::new(&words);
        // Without a standard error there is nowhere to say it.
        let _ = writeln!(
            io::stderr(),
            "socketry: made the token in {file}, named {MADE}, for clients that have a copy of \
             this file: {client}"
        );
    }
}
