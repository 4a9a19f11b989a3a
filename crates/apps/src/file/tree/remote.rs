//! The trees that a client is going to fetch.

use std::path::Path;

use super::choice::{Choice, Links};
use super::item::{Item, TOP, path};
use super::put::{is_unknown, no_trees};
use super::request::Request;
use super::survey::{Failure, Survey};
use super::walk::{Planned, without_empty};
use crate::AppError;
use crate::file::client::{needed, read_lines};
use crate::file::host::Host;
use crate::file::listing::Kind;
use crate::file::wire::Wire;
use crate::file::{MAX_ENTRIES, name};

/// A file or directory of the server, listed and not fetched yet.
pub struct RemoteTree {
    /// The directory at the server that all names are below.
    pub(super) base: String,
    /// The last component of the path that was asked for; none for the root.
    pub(super) name: Option<String>,
    /// If it is a single file: its name below `base`.
    pub(super) single: Option<String>,
    pub(super) planned: Vec<Planned>,
    pub(super) links: Links,
    pub(super) preserve: bool,
    survey: Survey,
}

impl RemoteTree {
    /// What is going to be fetched.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// The name that it has at the server: the last component of its path. The root has none.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it is one file, and no directory.
    pub fn is_file(&self) -> bool {
        self.single.is_some()
    }

    pub(super) fn refused(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.survey.refused)
    }
}

/// Asks the server what is at `wanted`.
pub(in crate::file) async fn find(
    host: &Host,
    kept: &mut Option<Wire>,
    wanted: &str,
    choice: &Choice,
) -> Result<RemoteTree, AppError> {
    let request = Request::Walk {
        path: wanted.to_owned(),
        links: choice.links,
    };
    let request = serde_json::to_value(request.written()).map_err(AppError::failed)?;
    let asked = host.ask(kept, &request).await;
    let (mut wire, answer) = asked.map_err(|error| match is_unknown(&error.to_string()) {
        true => no_trees(&error.to_string()),
        false => error,
    })?;
    let lines = read_lines(&mut wire, needed("size", answer.size)?).await?;
    *kept = Some(wire);
    let found = tokio::task::spawn_blocking({
        let (wanted, choice) = (name::join("/", wanted), choice.clone());
        move || tree(&wanted, &lines, &choice)
    });
    found.await.map_err(AppError::failed)?
}

/// The tree at the absolute path `wanted`, of which the server has told these lines.
fn tree(wanted: &str, lines: &[u8], choice: &Choice) -> Result<RemoteTree, AppError> {
    let items = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let items = items.take(MAX_ENTRIES + 1).map(|line| {
        serde_json::from_slice(line).map_err(|error| {
            AppError::failed(format_args!(
                "the list of the tree cannot be understood: {error}"
            ))
        })
    });
    let items = items.collect::<Result<Vec<Item>, AppError>>()?;
    if items.len() > MAX_ENTRIES {
        return Err(AppError::failed(format_args!(
            "the tree has more than {MAX_ENTRIES} entries"
        )));
    }
    let (parent, last) = name::parent(wanted);
    let single = match items.as_slice() {
        [item] if item.name() == TOP && item.is(Kind::File) => Some(last.to_owned()),
        _ => None,
    };
    let mut survey = Survey::default();
    let mut planned = Vec::with_capacity(items.len());
    for item in items {
        let item = match &single {
            Some(name) => Item {
                name: Some(name.clone()),
                ..item
            },
            None => item,
        };
        match path(item.name()) {
            Ok(local) if single.is_some() || is_taken(choice, &local, &item) => {
                planned.push(Planned { local, item });
            }
            Ok(_) => {}
            Err(error) => survey.refused.push(Failure::new(item.name(), error)),
        }
    }
    if choice.picks() && single.is_none() {
        planned = without_empty(planned);
    }
    planned.retain(|planned| survey.count(&planned.item));
    Ok(RemoteTree {
        base: if single.is_some() { parent } else { wanted }.to_owned(),
        name: (!last.is_empty()).then(|| last.to_owned()),
        single,
        planned,
        links: choice.links,
        preserve: choice.preserve,
        survey,
    })
}

fn is_taken(choice: &Choice, path: &Path, item: &Item) -> bool {
    let is_dir = item.is(Kind::Dir);
    item.name() == TOP
        || choice.takes(path, is_dir)
        || (is_dir && choice.picks() && choice.may_hold(path))
}

/// The place of a tree that is stored as `dest`: the directory that is opened, and its path.
pub(super) fn parent_of(dest: &Path) -> &Path {
    match dest.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
