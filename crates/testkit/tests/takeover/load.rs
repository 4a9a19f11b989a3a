//! Clients that connect, ask and leave, at a steady pace.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use socketry_codec::{Framed, Line};
use socketry_testkit::in_time;
use socketry_transport::{Endpoint, Registry};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::interval;

/// The time between two connects: 500 a second.
const PACE: Duration = Duration::from_millis(2);

/// The most clients at once, so that a slow machine is not a flood.
const AT_ONCE: usize = 64;

/// Clients that run until they are [done](Load::done).
pub(crate) struct Load {
    /// How many clients each process has answered.
    answers: watch::Sender<HashMap<String, usize>>,
    stop: watch::Sender<bool>,
    clients: JoinHandle<usize>,
}

impl Load {
    /// Clients of these URLs in turns, over the transports of `registry`.
    pub(crate) fn on(registry: Registry, urls: &[&str]) -> Load {
        let urls: Vec<Endpoint> = urls.iter().map(|url| url.parse().unwrap()).collect();
        let answers = watch::Sender::new(HashMap::new());
        let (stop, mut stopped) = watch::channel(false);
        let counts = answers.clone();
        let clients = tokio::spawn(async move {
            let (mut clients, mut pace, mut started) = (JoinSet::new(), interval(PACE), 0);
            let places = Arc::new(Semaphore::new(AT_ONCE));
            while !*stopped.borrow_and_update() {
                let place = Arc::clone(&places).acquire_owned().await;
                pace.tick().await;
                let at = urls[started % urls.len()].clone();
                let (registry, counts) = (registry.clone(), counts.clone());
                clients.spawn(async move {
                    let _place = place;
                    let answer = ask(&registry, at).await;
                    counts.send_modify(|counts| *counts.entry(answer).or_default() += 1);
                });
                started += 1;
            }
            // A client that failed has panicked.
            clients.join_all().await.len()
        });
        Load {
            answers,
            stop,
            clients,
        }
    }

    /// Waits until the process of this number has answered so many clients.
    pub(crate) async fn answered_by(&self, number: &str, clients: usize) {
        let enough = |answers: &HashMap<_, _>| answers.get(number) >= Some(&clients);
        let mut answers = self.answers.subscribe();
        let answered = answers.wait_for(enough);
        in_time("answers", answered)
            .await
            .expect("they are counted");
    }

    /// Ends, and asserts that each client had its answer. Gives how many each process answered.
    pub(crate) async fn done(self) -> HashMap<String, usize> {
        self.stop.send_replace(true);
        let started = self.clients.await.expect("no client is lost");
        let answers = self.answers.borrow().clone();
        assert_eq!(answers.values().sum::<usize>(), started);
        answers
    }
}

/// Connects, and asks which process answers.
pub(crate) async fn ask(registry: &Registry, at: Endpoint) -> String {
    in_time("an answer", async {
        let socket = registry.connect(at).await.expect("nobody is refused");
        let mut framed = Framed::new(socket, Line::new());
        framed.send(b"who?").await.expect("the request is sent");
        let answer = framed.recv().await.expect("an answer");
        let answer = answer.expect("an answer, and not an end");
        String::from_utf8(answer.to_vec()).unwrap()
    })
    .await
}
