//! The options in an endpoint's query.

use socketry_transport::{Endpoint, ErrorKind, Listener, SocketOptions, Transport};

use super::steps::{ensure, same, with};
use super::subject::Subject;
use crate::law::Verdict;

/// An option that no transport has.
const UNKNOWN: &str = "no_such_option";

pub(super) async fn an_unknown_option_is_refused_and_named<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let strange = |at: &Endpoint| with(at, &[(UNKNOWN, "1")]);
    let listening = subject.transport().listen(&strange(subject.at())).await;
    refused("listening", listening.map(drop))?;
    let listener = subject.listen(&[]).await?;
    let connecting = subject
        .transport()
        .connect(&strange(listener.local()))
        .await;
    refused("connecting", connecting.map(drop))
}

fn refused(what: &str, done: socketry_transport::Result<()>) -> Verdict {
    let Err(error) = done else {
        return Err(format!("{what} with {UNKNOWN}=1 was no error"));
    };
    same(
        &format!("the kind of '{error}'"),
        &error.kind(),
        &ErrorKind::InvalidOption,
    )?;
    let named = error.to_string().contains(&format!("'{UNKNOWN}'"));
    ensure(named, || format!("'{error}' does not name '{UNKNOWN}'"))
}

pub(super) async fn options_are_read_back<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    let Some(read_back) = subject.read_back() else {
        return Err("the subject says nothing with .reads_back(…)".to_owned());
    };
    let listener = subject.listen(&[]).await?;
    let to = with(listener.local(), subject.options());
    let wanted = SocketOptions::from_query(&to, subject.transport().keys());
    let wanted = wanted.map_err(|error| error.to_string())?;
    let read =
        |socket: T::Socket| read_back(&socket).map_err(|error| format!("reading back: {error}"));
    let set = read(subject.connect(&to).await?)?;
    same("what was read back", &wanted.clone().over(&set), &set)?;
    let unset = read(subject.connect(listener.local()).await?)?;
    ensure(wanted.clone().over(&unset) != unset, || {
        format!("{:?} are what a socket has by itself", wanted.set_keys())
    })
}
