//! Futures whose first step is inlined.
//!
//! Most frames have arrived when a caller asks for them, and most that are fed find room. But
//! awaiting an `async fn` is a call of a function, if a program does so in more than one place. For
//! a small frame this call costs as much as all the rest (measured: 64 B over Unix sockets at half
//! the rate). Here the first step is inlined into the caller, and only the rest, which may wait, is
//! a call.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// A step that mostly finishes at once. Implementations are `#[inline(always)]`: that is their
/// purpose.
pub(super) trait First {
    type Output;
    /// The values that the rest needs.
    type Rest;

    fn first(self) -> Result<Self::Output, Self::Rest>;
}

pin_project! {
    /// A first step, and then the future that `then` makes of the rest.
    #[project = Step]
    pub(super) enum Quick<T, N, F> {
        Begin { task: Option<(T, N)> },
        Then { #[pin] then: F },
    }
}

impl<T: First, N: FnOnce(T::Rest) -> F, F: Future<Output = T::Output>> Quick<T, N, F> {
    #[inline(always)]
    pub(super) fn new(first: T, then: N) -> Self {
        let task = Some((first, then));
        Quick::Begin { task }
    }
}

impl<T: First, N: FnOnce(T::Rest) -> F, F: Future<Output = T::Output>> Future for Quick<T, N, F> {
    type Output = T::Output;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Output> {
        if let Step::Begin { task } = self.as_mut().project() {
            let (task, then) = task.take().expect("polled again after its end");
            match task.first() {
                Ok(output) => return Poll::Ready(output),
                Err(rest) => self.set(Quick::Then { then: then(rest) }),
            }
        }
        match self.project() {
            Step::Then { then } => then.poll(cx),
            Step::Begin { .. } => unreachable!("it has just been left"),
        }
    }
}
