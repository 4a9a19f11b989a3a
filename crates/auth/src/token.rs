//! Tokens: a name and a secret.

mod file;
mod text;

use std::fmt;
use std::path::Path;

use socketry_transport::ErrorKind;

use crate::error::AuthError;
pub(crate) use file::{keep, read};
pub use file::{private_text, unchanged_text};
pub(crate) use text::{from_hex, to_hex};

/// The least bytes of a secret.
const SHORTEST: usize = 16;
/// The most bytes of a secret.
const LONGEST: usize = 1024;
/// The bytes of a secret that is made.
const MADE: usize = 32;
/// The most bytes of a name.
pub(crate) const NAME: usize = 64;

/// The secret of a [`Token`]. It is in no debugging output and in no error.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// These bytes.
    ///
    /// # Errors
    /// If there are less than 16, or more than 1,024.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, AuthError> {
        let bytes = bytes.into();
        let wrong = |words: String| Err(AuthError::new(ErrorKind::InvalidOption, words));
        match bytes.len() {
            len if len < SHORTEST => wrong(format!(
                "the secret has {len} bytes, and at least {SHORTEST} are needed"
            )),
            len if len > LONGEST => wrong(format!(
                "the secret has {len} bytes, and at most {LONGEST} are allowed"
            )),
            _ => Ok(Secret(bytes.into())),
        }
    }

    /// 32 bytes of the system's random numbers.
    ///
    /// # Errors
    /// If the system has none.
    pub fn made() -> Result<Self, AuthError> {
        Secret::new(random::<MADE>()?)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A name and a secret that a client and a server share.
#[derive(Clone, Debug)]
pub struct Token {
    name: String,
    secret: Secret,
}

impl Token {
    /// A token of that name.
    ///
    /// # Errors
    /// If the name is not 1 to 64 letters, digits and `.`, `_`, `-`, `@`, or is `anonymous`.
    pub fn new(name: impl Into<String>, secret: Secret) -> Result<Self, AuthError> {
        let name = name.into();
        match is_name(&name) {
            true => Ok(Token { name, secret }),
            false => Err(AuthError::new(
                ErrorKind::InvalidOption,
                format!("'{}' is no name of a token", name.escape_debug()),
            )
            .hint("it has 1 to 64 letters, digits and . _ - @, and is not 'anonymous'")),
        }
    }

    /// A token of that name with a secret that is [made](Secret::made) now.
    ///
    /// # Errors
    /// As [`new`](Token::new).
    pub fn made(name: impl Into<String>) -> Result<Self, AuthError> {
        Token::new(name, Secret::made()?)
    }

    /// The token of a client, from a file of one line, `NAME = SECRET`. The form of the file is
    /// that of [`Tokens::from_file`](crate::Tokens::from_file).
    ///
    /// # Errors
    /// If the file cannot be read, may be read by others than its owner, or has not one token.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, AuthError> {
        let path = path.as_ref();
        let mut all = read(path)?;
        match (all.pop(), all.is_empty()) {
            (Some(token), true) => Ok(token),
            (_, _) => Err(AuthError::new(
                ErrorKind::InvalidOption,
                format!("{}: there are several tokens", path.display()),
            )
            .hint("a client's file has one line")),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its secret.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// Whether a token may have this name. No other kind of identity has one of this form, but for
/// names that an operator gives.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    (1..=NAME).contains(&name.len())
        && name.bytes().all(fits)
        && !name.eq_ignore_ascii_case("anonymous")
}

/// Bytes of the system's random numbers.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], AuthError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        AuthError::new(
            ErrorKind::Other,
            format!("there are no random numbers: {error}"),
        )
    })?;
    Ok(bytes)
}
