//! A law as a value: its name, what it says, and how to check it.

use std::any::Any;
use std::fmt;

use socketry_transport::Transport;
use tokio::runtime::Builder;
use tokio::task::JoinError;

use super::verdict::Verdict;
use super::{LAWS, Subject, at_work};

/// One law of stream transports.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    name: &'static str,
    statement: &'static str,
}

/// A law that a transport does not keep. It prints as the law, the transport's endpoint and what happened.
#[derive(Clone, Debug)]
pub struct Violation {
    law: Law,
    at: String,
    found: String,
}

impl Law {
    pub(super) const fn new(name: &'static str, statement: &'static str) -> Self {
        Law { name, statement }
    }

    /// The law of that name, if there is one.
    pub fn named(name: &str) -> Option<Law> {
        LAWS.iter().copied().find(|law| law.name == name)
    }

    /// Its name, which is that of its test.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it says, in one sentence.
    pub fn statement(&self) -> &'static str {
        self.statement.trim_start()
    }

    /// Checks this law against `subject`, on a runtime of its own. It does not hang: what waits longer than the subject's
    /// [patience](Subject::patience) is a violation, and so is a panic in the transport. A law that the subject
    /// is [excepted](Subject::except) from holds.
    ///
    /// # Errors
    /// The first thing that was not as it should be.
    ///
    /// # Panics
    /// In async code: it blocks. And if no runtime can be made.
    pub fn check<T: Transport>(&self, subject: &Subject<T>) -> Result<(), Violation> {
        if subject.is_excepted(self.name) {
            return Ok(());
        }
        self.on_a_runtime(subject)
            .map_err(|found| self.violated(subject, found))
    }

    fn on_a_runtime<T: Transport>(&self, subject: &Subject<T>) -> Result<(), String> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        // As a task, so that one that never yields does not keep the deadline from being seen.
        let law = runtime.spawn(at_work(self.name, subject.clone()));
        let patience = subject.patience_of_a_law();
        let verdict = runtime.block_on(async { tokio::time::timeout(patience, law).await });
        // What the transport left running must not keep the test.
        runtime.shutdown_background();
        match verdict {
            Ok(done) => in_words(done),
            Err(_) => Err(format!("it was not done within {patience:?}")),
        }
    }

    fn violated<T: Transport>(&self, subject: &Subject<T>, found: String) -> Violation {
        Violation {
            law: *self,
            at: subject.to_string(),
            found,
        }
    }
}

fn in_words(done: Result<Verdict, JoinError>) -> Result<(), String> {
    match done {
        Ok(verdict) => verdict.map_err(|failure| failure.to_string()),
        Err(stopped) => {
            let panic = stopped
                .try_into_panic()
                .unwrap_or_else(|e| Box::new(e.to_string()));
            Err(format!("panic: {}", panic_words(panic.as_ref())))
        }
    }
}

fn panic_words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words")
}

impl Violation {
    /// The law that was not kept.
    pub fn law(&self) -> Law {
        self.law
    }

    /// What happened.
    pub fn found(&self) -> &str {
        &self.found
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, statement) = (self.law.name(), self.law.statement());
        write!(
            f,
            "{} breaks the law {name}: {}\n({statement})",
            self.at, self.found
        )
    }
}

impl std::error::Error for Violation {}

/// Checks the law of that name: what each test of [`stream_laws!`](crate::stream_laws) does.
///
/// # Panics
/// If the law is not kept, or there is none of that name.
pub fn require<T: Transport>(law: &str, subject: &Subject<T>) {
    let law = Law::named(law).unwrap_or_else(|| panic!("there is no law {law}"));
    if let Err(violation) = law.check(subject) {
        panic!("{violation}");
    }
}
