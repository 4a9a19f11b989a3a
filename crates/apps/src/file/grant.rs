//! What a client is granted: the directory that it sees, and what it may do there.

use std::time::Duration;

use socketry_transport::Info;

use super::IDLE;
use super::limits::{Allowance, Limits, Pace, Paces, Space};
use super::quota::{Quota, Stored};
use super::root::Root;
use super::rules::{Right, Rule, Rules};
use crate::rules::{self, ANONYMOUS};
use crate::{AppError, access};

/// What the clients of a server are granted.
#[derive(Clone)]
pub(super) struct Grants {
    root: Root,
    /// What stands for each name; if there are no rules, all may do everything.
    rules: Option<rules::Rules<(Root, Rule)>>,
    stored: Stored,
    limits: Limits,
    paces: Paces,
    /// Whether a file is on disk before it is reported as stored.
    sync: bool,
}

/// What one client is granted.
pub(super) struct Grant {
    client: String,
    /// Nothing is granted without a directory.
    root: Option<Root>,
    /// Everything may be done if there is no rule.
    rule: Option<Rule>,
    quota: Option<Quota>,
    limits: Limits,
    pace: Pace,
}

impl Grants {
    /// Everything below `root`, to all.
    pub(super) fn all(root: Root) -> Self {
        Grants {
            root,
            rules: None,
            stored: Stored::default(),
            limits: Limits::default(),
            paces: Paces::default(),
            sync: true,
        }
    }

    pub(super) fn limited(self, limits: Limits) -> Self {
        let paces = Paces::new(&limits);
        Grants {
            limits,
            paces,
            ..self
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

    /// What a client is granted, by the name that it has proved.
    pub(super) fn of(&self, info: &Info) -> Grant {
        let name = access::proved_name(info);
        let name = name.as_deref();
        let client = name.unwrap_or(ANONYMOUS);
        let (root, rule) = match &self.rules {
            None => (Some(&self.root), None),
            Some(rules) => match rules.of(name) {
                Some((root, rule)) => (Some(root), Some(rule)),
                None => (None, None),
            },
        };
        let quota = match rule.and_then(|rule| rule.quota) {
            Some(most) => Some((client.to_owned(), most)),
            None => self.limits.quota.map(|most| {
                let counted = access::client(info).unwrap_or_else(|| ANONYMOUS.to_owned());
                (counted, usize::try_from(most).unwrap_or(usize::MAX))
            }),
        };
        let quota = quota.map(|(client, most)| Quota::new(&client, most, self.stored.clone()));
        Grant {
            client: client.to_owned(),
            root: root.map(|root| root.clone().syncing(self.sync)),
            rule: rule.cloned(),
            quota,
            limits: self.limits,
            pace: self.paces.of_one(),
        }
    }
}

impl Grant {
    /// The directory, for a client that may do one of these things there.
    ///
    /// # Errors
    /// In words for the client, if it may do none of them.
    pub(super) fn root_for(&self, rights: &[Right]) -> Result<&Root, AppError> {
        self.limits.lets(rights)?;
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

    /// What a file may take that arrives now, if it has room: of `len` bytes, if that is known.
    pub(super) async fn allowance(&self, len: Option<u64>) -> Result<Allowance, AppError> {
        let len = len.unwrap_or_default();
        self.limits.has_room(len)?;
        if let Some(quota) = &self.quota {
            quota.has_room(len)?;
        }
        let space = match (self.limits.keep_free, &self.root) {
            (Some(keep), Some(root)) => Some(Space::new(root.clone(), keep)),
            _ => None,
        };
        if let Some(space) = &space {
            space.has_room(len).await?;
        }
        let counted = self.quota.clone().map(Quota::count);
        Ok(Allowance::new(self.limits, space, counted))
    }

    /// How fast the client's files go.
    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// How long the client may be silent between two requests.
    pub(super) fn idle(&self) -> Duration {
        self.limits.idle.unwrap_or(IDLE)
    }

    /// How long a request of the client may take, if that is bounded.
    pub(super) fn max_time(&self) -> Option<Duration> {
        self.limits.max_time
    }
}
