//! Which entries of a tree are transferred, and what of them.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use crate::AppError;

/// What becomes of symbolic links in a tree. A link that the user names is always followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Links {
    /// They are left out.
    Skip,
    /// A link arrives as a link. One that could lead out of the tree is refused by its name: its
    /// target is absolute, has more `..` than directories above the link, or a `..` behind a name.
    #[default]
    Copy,
    /// What a link leads to arrives in its place. A link that leads out of the tree, or to a
    /// directory that it is in, is refused by its name.
    Follow,
}

/// What of a tree is transferred. By default all of it.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    pub(super) links: Links,
    pub(super) preserve: bool,
    include: Option<Globs>,
    exclude: Option<Globs>,
}

impl Choice {
    /// What becomes of symbolic links. The default is [`Links::Copy`].
    #[must_use]
    pub fn links(self, links: Links) -> Self {
        Choice { links, ..self }
    }

    /// Whether modes are kept exactly, and the times of directories. The default is false: files
    /// keep their time, and modes are limited by the umask of the receiving process.
    #[must_use]
    pub fn preserve(self, preserve: bool) -> Self {
        Choice { preserve, ..self }
    }

    /// Only what matches one of these globs, and all that is in a directory that does.
    ///
    /// A glob without `/` is for a name in any directory. A glob with `/` is for the whole path
    /// below the top of the tree, with or without a `/` in front. With a `/` at its end it matches
    /// only directories. `*` and `?` match no `/`, and `**` does; `[ab]` is one of these
    /// characters, `{a,b}` one of these texts, and `\` makes the next character a plain one.
    ///
    /// # Errors
    /// A usage error that names a glob that is none.
    pub fn including(self, globs: &[String]) -> Result<Self, AppError> {
        let include = Globs::new(globs)?;
        Ok(Choice { include, ..self })
    }

    /// Nothing that matches one of these globs, and nothing that is in a directory that does. This
    /// wins over [`including`](Choice::including).
    ///
    /// # Errors
    /// As [`including`](Choice::including).
    pub fn excluding(self, globs: &[String]) -> Result<Self, AppError> {
        let exclude = Globs::new(globs)?;
        Ok(Choice { exclude, ..self })
    }

    /// Whether the entry at `path` is excluded by itself. The caller does not look into a directory
    /// that is.
    pub(super) fn excludes(&self, path: &Path, is_dir: bool) -> bool {
        let exclude = self.exclude.as_ref();
        exclude.is_some_and(|globs| globs.match_one(path, is_dir))
    }

    /// Whether the entry at `path`, or a directory that it is in, is included and none is excluded.
    pub(super) fn takes(&self, path: &Path, is_dir: bool) -> bool {
        let any = |globs: &Globs| {
            let mut above = path.ancestors().skip(1);
            globs.match_one(path, is_dir) || above.any(|dir| globs.match_one(dir, true))
        };
        !self.exclude.as_ref().is_some_and(any) && self.include.as_ref().is_none_or(any)
    }

    /// Whether something in the directory at `path` may be taken.
    pub(super) fn may_hold(&self, path: &Path) -> bool {
        !path.ancestors().any(|dir| self.excludes(dir, true))
    }

    /// Whether directories are transferred only for what is in them.
    pub(super) fn picks(&self) -> bool {
        self.include.is_some()
    }
}

#[derive(Clone, Debug)]
struct Globs {
    all: GlobSet,
    dirs: GlobSet,
}

impl Globs {
    fn new(globs: &[String]) -> Result<Option<Self>, AppError> {
        if globs.is_empty() {
            return Ok(None);
        }
        let (mut all, mut dirs) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for glob in globs {
            let (set, plain) = match glob.strip_suffix('/') {
                Some(plain) => (&mut dirs, plain),
                None => (&mut all, glob.as_str()),
            };
            let whole = match plain.strip_prefix('/') {
                Some(whole) => whole.to_owned(),
                None if plain.contains('/') => plain.to_owned(),
                None => format!("**/{plain}"),
            };
            let built = GlobBuilder::new(&whole).literal_separator(true).build();
            set.add(built.map_err(|error| AppError::usage(format_args!("'{glob}': {error}")))?);
        }
        let built = |set: GlobSetBuilder| set.build().map_err(AppError::usage);
        Ok(Some(Globs {
            all: built(all)?,
            dirs: built(dirs)?,
        }))
    }

    fn match_one(&self, path: &Path, is_dir: bool) -> bool {
        !path.as_os_str().is_empty()
            && (self.all.is_match(path) || is_dir && self.dirs.is_match(path))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn takes(include: &[&str], exclude: &[&str], path: &str) -> bool {
        let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.into()).collect::<Vec<_>>();
        let choice = Choice::default().including(&owned(include)).unwrap();
        let choice = choice.excluding(&owned(exclude)).unwrap();
        choice.takes(Path::new(path.trim_end_matches('/')), path.ends_with('/'))
    }

    #[test]
    fn globs_match_as_they_say() {
        for (include, exclude, path, taken) in [
            (&[][..], &[][..], "a/b", true),
            (&["*.rs"], &[], "a/b.rs", true),
            (&["*.rs"], &[], "a/b.txt", false),
            (&["a/*.rs"], &[], "a/b.rs", true),
            (&["a/*.rs"], &[], "a/c/b.rs", false),
            (&["a/**/*.rs"], &[], "a/c/b.rs", true),
            (&["/b.rs"], &[], "a/b.rs", false),
            (&["docs/"], &[], "docs/a/b", true),
            (&["docs/"], &[], "docs", false),
            (&[], &["target/"], "a/target/x", false),
            (&[], &["target/"], "a/target", true),
            (&["*.rs"], &["gen*"], "gen/a.rs", false),
            (&[], &["{a,b}.[ch]"], "x/a.h", false),
            (&[], &[r"\*"], "ab", true),
        ] {
            assert_eq!(
                takes(include, exclude, path),
                taken,
                "{include:?} {exclude:?} {path}"
            );
        }
        assert!(
            Choice::default()
                .including(&["[".to_owned()])
                .unwrap_err()
                .is_usage()
        );
    }

    #[test]
    fn globs_match_names_that_are_no_text() {
        let choice = Choice::default().excluding(&["*.bin".to_owned()]).unwrap();
        assert!(!choice.takes(Path::new(OsStr::from_bytes(b"\xff/\xe9.bin")), false));
    }
}
