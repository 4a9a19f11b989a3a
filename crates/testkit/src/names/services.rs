//! Laws of services.

use socketry_transport::{ErrorKind, Resolve, Service};

use super::Subject;
use crate::DEADLINE;
use crate::law::Verdict;

async fn asked(
    resolver: &dyn Resolve,
    name: &str,
) -> Result<socketry_transport::Result<Vec<Service>>, String> {
    let asking = tokio::time::timeout(DEADLINE, resolver.services(name));
    asking
        .await
        .map_err(|_| format!("{name} is not answered within {DEADLINE:?}"))
}

/// Whether `name` has these servers, in any order.
async fn expect(resolver: &dyn Resolve, name: &str, due: &[Service]) -> Verdict {
    let found = asked(resolver, name).await?;
    let mut found = found.map_err(|error| format!("{name}: {error}"))?;
    let mut due = due.to_vec();
    found.sort();
    due.sort();
    match found == due {
        true => Ok(()),
        false => Err(format!("{name} has {found:?} and should have {due:?}")),
    }
}

pub(super) async fn a_service_has_its_servers(subject: Subject) -> Verdict {
    let resolver = subject.resolver();
    if !subject.has_services {
        return match asked(&*resolver, "_none._tcp.example").await? {
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
            other => Err(format!("it does not say that it has none: {other:?}")),
        };
    }
    for (name, due) in subject.services() {
        expect(&*resolver, name, due).await?;
    }
    Ok(())
}

pub(super) async fn a_service_that_is_not_there_is_an_error_that_names_it(
    subject: Subject,
) -> Verdict {
    if !subject.has_services {
        return Ok(());
    }
    let (resolver, name) = (
        subject.resolver(),
        format!("_none._tcp.{}", subject.missing),
    );
    match asked(&*resolver, &name).await? {
        Ok(found) => Err(format!("it has found {found:?}")),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("its kind is {:?}: {error}", error.kind()))
        }
        Err(error) if !error.to_string().contains(&name) => {
            Err(format!("the name is not in its words: {error}"))
        }
        Err(_) => Ok(()),
    }
}

pub(super) async fn a_service_that_is_refused_has_one_server_called_dot(
    subject: Subject,
) -> Verdict {
    let resolver = subject.resolver();
    let refused = subject
        .services()
        .filter(|(_, due)| due.iter().any(|one| one.target == "."));
    for (name, due) in refused {
        if !subject.has_services {
            break;
        }
        expect(&*resolver, name, due).await?;
    }
    Ok(())
}

pub(super) async fn a_service_has_letters_without_case_and_perhaps_a_dot(
    subject: Subject,
) -> Verdict {
    let resolver = subject.resolver();
    for (name, due) in subject.services().filter(|_| subject.has_services) {
        expect(&*resolver, &name.to_ascii_uppercase(), due).await?;
        expect(&*resolver, &format!("{name}."), due).await?;
    }
    Ok(())
}
