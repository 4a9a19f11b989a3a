//! The trees that a client is going to send.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::choice::Choice;
use super::item::{Item, TOP};
use super::load::Branch;
use super::survey::{Failure, Survey};
use super::walk::{Planned, described, walk};
use crate::AppError;
use crate::file::escape::name_to_text;
use crate::file::{name, sweep};

/// Files and directories of this machine, found and not sent yet.
pub struct LocalTree {
    pub(super) branches: Vec<Branch>,
    survey: Survey,
    pub(super) preserve: bool,
}

impl LocalTree {
    /// Finds the files and directories at `paths`, with all that `choice` takes of them. Each
    /// arrives under its last component; a path without one, as `.`, stands for all that is in it.
    /// A link among the paths themselves is followed.
    ///
    /// What cannot be sent is in [`refused`](Survey::refused) and stops nothing.
    ///
    /// # Errors
    /// If there are more than [`MAX_ENTRIES`](crate::file::MAX_ENTRIES) entries.
    pub async fn find(paths: &[PathBuf], choice: &Choice) -> Result<Self, AppError> {
        let named = paths.iter().map(|path| (path.clone(), None)).collect();
        Self::found(named, choice.clone()).await
    }

    /// Finds the file or directory at `path`, which arrives as `name`, one component.
    ///
    /// # Errors
    /// As [`find`](LocalTree::find), and if no file can have that name.
    pub async fn find_as(path: &Path, name: &str, choice: &Choice) -> Result<Self, AppError> {
        let name = name::last(name)?.to_owned();
        Self::found(vec![(path.to_owned(), Some(name))], choice.clone()).await
    }

    async fn found(
        paths: Vec<(PathBuf, Option<String>)>,
        choice: Choice,
    ) -> Result<Self, AppError> {
        let finding = tokio::task::spawn_blocking(move || {
            let mut tree = LocalTree {
                branches: Vec::new(),
                survey: Survey::default(),
                preserve: choice.preserve,
            };
            for (path, name) in paths {
                tree.add(&path, name, &choice)?;
            }
            Ok(tree)
        });
        finding.await.map_err(AppError::failed)?
    }

    /// What is going to be sent.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Takes what was refused, so that it is told only once.
    pub(super) fn refused(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.survey.refused)
    }

    fn add(&mut self, path: &Path, name: Option<String>, choice: &Choice) -> Result<(), AppError> {
        let name = name.or_else(|| path.file_name().map(name_to_text));
        match branch(path, name.as_deref().unwrap_or_default(), choice)? {
            Ok(mut branch) => {
                branch
                    .planned
                    .retain(|planned| self.survey.count(&planned.item));
                self.branches.push(branch);
            }
            Err(error) => {
                let shown = name_to_text(path.as_os_str());
                self.survey.refused.push(Failure::new(shown, error));
            }
        }
        Ok(())
    }
}

/// What is at `path`, to arrive as `name`, or in the place itself if that is empty.
fn branch(path: &Path, name: &str, choice: &Choice) -> Result<std::io::Result<Branch>, AppError> {
    let opened = path.canonicalize().and_then(|real| {
        let is_dir = real.metadata()?.is_dir();
        let top = match is_dir {
            true => real.as_path(),
            false => real.parent().unwrap_or(Path::new("/")),
        };
        let base = Arc::new(Dir::open_ambient_dir(top, ambient_authority())?);
        Ok((real, base, is_dir))
    });
    let (real, base, is_dir) = match opened {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(error)),
    };
    sweep::once(&base);
    let planned = match is_dir {
        true => walk(&base, &[real], choice)?,
        false => match file(&base, &real) {
            Ok(planned) => vec![planned],
            Err(error) => return Ok(Err(error)),
        },
    };
    let named = planned
        .into_iter()
        .filter_map(|planned| below(name, planned));
    Ok(Ok(Branch {
        planned: named.collect::<VecDeque<_>>(),
        base,
    }))
}

fn file(base: &Dir, real: &Path) -> std::io::Result<Planned> {
    let local = PathBuf::from(real.file_name().unwrap_or_default());
    let found = base.symlink_metadata(&local)?;
    let item = described(&found, TOP.to_owned());
    match found.is_file() {
        true => Ok(Planned { local, item }),
        false => Err(std::io::Error::other(
            "it is neither a file nor a directory",
        )),
    }
}

/// An entry of the tree that arrives as `name`. The top of a tree without a name is not sent.
fn below(name: &str, planned: Planned) -> Option<Planned> {
    let named = match (name, planned.item.name()) {
        ("", TOP) => return None,
        ("", _) => return Some(planned),
        (name, TOP) => name.to_owned(),
        (name, below) => format!("{name}/{below}"),
    };
    let item = Item {
        name: Some(named),
        ..planned.item
    };
    Some(Planned { item, ..planned })
}
