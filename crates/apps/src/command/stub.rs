//! An execution that starts no process, for tests with arbitrary commands.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::execution::Execution;
use super::process::Event;
use super::wire::{Exit, Program, Stream};

/// How long each piece takes.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest piece, in bytes.
const PIECE: usize = 100;

/// Starts no process, whatever the command. It outputs the command itself, one argument a line, and
/// exits with 7. A command that begins with `?` goes to standard error. One that begins with `-`
/// cannot be started, and one that begins with `*` never ends by itself.
pub(super) struct Stub {
    left: Vec<u8>,
    stream: Stream,
    for_ever: bool,
    killed: Arc<Killed>,
}

#[derive(Default)]
struct Killed {
    is: AtomicBool,
    now: Notify,
}

impl Killed {
    fn is(&self) -> bool {
        self.is.load(Ordering::Acquire)
    }
}

impl Execution for Stub {
    fn start(program: &Program) -> Result<Self, String> {
        let words = match program {
            Program::Shell(line) => line.as_encoded_bytes().to_vec(),
            Program::Exact(words) => words.join("\n").into_bytes(),
        };
        match words.first() {
            Some(b'-') => Err("cannot run anything".to_owned()),
            first => Ok(Stub {
                stream: match first {
                    Some(b'?') => Stream::Stderr,
                    _ => Stream::Stdout,
                },
                for_ever: first == Some(&b'*'),
                killed: Arc::default(),
                left: words,
            }),
        }
    }

    async fn next<'a>(&mut self, buf: &'a mut [u8]) -> Event<'a> {
        sleep(PAUSE).await;
        while self.left.is_empty() && self.for_ever && !self.killed.is() {
            self.killed.now.notified().await;
        }
        if self.left.is_empty() {
            return Event::Ended(Ok(Exit::Code(7)));
        }
        let piece = self.left.len().min(buf.len()).min(PIECE);
        let said = &mut buf[..piece];
        said.copy_from_slice(&self.left[..piece]);
        self.left.drain(..piece);
        Event::Output(self.stream, said)
    }

    fn killer(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let killed = Arc::clone(&self.killed);
        move || {
            killed.is.store(true, Ordering::Release);
            killed.now.notify_one();
            true
        }
    }
}
