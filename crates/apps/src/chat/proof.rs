//! How a user proves to a server that datagrams reach its address: it sends back the server's
//! [cookie](super::cookie).
//!
//! The receiving half gets a cookie, and the sending half sends it. A channel between them holds
//! the last cookie.

use std::future::pending;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::limits::{PROOF_RENEWAL, PROOF_TRIES, PROOF_WAIT};

/// Sent in place of a cookie by a user that has none yet. It is as long as one, so that the answer
/// is never longer than the question.
pub(super) const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Passes the server's cookie to the sending half.
pub(super) struct Told(watch::Sender<String>);

impl Told {
    pub(super) fn tell(&self, cookie: String) {
        // Our own servers send no longer cookies. A server that asks a short question must not get
        // a long answer.
        if cookie.len() <= BLANK.len() {
            self.0.send_replace(cookie);
        }
    }
}

/// Decides when the user sends which cookie.
pub(super) struct Proof {
    /// Whether the address has to be proved at all.
    due: bool,
    told: watch::Receiver<String>,
    /// The cookie of the last introduction.
    said: String,
    /// How many introductions may follow until the proof is renewed, or the user sends a text.
    left: u32,
    /// When the next introduction is due.
    again: Option<Instant>,
}

impl Proof {
    /// A proof, which does nothing unless `due`, and the way to pass it cookies.
    pub(super) fn new(due: bool) -> (Told, Self) {
        let (sender, told) = watch::channel(BLANK.to_owned());
        let proof = Proof {
            due,
            told,
            said: String::new(),
            left: if due { PROOF_TRIES } else { 0 },
            again: None,
        };
        (Told(sender), proof)
    }

    /// The cookie for an introduction that is sent now; `None` if nothing has to be proved.
    pub(super) fn introduction(&mut self) -> Option<String> {
        if !self.due {
            return None;
        }
        self.left = self.left.saturating_sub(1);
        self.said.clone_from(&self.told.borrow_and_update());
        let wait = match self.left {
            0 if self.said == BLANK => None,
            0 => Some(PROOF_RENEWAL),
            _ => Some(PROOF_WAIT),
        };
        self.again = wait.map(|wait| Instant::now() + wait);
        Some(self.said.clone())
    }

    /// The cookie to send with a text, since the server may have forgotten this user. `None` if the
    /// server has sent no cookie.
    pub(super) fn carried(&mut self) -> Option<String> {
        let cookie = self.told.borrow().clone();
        if !self.due || cookie == BLANK {
            return None;
        }
        self.left = PROOF_TRIES;
        Some(cookie)
    }

    /// Resolves when an introduction is due. That is when the server has sent another cookie than
    /// the last one sent back, was silent for [`PROOF_WAIT`], or the proof has to be renewed.
    /// Cancel-safe.
    pub(super) async fn next(&mut self) {
        while self.due {
            tokio::select! {
                told = self.told.changed() => match told {
                    Ok(()) => self.answered(),
                    Err(_) => break,
                },
                () = by(self.again) => {
                    if self.left == 0 {
                        self.left = PROOF_TRIES;
                    }
                    return;
                }
            }
        }
        pending::<()>().await;
    }

    /// A server that repeats the cookie has accepted it.
    fn answered(&mut self) {
        let taken = *self.told.borrow_and_update() == self.said;
        if taken {
            self.left = 0;
            self.again = Some(Instant::now() + PROOF_RENEWAL);
        } else if self.left > 0 {
            self.again = Some(Instant::now());
        }
    }
}

async fn by(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Longer than the proof waits for any answer, and shorter than the time to its renewal.
    const SOON: Duration = Duration::from_secs(30);

    /// How many introductions are sent in close succession.
    async fn introductions(proof: &mut Proof) -> u32 {
        let mut count = 0;
        while timeout(SOON, proof.next()).await.is_ok() {
            proof.introduction();
            count += 1;
        }
        count
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_asked_a_few_times_only() {
        let (_told, mut proof) = Proof::new(true);
        assert_eq!(proof.introduction().as_deref(), Some(BLANK));
        let began = Instant::now();
        proof.next().await;
        assert_eq!(began.elapsed(), PROOF_WAIT);
        assert_eq!(introductions(&mut proof).await, PROOF_TRIES - 1);
        // It is not asked later either, nor because the user sends a text.
        assert_eq!(proof.carried(), None);
        assert!(timeout(PROOF_RENEWAL * 10, proof.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cookie_is_sent_at_once_and_again_until_it_is_accepted() {
        let (told, mut proof) = Proof::new(true);
        proof.introduction();
        told.tell("one".to_owned());
        let began = Instant::now();
        proof.next().await;
        assert_eq!(proof.introduction().as_deref(), Some("one"));
        assert_eq!(began.elapsed(), Duration::ZERO);
        proof.next().await;
        assert_eq!(began.elapsed(), PROOF_WAIT);
        assert_eq!(proof.introduction().as_deref(), Some("one"));
        told.tell("one".to_owned());
        assert_eq!(introductions(&mut proof).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_forgot_the_user_gets_the_cookie_with_the_next_text() {
        let (told, mut proof) = Proof::new(true);
        told.tell("one".to_owned());
        proof.introduction();
        told.tell("one".to_owned());
        assert_eq!(introductions(&mut proof).await, 0);
        assert_eq!(proof.carried().as_deref(), Some("one"));
        told.tell("two".to_owned());
        proof.next().await;
        assert_eq!(proof.introduction().as_deref(), Some("two"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_proof_is_renewed_even_where_that_failed_once() {
        let (told, mut proof) = Proof::new(true);
        told.tell("one".to_owned());
        proof.introduction();
        told.tell("one".to_owned());
        for _ in 0..3 {
            assert!(timeout(PROOF_RENEWAL * 2, proof.next()).await.is_ok());
            assert_eq!(proof.introduction().as_deref(), Some("one"));
            assert_eq!(introductions(&mut proof).await, PROOF_TRIES - 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_always_has_another_cookie_gets_a_few_answers_only() {
        let (told, mut proof) = Proof::new(true);
        proof.introduction();
        for count in 1..100_u32 {
            told.tell(count.to_string());
            let due = timeout(Duration::ZERO, proof.next()).await.is_ok();
            assert_eq!(due, count < PROOF_TRIES, "{count}");
            if due {
                proof.introduction();
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_proof_that_is_not_due_sends_no_cookie() {
        let (told, mut proof) = Proof::new(false);
        assert_eq!(proof.introduction(), None);
        for cookie in ["one", ""] {
            told.tell(cookie.to_owned());
            assert_eq!(proof.carried(), None);
            assert!(timeout(PROOF_RENEWAL * 2, proof.next()).await.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cookie_that_is_longer_than_the_question_is_not_sent() {
        let (told, mut proof) = Proof::new(true);
        told.tell("x".repeat(BLANK.len() + 1));
        assert_eq!(proof.introduction().as_deref(), Some(BLANK));
    }
}
