//! What a client is granted: the directory that it sees, and what it may do there.

use super::quota::{Quota, Stored};
use super::root::Root;
use super::rules::{Right, Rule, Rules};
use crate::AppError;
use crate::rules::{self, ANONYMOUS};

/// What the clients of a server are granted.
#[derive(Clone)]
pub(super) struct Grants {
    root: Root,
    /// What stands for each name; if there are no rules, all may do everything.
    rules: Option<rules::Rules<(Root, Rule)>>,
    stored: Stored,
    /// Whether a file is on disk before it is reported as stored.
    sync: bool,
}

/// What one client is granted.
#[derive(Clone)]
pub(super) struct Grant {
    client: String,
    /// Nothing is granted without a directory.
    root: Option<Root>,
    /// Everything may be done if there is no rule.
    rule: Option<Rule>,
    quota: Option<Quota>,
}

impl Grants {
    /// Everything below `root`, to all.
    pub(super) fn all(root: Root) -> Self {
        Grants {
            root,
            rules: None,
            stored: Stored::default(),
            sync: true,
        }
    }

    pub(super) fn syncing(self, sync: bool) -> Self {
        Grants { sync, ..self }
    }

    /// To each what stands for its name.
    ///
    /// # Errors
    /// If a folder is no directory below the root.
    pub(super) fn ruled(self, rules: &Rules) -> Result<Self, AppError> {
        let opened = rules.0.try_map(|name, rule| {
            let within = match &rule.folder {
                None => Ok(self.root.clone()),
                Some(folder) => self.root.within(folder).map_err(|error| {
                    AppError::usage(format_args!("the rules for [{name}]: {error}"))
                }),
            };
            Ok::<_, AppError>((within?, rule.clone()))
        });
        let rules = Some(opened?);
        Ok(Grants { rules, ..self })
    }

    /// What the client of this name is granted.
    pub(super) fn of(&self, name: Option<&str>) -> Grant {
        let client = name.unwrap_or(ANONYMOUS);
        let (root, rule) = match &self.rules {
            None => (Some(&self.root), None),
            Some(rules) => match rules.of(name) {
                Some((root, rule)) => (Some(root), Some(rule)),
                None => (None, None),
            },
        };
        let quota = rule.and_then(|rule| rule.quota);
        Grant {
            client: client.to_owned(),
            root: root.map(|root| root.clone().syncing(self.sync)),
            rule: rule.cloned(),
            quota: quota.map(|most| Quota::new(client, most, self.stored.clone())),
        }
    }
}

impl Grant {
    /// The directory, for a client that may do one of these things there.
    ///
    /// # Errors
    /// In words for the client, if it may do none of them.
    pub(super) fn root_for(&self, rights: &[Right]) -> Result<&Root, AppError> {
        let rule = self.rule.as_ref();
        let is_granted =
            rule.is_none_or(|rule| rights.iter().any(|right| rule.may.contains(right)));
        match &self.root {
            Some(root) if is_granted => Ok(root),
            _ => {
                tracing::warn!("refused: the rules do not let '{}' do that", self.client);
                Err(AppError::failed(format_args!(
                    "the rules of this server do not let '{}' do that",
                    self.client
                )))
            }
        }
    }

    /// How much the client may store, if that is bounded.
    pub(super) fn quota(&self) -> Option<&Quota> {
        self.quota.as_ref()
    }
}
