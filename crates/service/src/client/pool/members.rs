//! The connections of a pool, and which one the next user gets.

use std::time::Duration;

use tokio::time::Instant;

use super::PoolLimits;
use crate::client::{Client, ClientState};

/// One connection.
struct Member {
    id: u64,
    client: Client,
    users: usize,
    /// When the last user left.
    since: Instant,
}

/// How good a choice a connection is, the best first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    Connected,
    /// The first attempt is under way.
    Begun,
    /// It was lost, or could not connect.
    Lost,
}

impl Member {
    fn health(&self) -> Health {
        match &*self.client.state().borrow() {
            ClientState::Connected { .. } => Health::Connected,
            ClientState::Connecting { attempt: 1 } => Health::Begun,
            _ => Health::Lost,
        }
    }
}

/// The connections of a pool.
pub(super) struct Members {
    members: Vec<Member>,
    most: usize,
    per_connection: usize,
    next: u64,
}

impl Members {
    pub(super) fn new(limits: &PoolLimits) -> Self {
        Members {
            members: Vec::new(),
            most: limits.connections.max(1),
            per_connection: limits.per_connection.max(1),
            next: 0,
        }
    }

    /// The healthy connection with the fewest users, or a new one that `start` makes, or any.
    pub(super) fn pick<E>(
        &mut self,
        start: impl FnOnce() -> Result<Client, E>,
    ) -> Result<(u64, Client), E> {
        // One that can never connect is of no use.
        self.members
            .retain(|member| !member.client.state().borrow().is_closed());
        let full = self.members.len() >= self.most;
        let free = |member: &&mut Member| member.users < self.per_connection;
        let free = self.members.iter_mut().filter(free);
        let best = free.min_by_key(|member| (member.health(), member.users));
        match best {
            Some(member) if full || member.health() != Health::Lost => {
                member.users += 1;
                return Ok((member.id, member.client.clone()));
            }
            _ => {}
        }
        let client = start()?;
        let id = self.next;
        self.next += 1;
        self.members.push(Member {
            id,
            client: client.clone(),
            users: 1,
            since: Instant::now(),
        });
        Ok((id, client))
    }

    /// A user has left. Gives whether the connection is idle now.
    pub(super) fn leave(&mut self, id: u64) -> bool {
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else {
            return false;
        };
        member.users -= 1;
        member.since = Instant::now();
        member.users == 0
    }

    /// Takes out the connections that were idle for so long. Gives when the next one will be.
    pub(super) fn reap(&mut self, idle: Duration) -> (Vec<Client>, Option<Instant>) {
        let now = Instant::now();
        let is_old = |member: &mut Member| {
            member.users == 0 && member.since.checked_add(idle).is_some_and(|due| due <= now)
        };
        let old = self.members.extract_if(.., is_old);
        let old = old.map(|member| member.client).collect();
        let idle_since = self.members.iter().filter(|member| member.users == 0);
        let next = idle_since.filter_map(|member| member.since.checked_add(idle));
        (old, next.min())
    }

    pub(super) fn take_all(&mut self) -> Vec<Client> {
        self.members.drain(..).map(|member| member.client).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
}
