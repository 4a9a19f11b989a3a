//! The common part of all suites of laws: a law, its check against a subject, and its violation.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a law may take before it counts as hanging: more than the sum of all deadlines inside
/// one.
const PATIENCE: Duration = Duration::from_secs(60);

/// The result of a law: nothing, or in words what is wrong.
pub(crate) type Verdict = Result<(), String>;

/// A law, and its check for subjects of type `S`.
pub struct Law<S> {
    name: &'static str,
    statement: &'static str,
    check: fn(&S) -> Verdict,
}

/// A law that a subject breaks. It prints as one line: which law, which subject, and what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    law: &'static str,
    statement: &'static str,
    subject: String,
    what: String,
}

impl<S> Law<S> {
    pub(crate) const fn new(
        name: &'static str,
        statement: &'static str,
        check: fn(&S) -> Verdict,
    ) -> Self {
        Law {
            name,
            statement,
            check,
        }
    }

    /// The name of the law and of its test: a sentence with underscores.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The law in one sentence.
    pub fn statement(&self) -> &'static str {
        self.statement
    }
}

impl<S: Clone + fmt::Display + Send + 'static> Law<S> {
    /// Checks `subject` by this law, in a thread of its own. If it hangs or panics, it breaks the
    /// law, and the caller goes on.
    ///
    /// # Errors
    /// If the subject does not keep the law.
    pub fn check(&self, subject: &S) -> Result<(), Violation> {
        let (verdict, tried) = mpsc::channel();
        let (check, own) = (self.check, subject.clone());
        thread::spawn(move || {
            let checked = catch_unwind(AssertUnwindSafe(|| check(&own)));
            // If the law took too long, the receiver is gone.
            let _ = verdict.send(checked.unwrap_or_else(|panic| Err(words_of(&*panic))));
        });
        let hangs = |_| Err(format!("it hangs: no verdict within {PATIENCE:?}"));
        tried
            .recv_timeout(PATIENCE)
            .unwrap_or_else(hangs)
            .map_err(|what| Violation {
                law: self.name,
                statement: self.statement,
                subject: subject.to_string(),
                what,
            })
    }

    /// The same, for a test.
    ///
    /// # Panics
    /// If the subject does not keep the law.
    pub fn run(&self, subject: &S) {
        if let Err(violation) = self.check(subject) {
            panic!("{violation}");
        }
    }
}

impl<S> Clone for Law<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Law<S> {}

impl<S> fmt::Debug for Law<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Law({}: {})", self.name, self.statement)
    }
}

impl Violation {
    /// The name of the law.
    pub fn law(&self) -> &'static str {
        self.law
    }

    /// The event, in words.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation {
            law,
            statement,
            subject,
            what,
        } = self;
        write!(f, "{subject} breaks {law} ({statement}): {what}")
    }
}

impl std::error::Error for Violation {}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("it panics: {}", words.unwrap_or("without a word"))
}

/// Runs an async law on a runtime of its own in this thread.
pub(crate) fn block_on(law: impl Future<Output = Verdict>) -> Verdict {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?
        .block_on(law)
}

/// A module with one test for each law of a list. The macros of all suites use it.
#[doc(hidden)]
#[macro_export]
macro_rules! __law_tests {
    (
        ($module:ident, $suite:ident, $subject:expr)
        $($idea:ident :: $law:ident $statement:literal,)*
    ) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;

            $(
                #[doc = $statement]
                #[test]
                fn $law() {
                    $crate::$suite::law(stringify!($law)).run(&$subject);
                }
            )*
        }
    };
}
