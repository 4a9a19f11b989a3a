//! Connects that must fail, and connects with options.

use std::time::{Duration, Instant};

use socketry_transport::{
    Endpoint, Error, ErrorKind, Half, Listener, Result, SocketOptions, Transport,
};

use super::Subject;
use super::verdict::{Failure, Verdict, ensure, same};

/// The limit of "at once": far more than it takes, and far less than any timeout.
const AT_ONCE: Duration = Duration::from_secs(5);

/// An error unless connecting to `to`, where nothing listens, fails soon and names the endpoint.
pub(crate) async fn fails_at_once<T: Transport>(subject: &Subject<T>, to: &Endpoint) -> Verdict {
    let begun = Instant::now();
    let error = refusal(subject, to).await?;
    let took = begun.elapsed();
    ensure(
        took < AT_ONCE,
        format_args!("it took {took:?} to be refused: {error}"),
    )?;
    let kinds = [ErrorKind::Refused, ErrorKind::NotFound, ErrorKind::Closed];
    ensure(
        kinds.contains(&error.kind()),
        format_args!(
            "{:?} ({error}) does not say that nobody listens",
            error.kind()
        ),
    )?;
    let place = to.clone().without_query().redacted().to_string();
    ensure(
        error.to_string().contains(&place),
        format_args!("the error does not name {place}: {error}"),
    )
}

/// The error of a connect that must fail.
async fn refusal<T: Transport>(subject: &Subject<T>, to: &Endpoint) -> Verdict<Error> {
    let connecting = async { Ok::<_, Failure>(subject.connect(to).await) };
    let connected = subject.within("connecting to nobody", connecting).await?;
    refused(connected, to)
}

fn refused<S>(made: Result<S>, at: &Endpoint) -> Verdict<Error> {
    made.err()
        .ok_or_else(|| Failure::new(format_args!("{at} was not refused")))
}

pub(crate) async fn connecting_without_a_listener_fails_at_once<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    if let Some(nobody) = subject.declared_without_listener() {
        return fails_at_once(&subject, nobody).await;
    }
    let (_client, _server, listener) = subject.pair().await?;
    let at = listener.local().clone();
    drop(listener);
    fails_at_once(&subject, &at).await
}

pub(crate) async fn a_connect_timeout_fires<T: Transport>(subject: Subject<T>) -> Verdict {
    /// More than a backlog of one holds.
    const MANY: usize = 100;
    let has = |key: &str| subject.keys().contains(key);
    if !(has("connect_timeout") && has("backlog")) {
        return Ok(());
    }
    // Nothing accepts, and soon the backlog is full.
    let at = subject.at.clone().with("backlog", 1);
    let listener = subject.listen_at(&at).await?;
    let to = listener.local().clone().with("connect_timeout", "100ms");
    let mut waiting = Vec::new();
    while waiting.len() < MANY {
        let begun = Instant::now();
        let connecting = async { Ok::<_, Failure>(subject.connect(&to).await) };
        match subject
            .within("connecting to a full backlog", connecting)
            .await?
        {
            Ok(client) => waiting.push(client),
            Err(error) => return in_good_time(&error, begun.elapsed()),
        }
    }
    Err(Failure::new(format_args!(
        "a backlog of 1 took {MANY} clients"
    )))
}

fn in_good_time(error: &Error, took: Duration) -> Verdict {
    ensure(
        [ErrorKind::TimedOut, ErrorKind::Refused].contains(&error.kind()),
        format_args!("{:?} ({error}) is not a timeout", error.kind()),
    )?;
    ensure(
        took < AT_ONCE,
        format_args!("a timeout of 100ms took {took:?}"),
    )
}

pub(crate) async fn an_unknown_option_is_refused_by_name<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    const KEY: &str = "no_such_option";
    let check = |error: &Error| {
        same("why it is refused", error.kind(), ErrorKind::InvalidOption)?;
        let words = error.to_string();
        for key in [KEY].iter().chain(subject.keys().options()) {
            ensure(
                words.contains(key),
                format_args!("'{key}' is not named: {words}"),
            )?;
        }
        Ok(())
    };
    let may_take = subject.keys().takes(KEY);
    let at = subject.at.clone().with(KEY, 1);
    match subject.try_listen(&at).await? {
        Err(error) => check(&error)?,
        Ok(_) => ensure(may_take, format_args!("{at} was not refused"))?,
    }
    let mut listener = subject.listen().await?;
    let to = listener.local().clone().with(KEY, 1);
    if !may_take {
        return check(&refusal(&subject, &to).await?);
    }
    // The key is the URL's, and a client's is for its server.
    subject.meet_at(&to, &mut listener).await?;
    Ok(())
}

pub(crate) async fn options_applied_are_read_back<T: Transport>(subject: Subject<T>) -> Verdict {
    if subject.keys().options().is_empty() {
        return Ok(());
    }
    let read_back = subject
        .read_back()
        .ok_or_else(|| Failure::new("declare how: Subject::reads_back, or an exception"))?;
    let listener = subject.listen().await?;
    let mut to = listener.local().clone();
    for (key, value) in subject.options() {
        to = to.with(key, value);
    }
    let asked = SocketOptions::from_query(&to, subject.keys()).map_err(Failure::new)?;
    let client = subject.within("connecting", subject.connect(&to)).await?;
    let found = read_back(&client).map_err(Failure::new)?;
    let expected = at_least(asked, &found).over(&found);
    same("the options of the socket", &found, &expected)?;
    same("the peer, without options", client.peer(), listener.local())
}

/// A system may give a larger buffer than requested: Linux doubles it.
fn at_least(mut asked: SocketOptions, found: &SocketOptions) -> SocketOptions {
    for (asked, found) in [
        (&mut asked.send_buffer, found.send_buffer),
        (&mut asked.recv_buffer, found.recv_buffer),
    ] {
        if asked.is_some() && found >= *asked {
            *asked = found;
        }
    }
    asked
}
