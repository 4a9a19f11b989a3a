//! One error for the control path: the action, the place, the reason, and the way out.

mod kind;

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::io;

use crate::contract::endpoint::Endpoint;
use crate::contract::endpoint::redacted;
pub use kind::ErrorKind;

/// The result of the control path. The data path answers with [`std::io::Result`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Another library's error, as it is held.
type Held = Box<dyn StdError + Send + Sync + 'static>;

/// Why a socket could not be made.
///
/// It prints as one line: the action, the endpoint, the reason, and, where there is one, the way
/// out; also as [`Debug`](fmt::Debug), which is what a `main` shows that returns it. The reason is in the words of the error that it [holds](Error::caused_by), unless
/// [another](Error::because) was given. The rest is behind [`source`](StdError::source), so a
/// printed chain shows each text once. Characters that could drive a terminal are escaped in the
/// endpoint and in the words of the error that it holds.
///
/// A transport of your own passes on the words of its library with it:
///
/// ```
/// use socketry_transport::{Endpoint, Error, ErrorKind};
///
/// # #[derive(Debug)] struct Alert;
/// # impl std::fmt::Display for Alert {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
/// #         f.write_str("certificate expired")
/// #     }
/// # }
/// # impl std::error::Error for Alert {}
/// let at: Endpoint = "tcp://127.0.0.1:443".parse()?;
/// let error = Error::new(ErrorKind::Untrusted, "connect to", &at)
///     .caused_by(Alert)
///     .hint("is this machine's clock right?");
/// assert_eq!(
///     error.to_string(),
///     "cannot connect to tcp://127.0.0.1:443: certificate expired; is this machine's clock right?"
/// );
/// assert!(error.get_ref().is_some_and(|held| held.is::<Alert>()));
/// # Ok::<(), Error>(())
/// ```
///
/// An [`io::Error`] that is made of it keeps its kind and holds it: [`io::Error::downcast`] and
/// [`Error::io`] take it out again.
pub struct Error {
    kind: ErrorKind,
    action: &'static str,
    place: String,
    reason: Option<String>,
    hint: Option<String>,
    held: Option<Held>,
}

impl Error {
    /// An error of `kind` while `action` (a phrase such as "connect to") was under way at `place`,
    /// which is shown without the user name and password that it may hold.
    pub fn new(kind: ErrorKind, action: &'static str, place: impl fmt::Display) -> Self {
        Error {
            kind,
            action,
            place: redacted(&place.to_string()),
            reason: None,
            hint: None,
            held: None,
        }
    }

    /// The error that the system answered while `action` was under way at `endpoint`, with a hint
    /// where one helps.
    ///
    /// An `io::Error` that was made from an `Error` becomes that one again, since it names the
    /// action and the place already.
    pub fn io(action: &'static str, endpoint: &Endpoint, source: io::Error) -> Self {
        source.downcast().unwrap_or_else(|source| {
            let mut error = Error::new(ErrorKind::from(&source), action, endpoint);
            error.hint = error.kind.usual_hint().map(str::to_owned);
            error.caused_by(source)
        })
    }

    /// Adds the error of another library that caused this one. Any text will do as well. It prints
    /// in its own words.
    #[must_use]
    pub fn caused_by(mut self, held: impl Into<Box<dyn StdError + Send + Sync + 'static>>) -> Self {
        self.held = Some(held.into());
        self
    }

    /// Adds the reason. It is printed instead of the words of the error that is held, which then
    /// becomes the source.
    #[must_use]
    pub fn because(mut self, reason: impl fmt::Display) -> Self {
        self.reason = Some(reason.to_string());
        self
    }

    /// Adds the way out: an action that the user can take.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The same error at another `place`, for a layer whose URLs say more than those inside.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.place = redacted(&place.to_string());
        self
    }

    /// The same error while `action` was under way at `place`: a name that is not found is the
    /// reason why a host cannot be connected to.
    #[must_use]
    pub fn part_of(mut self, action: &'static str, place: impl fmt::Display) -> Self {
        self.action = action;
        self.at(place)
    }

    /// The same error with URLs of the scheme `outside` where it has those of `inside`.
    pub(crate) fn under(mut self, inside: &str, outside: &str) -> Self {
        self.place = with_scheme(&self.place, inside, outside);
        let words = [&mut self.reason, &mut self.hint];
        for text in words.into_iter().flatten() {
            *text = with_scheme(text, inside, outside);
        }
        self.held = self.held.map(|held| match held.downcast::<Error>() {
            Ok(error) => error.under(inside, outside).into(),
            Err(other) => other,
        });
        self
    }

    /// The reason, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The reason in words, alone, for an error that has it as a part: without the action, the
    /// place and the way out.
    pub fn reason(&self) -> String {
        let mut words = String::new();
        // Writing to a string does not fail.
        let _ = match (&self.reason, &self.held) {
            (Some(reason), _) => words.write_str(reason),
            (None, Some(held)) => write!(Plain(&mut words), "{held}"),
            (None, None) => words.write_str(self.kind.words()),
        };
        words
    }

    /// The error that it holds, to downcast.
    pub fn get_ref(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.held.as_deref()
    }

    /// The error that it holds, taken out.
    pub fn into_inner(self) -> Option<Box<dyn StdError + Send + Sync + 'static>> {
        self.held
    }

    /// The system's error number, if the system was asked. Python's `connect_ex` returns the same
    /// number. It is found at any depth of the error that this one holds.
    pub fn raw_os_error(&self) -> Option<i32> {
        os_code(self.held.as_deref()?)
    }
}

/// `text`, in which each `inside://` becomes `outside://`.
fn with_scheme(text: &str, inside: &str, outside: &str) -> String {
    let url = format!("{inside}://");
    let (mut changed, mut done) = (String::new(), 0);
    for (at, _) in text.match_indices(&url) {
        let before = text[..at].chars().next_back();
        // The end of a longer scheme is not a scheme.
        if before.is_none_or(|c| !c.is_ascii_alphanumeric() && !"+-.".contains(c)) {
            changed = changed + &text[done..at] + outside + "://";
            done = at + url.len();
        }
    }
    changed + &text[done..]
}

/// The system's error number in `error`, or in the errors behind it. An [`Error`] or [`io::Error`]
/// is searched at any depth, and another error as far as it gives its [`source`](StdError::source).
pub fn os_code(error: &(dyn StdError + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        next = if let Some(error) = error.downcast_ref::<io::Error>() {
            if let Some(code) = error.raw_os_error() {
                return Some(code);
            }
            error.get_ref().map(|held| held as _)
        } else if let Some(error) = error.downcast_ref::<Error>() {
            error.held.as_deref().map(|held| held as _)
        } else {
            error.source()
        };
    }
    None
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (action, place) = (self.action, self.place.escape_debug());
        write!(f, "cannot {action} {place}: {}", self.reason())?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Another library's words, which may quote a peer. Characters that could drive a terminal, reorder
/// text or begin a new line are escaped.
struct Plain<'a>(&'a mut String);

impl Write for Plain<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| {
            if character.is_ascii_graphic() || character == ' ' {
                self.0.write_char(character)
            } else {
                write!(self.0, "{}", character.escape_debug())
            }
        })
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let held = self.held.as_deref()?;
        // The line of this error has the words of the one that is held, unless a reason replaces
        // them.
        match self.reason {
            Some(_) => Some(held),
            None => held.source(),
        }
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Inside the `io::Error`, whole: [`io::Error::downcast`] gives it back.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let held = error
            .get_ref()
            .and_then(|held| held.downcast_ref::<io::Error>());
        // The system's own kind is more exact, where both mean the same.
        let kind = match held.filter(|held| ErrorKind::from(*held) == error.kind) {
            Some(held) => held.kind(),
            None => error.kind.into(),
        };
        io::Error::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_action_place_reason_and_way_out() {
        let at: Endpoint = "tcp://127.0.0.1:1".parse().unwrap();
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = Error::io("connect to", &at, refused);
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(
            error.to_string(),
            "cannot connect to tcp://127.0.0.1:1: connection refused; \
             is the server running, and is this where it listens?"
        );
    }

    #[test]
    fn a_place_cannot_drive_the_terminal() {
        let error = Error::new(ErrorKind::InvalidEndpoint, "use", "tcp://\u{1b}[2J");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
