//! The defects of a listener and its sessions.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use socketry_transport::{Endpoint, Listener, Result, Socket, SocketOptions};
use tokio::sync::mpsc;

use crate::Defect::{self, *};
use crate::halves::{Broken, broken};

type Halves<L> = Vec<Arc<Mutex<<<L as Listener>::Socket as Socket>::Recv>>>;

pub(crate) struct Listening<L: Listener> {
    source: Source<L>,
    local: Endpoint,
    defect: Defect,
    halves: Halves<L>,
    over: Arc<AtomicBool>,
    /// The accepted session, for the task that polled then.
    accepted: Option<(L::Socket, Waker)>,
}

/// Where the sessions come from: the listener itself, or a task that accepts all of them.
enum Source<L: Listener> {
    Listener(L),
    Task(mpsc::UnboundedReceiver<Broken<L::Socket>>),
}

impl<L: Listener> Listening<L> {
    pub(crate) fn new(inner: L, defect: Defect, limit: Option<usize>) -> Self {
        let local = inner.local().clone();
        let source = match (defect, limit) {
            (EvictsTheOldest, Some(limit)) => Source::Task(evicting(inner, limit)),
            _ => Source::Listener(inner),
        };
        Listening {
            source,
            local,
            defect,
            halves: Vec::new(),
            over: Arc::default(),
            accepted: None,
        }
    }

    fn wrap(&mut self, session: L::Socket) -> Broken<L::Socket> {
        let over = match self.defect {
            EndsWithTheListener | StopsAtAnError => Arc::clone(&self.over),
            _ => Arc::default(),
        };
        let mut session = broken(session, self.defect, &over, SocketOptions::default());
        let (recv, _) = session.halves_mut();
        if matches!(self.defect, MixesSessions | KeepsDroppedSessions) {
            self.halves.extend(recv.inner.iter().cloned());
        }
        if self.defect == MixesSessions {
            recv.inner.clone_from(&self.halves);
        }
        session
    }
}

/// Accepts at once, and ends the oldest session when there is one too many.
fn evicting<L: Listener>(mut inner: L, limit: usize) -> mpsc::UnboundedReceiver<Broken<L::Socket>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut there = VecDeque::new();
        while let Ok(session) = inner.accept().await {
            let over = Arc::default();
            let session = broken(session, EvictsTheOldest, &over, SocketOptions::default());
            there.push_back(over);
            if there.len() > limit {
                there.pop_front().unwrap().store(true, SeqCst);
            }
            if sender.send(session).is_err() {
                return;
            }
        }
    });
    receiver
}

impl<L: Listener> Listener for Listening<L> {
    type Socket = Broken<L::Socket>;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        let inner = match &mut self.source {
            Source::Task(sessions) => return sessions.poll_recv(cx).map(|next| Ok(next.unwrap())),
            Source::Listener(inner) => inner,
        };
        if let Some((session, waker)) = self.accepted.take()
            && waker.will_wake(cx.waker())
        {
            return Poll::Ready(Ok(self.wrap(session)));
        }
        let session = ready!(inner.poll_accept(cx))?;
        if self.defect == LosesAcceptedSockets {
            self.accepted = Some((session, cx.waker().clone()));
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(self.wrap(session)))
    }
}

impl<L: Listener> Drop for Listening<L> {
    fn drop(&mut self) {
        if self.defect == EndsWithTheListener {
            self.over.store(true, SeqCst);
        }
    }
}
