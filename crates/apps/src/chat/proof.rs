//! How a user proves to a server that datagrams reach it: by saying the [cookie](super::cookie)
//! that the server sent.
//!
//! The half that hears is told a cookie, and the half that speaks says it. Between them is a
//! channel with the last cookie.

use std::future::pending;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::limits::{PROOF_RENEWAL, PROOF_TRIES, PROOF_WAIT};

/// What a user says who knows no cookie yet. It is as long as one, so that the answer is never
/// longer than the question.
pub(super) const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Tells the half that speaks the cookie that the server sent.
pub(super) struct Told(watch::Sender<String>);

impl Told {
    pub(super) fn tell(&self, cookie: String) {
        // No server of ours has longer ones, and who asks with a short question is not to answer at
        // length.
        if cookie.len() <= BLANK.len() {
            self.0.send_replace(cookie);
        }
    }
}

/// When a user says which cookie.
pub(super) struct Proof {
    /// Whether this is to be proved at all.
    due: bool,
    told: watch::Receiver<String>,
    /// The cookie of the last introduction.
    said: String,
    /// How many introductions may follow until the proof is renewed, or the user says something.
    left: u32,
    /// When the next one is due.
    again: Option<Instant>,
}

impl Proof {
    /// A proof that is `due`, or one that is not, and the channel to it.
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

    /// The cookie of an introduction that is sent now; `None` where nothing is to be proved.
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

    /// The cookie that goes with what the user says: the server may have forgotten this user
    /// meanwhile. `None` where the server has sent none.
    pub(super) fn carried(&mut self) -> Option<String> {
        let cookie = self.told.borrow().clone();
        if !self.due || cookie == BLANK {
            return None;
        }
        self.left = PROOF_TRIES;
        Some(cookie)
    }

    /// Resolves when an introduction is due: the server has sent another cookie than was said, or
    /// was silent for [`PROOF_WAIT`], or the proof is to be renewed. Cancel-safe.
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

    /// A server that sends the cookie which was said has taken it.
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

    /// Longer than any answer is waited for, and not so long that the proof is renewed.
    const SOON: Duration = Duration::from_secs(30);

    /// How many introductions are sent soon one after another.
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
        // Nor is it later, or because the user speaks.
        assert_eq!(proof.carried(), None);
        assert!(timeout(PROOF_RENEWAL * 10, proof.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cookie_is_said_at_once_and_again_until_it_is_taken() {
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
    async fn a_server_that_forgot_is_told_with_what_the_user_says() {
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
    async fn where_nothing_is_to_be_proved_no_cookie_is_said() {
        let (told, mut proof) = Proof::new(false);
        assert_eq!(proof.introduction(), None);
        for cookie in ["one", ""] {
            told.tell(cookie.to_owned());
            assert_eq!(proof.carried(), None);
            assert!(timeout(PROOF_RENEWAL * 2, proof.next()).await.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cookie_that_is_longer_than_the_question_is_not_said() {
        let (told, mut proof) = Proof::new(true);
        told.tell("x".repeat(BLANK.len() + 1));
        assert_eq!(proof.introduction().as_deref(), Some(BLANK));
    }
}
