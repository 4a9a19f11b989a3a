//! The names that belong to users who have proved them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::message::signatures;
use crate::show::is_unsafe;

/// The names of a server's tokens, and those that users who are here have proved. Nobody else may
/// speak under them. They are compared without regard to case.
#[derive(Debug, Default)]
pub(super) struct Names {
    tokens: HashSet<String>,
    /// How many users are here with each name.
    here: Mutex<HashMap<String, usize>>,
}

impl Names {
    pub(super) fn new<'a>(tokens: impl Iterator<Item = &'a str>) -> Arc<Self> {
        Arc::new(Names {
            tokens: tokens.map(str::to_lowercase).collect(),
            here: Mutex::default(),
        })
    }

    fn here(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // A panic elsewhere leaves the numbers whole.
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a user that is here, with the name that it has proved.
    pub(super) fn enter(self: &Arc<Self>, proved: Option<String>) -> Proved {
        let key = proved.as_deref().map(str::to_lowercase);
        if let Some(key) = &key {
            *self.here().entry(key.clone()).or_default() += 1;
        }
        Proved {
            names: Arc::clone(self),
            name: proved,
            key,
        }
    }
}

/// One user's part: the name that it has proved, if any. Dropping it says that the user has left.
#[derive(Debug)]
pub(super) struct Proved {
    names: Arc<Names>,
    pub(super) name: Option<String>,
    key: Option<String>,
}

impl Proved {
    /// Whether `name` belongs to users that this one is none of, as a reader sees it.
    pub(super) fn is_anothers(&self, name: &str) -> bool {
        let seen: String = name.chars().filter(|one| !is_unsafe(*one)).collect();
        let name = seen.trim().to_lowercase();
        let is_own = self.key.as_ref() == Some(&name);
        !is_own && (self.names.tokens.contains(&name) || self.names.here().contains_key(&name))
    }

    /// Whether a line of `text` is signed with a name that belongs to others.
    pub(super) fn is_forged(&self, text: &str) -> bool {
        signatures(text).any(|name| self.is_anothers(name))
    }
}

impl Drop for Proved {
    fn drop(&mut self) {
        let Some(key) = &self.key else { return };
        let mut here = self.names.here();
        if let Some(count) = here.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                here.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proved_name_belongs_to_those_that_proved_it() {
        let names = Names::new(["ann", "Ben"].into_iter());
        let ann = names.enter(Some("ann".to_owned()));
        let certified = names.enter(Some("host.example".to_owned()));
        let twin = names.enter(Some("host.example".to_owned()));
        let guest = names.enter(None);
        for name in ["a\u{200b}nn", "ann", "ANN", "ben", "host.example", " ann "] {
            assert!(guest.is_anothers(name), "{name}");
            assert!(guest.is_forged(&format!("{name} : hello")), "{name}");
            // Neither an end of a line nor what nobody sees hides a name.
            for before in [
                "hello\n", "hello\r", "\u{b}", "\u{8}", "\u{feff}", "\u{85}", "\u{200b}",
            ] {
                let text = format!("{before}{name} : hello");
                assert!(guest.is_forged(&text), "{text:?}");
            }
        }
        assert!(!ann.is_anothers("Ann") && ann.is_anothers("ben"));
        assert!(!twin.is_anothers("host.example"));
        assert!(!guest.is_anothers("eve") && !guest.is_forged("ann: hello"));
        drop(certified);
        assert!(guest.is_anothers("host.example"));
        drop(twin);
        assert!(!guest.is_anothers("host.example"));
        drop(ann);
        assert!(guest.is_anothers("ann"), "it is a token's");
    }
}
