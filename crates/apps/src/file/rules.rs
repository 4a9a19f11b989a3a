//! What each client may do with files: by its identity.

use std::path::Path;

use serde::Deserialize;
use socketry_transport::units;

use crate::{AppError, rules};

/// What clients may do with the files of a server, by the names of their identities: from a file in
/// TOML.
///
/// ```toml
/// # all that there is to do, in one folder, which it sees as the root
/// [ann]
/// may = ["list", "read", "write"]
/// folder = "people/ann"
/// quota = "10GiB"
///
/// # clients that have proved nothing, where the server lets them in
/// [anonymous]
/// may = ["read"]
///
/// # all that have no table of their own
/// ["*"]
/// may = ["list", "read"]
/// ```
///
/// A client that has no table may do nothing.
///
/// * `list` is to list directories, and `read` to fetch files. Each of them is also to ask for the
///   attributes of a file. `write` is to store files, and to replace those that are there. Over
///   `raw` [`Client`](super::Client) lists a directory before it fetches from it, and needs both.
/// * `folder` is a directory below the root, which exists when the server starts. The client sees
///   nothing outside of it: no name and no link leads out.
/// * `quota` is how many bytes a client may store while this server runs, as `4096` or `"10GiB"`.
///   Each client has its own, also of a table that stands for several; anonymous clients have one
///   together. A file that replaces another counts whole, and one that is not kept does not count.
///   The next start counts from nothing, and what lies in the folder does not count.
#[derive(Clone, Debug)]
pub struct Rules(pub(super) rules::Rules<Rule>);

/// What one identity may do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) may: Vec<Right>,
    #[serde(default)]
    pub(super) folder: Option<String>,
    #[serde(default, with = "units::bytes")]
    pub(super) quota: Option<usize>,
}

/// Something that a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Right {
    List,
    Read,
    Write,
}

impl Rules {
    /// The rules in a file, which no other user may read or change.
    ///
    /// # Errors
    /// If the file cannot be read, others may read or change it, or it holds something else.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, AppError> {
        Ok(Rules(rules::Rules::from_file(path.as_ref(), Rule::check)?))
    }
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        match self.quota.is_some() && !self.may.contains(&Right::Write) {
            true => Err("a quota is for a client that may write".to_owned()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_are_not_understood_are_none() {
        let parse = |text| rules::Rules::parse(text, Rule::check).map(Rules);
        for text in [
            "[ann]\nmay = []",
            "[ann]\nmay = ['list', 'read', 'write']\nfolder = 'a/b'\nquota = '10GiB'",
            "['*']\nmay = ['write']\nquota = 1000",
        ] {
            parse(text).unwrap();
        }
        for text in [
            "[ann]",
            "[ann]\nmay = 'read'",
            "[ann]\nmay = ['delete']",
            "[ann]\nmay = ['read']\nquota = 1000",
            "[ann]\nmay = ['write']\nquota = -1",
            "[ann]\nmay = ['write']\nquota = 'much'",
            "[ann]\nmay = ['read']\nfolders = 'a'",
            "ann = 1",
        ] {
            let words = parse(text).unwrap_err();
            assert!(!words.is_empty(), "{text}");
        }
    }
}
