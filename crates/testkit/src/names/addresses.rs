//! Laws of the addresses of hosts.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Waker};

use socketry_transport::{ErrorKind, Resolve};
use tokio::task::JoinSet;

use super::Subject;
use crate::DEADLINE;
use crate::law::Verdict;

/// How many ask at once.
const MANY: usize = 50;

/// Texts that are no names of hosts.
const NO_NAMES: [&str; 14] = [
    "",
    ".",
    "..",
    "a..example",
    ".example",
    " ",
    "a b.example",
    "a\0b.example",
    "a\nb.example",
    "[::1]",
    "127.0.0.1:80",
    "a/b.example",
    "%",
    "\u{202e}.invalid",
];

pub(super) async fn a_host_has_its_addresses(subject: Subject) -> Verdict {
    let resolver = subject.resolver();
    for (host, due) in subject.hosts() {
        expect(&*resolver, host, due).await?;
        // Once more: it may keep what it has heard.
        expect(&*resolver, host, due).await?;
    }
    Ok(())
}

/// Whether `host` has these addresses, in any order.
async fn expect(resolver: &dyn Resolve, host: &str, due: &[IpAddr]) -> Verdict {
    let found = asked(resolver, host).await?;
    let mut found = found.map_err(|error| format!("{host}: {error}"))?;
    let mut due = due.to_vec();
    found.sort_unstable();
    due.sort_unstable();
    match found == due {
        true => Ok(()),
        false => Err(format!("{host} is {found:?} and should be {due:?}")),
    }
}

/// The answer, which must come.
async fn asked(
    resolver: &dyn Resolve,
    host: &str,
) -> Result<socketry_transport::Result<Vec<IpAddr>>, String> {
    let asking = tokio::time::timeout(DEADLINE, resolver.addresses(host));
    asking
        .await
        .map_err(|_| format!("{host:?} is not answered within {DEADLINE:?}"))
}

pub(super) async fn an_address_is_itself(subject: Subject) -> Verdict {
    let resolver = subject.resolver();
    for text in ["127.0.0.1", "192.0.2.7", "::1", "2001:db8::7"] {
        let due: IpAddr = text.parse().map_err(|_| text.to_owned())?;
        expect(&*resolver, text, &[due]).await?;
    }
    Ok(())
}

pub(super) async fn letters_have_no_case(subject: Subject) -> Verdict {
    let resolver = subject.resolver();
    for (host, due) in subject.hosts() {
        expect(&*resolver, &host.to_ascii_uppercase(), due).await?;
    }
    Ok(())
}

pub(super) async fn a_dot_at_the_end_makes_no_other_host(subject: Subject) -> Verdict {
    if !subject.has_absolute {
        return Ok(());
    }
    let resolver = subject.resolver();
    for (host, due) in subject.hosts() {
        expect(&*resolver, &format!("{host}."), due).await?;
    }
    Ok(())
}

pub(super) async fn a_host_that_is_not_there_is_an_error_that_names_it(
    subject: Subject,
) -> Verdict {
    let resolver = subject.resolver();
    match asked(&*resolver, &subject.missing).await? {
        Ok(found) => Err(format!("it has found {found:?}")),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("its kind is {:?}: {error}", error.kind()))
        }
        Err(error) if !error.to_string().contains(&subject.missing) => {
            Err(format!("the name is not in its words: {error}"))
        }
        Err(_) => Ok(()),
    }
}

pub(super) async fn no_text_is_an_empty_answer(subject: Subject) -> Verdict {
    let resolver = subject.resolver();
    let (long_label, long_name) = ("a".repeat(64), "a.".repeat(200));
    let long = [long_label, long_name + "invalid"];
    let texts = NO_NAMES.into_iter().map(str::to_owned).chain(long);
    let mut asking = JoinSet::new();
    for text in texts {
        let resolver = Arc::clone(&resolver);
        asking.spawn(async move { (asked(&*resolver, &text).await, text) });
    }
    while let Some(answer) = asking.join_next().await {
        let (answer, text) = answer.map_err(|panic| format!("it panics: {panic}"))?;
        if let Ok(found) = answer? {
            return Err(format!("{text:?} is {found:?}"));
        }
    }
    Ok(())
}

pub(super) async fn many_ask_at_once(subject: Subject) -> Verdict {
    let resolver = subject.resolver();
    let mut asking = JoinSet::new();
    for _ in 0..MANY {
        for (host, due) in subject.hosts() {
            let (resolver, host, due) = (Arc::clone(&resolver), host.clone(), due.clone());
            asking.spawn(async move { expect(&*resolver, &host, &due).await });
        }
    }
    while let Some(verdict) = asking.join_next().await {
        verdict.map_err(|panic| format!("it panics: {panic}"))??;
    }
    Ok(())
}

pub(super) async fn a_question_that_is_dropped_spoils_none(subject: Subject) -> Verdict {
    let resolver = subject.resolver();
    for (host, due) in subject.hosts() {
        for _ in 0..MANY {
            let mut question = resolver.addresses(host);
            // Begun, and not waited for.
            let _ = question
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            drop(question);
            tokio::task::yield_now().await;
        }
        expect(&*resolver, host, due).await?;
    }
    Ok(())
}
