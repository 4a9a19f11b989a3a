//! Polls a future as long as it is woken.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// More polls than all sent bytes need.
const POLLS: usize = 1 << 20;

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The result of `future`. `None` if it waits and was not woken, or, if not `patient`, if it waits
/// at all.
pub fn poll<T>(patient: bool, future: impl Future<Output = T>) -> Option<T> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    for _ in 0..POLLS {
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return Some(done);
        }
        if !patient || !woken.0.swap(false, Ordering::Relaxed) {
            return None;
        }
    }
    panic!("it is woken for ever, and for nothing")
}
