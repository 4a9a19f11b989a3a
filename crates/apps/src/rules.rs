//! A file of rules: what each client may do, in a table for each name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use socketry_auth::private_text;

use crate::AppError;

/// The name of clients that have proved nothing. No client can prove it.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// The name of all clients that have no table of their own, anonymous ones included.
const OTHERS: &str = "*";

/// A rule for each name, from a file in TOML.
#[derive(Clone)]
pub(crate) struct Rules<T>(Arc<BTreeMap<String, T>>);

impl<T> Rules<T> {
    /// The rule for the client of this name; `None` if it may do nothing.
    pub(crate) fn of(&self, name: Option<&str>) -> Option<&T> {
        let own = self.0.get(name.unwrap_or(ANONYMOUS));
        own.or_else(|| self.0.get(OTHERS))
    }

    /// The same names with other rules.
    pub(crate) fn try_map<U, E>(
        &self,
        map: impl Fn(&str, &T) -> Result<U, E>,
    ) -> Result<Rules<U>, E> {
        let rules = self.0.iter();
        let rules = rules.map(|(name, rule)| Ok((name.clone(), map(name, rule)?)));
        Ok(Rules(Arc::new(rules.collect::<Result<_, E>>()?)))
    }
}

impl<T: DeserializeOwned> Rules<T> {
    /// The rules in a file, which no other user may read or change, and which `check` finds to be
    /// right.
    ///
    /// # Errors
    /// If the file cannot be read, others may read or change it, or it holds something else.
    pub(crate) fn from_file(
        path: &Path,
        check: impl Fn(&T) -> Result<(), String>,
    ) -> Result<Self, AppError> {
        let text = private_text(path)?;
        Rules::parse(&text, check)
            .map_err(|words| AppError::usage(format_args!("{}: {words}", path.display())))
    }

    pub(crate) fn parse(
        text: &str,
        check: impl Fn(&T) -> Result<(), String>,
    ) -> Result<Self, String> {
        let rules: BTreeMap<String, T> =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        for (name, rule) in &rules {
            check(rule).map_err(|words| format!("[{name}]: {words}"))?;
        }
        Ok(Rules(Arc::new(rules)))
    }
}

/// The names.
impl<T> fmt::Debug for Rules<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_ones_own_is_all_that_counts() {
        let text = "ann = 1\nanonymous = 2\n'*' = 3";
        let rules: Rules<u8> = Rules::parse(text, |_| Ok(())).unwrap();
        assert_eq!(rules.of(Some("ann")), Some(&1));
        assert_eq!(rules.of(None), Some(&2));
        assert_eq!(rules.of(Some("ben")), Some(&3));
        let rules: Rules<u8> = Rules::parse("'*' = 3", |_| Ok(())).unwrap();
        assert_eq!(rules.of(None), Some(&3));
        let rules: Rules<u8> = Rules::parse("ann = 1", |_| Ok(())).unwrap();
        assert_eq!((rules.of(None), rules.of(Some("Ann"))), (None, None));
    }

    #[test]
    fn a_rule_that_is_wrong_is_named() {
        let wrong = Rules::<u8>::parse("ann = 1\nben = 2", |rule| match rule {
            2 => Err("too many".to_owned()),
            _ => Ok(()),
        });
        assert_eq!(wrong.unwrap_err(), "[ben]: too many");
    }
}
