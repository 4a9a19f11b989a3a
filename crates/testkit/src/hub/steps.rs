//! The steps of the laws, each with a deadline.

use std::fmt::{Debug, Display};
use std::future::Future;
use std::time::Duration;

use socketry_codec::{BoxCodec, Framed, Line, Struct};
use socketry_service::HubLimits;
use socketry_transport::{BoxListener, BoxRecv, BoxSocket, Listener, Socket};
use tokio::time::timeout;

use super::Subject;
use super::subject::{AnyHub, AnyReader, How};
use crate::DEADLINE;
use crate::law::Verdict;

/// The number of the format of lines, and of that with a header.
pub(super) const LINE: usize = 0;
pub(super) const STRUCT: usize = 1;

/// A time that a law waits for.
pub(super) const SOON: Duration = Duration::from_millis(60);

/// A hub, and where its readers connect.
pub(super) struct Stage {
    pub(super) hub: Box<dyn AnyHub>,
    listener: BoxListener,
    subject: Subject,
}

/// A client, and the hub's side of it.
pub(super) struct Seat {
    pub(super) client: Framed<BoxSocket>,
    pub(super) reader: Box<dyn AnyReader>,
    /// Dropped, it would end nothing, but a TCP socket with unread bytes resets.
    _receiving: BoxRecv,
}

impl Subject {
    pub(super) async fn stage(&self) -> Result<Stage, String> {
        self.stage_with(HubLimits::default()).await
    }

    pub(super) async fn stage_with(&self, limits: HubLimits) -> Result<Stage, String> {
        let mut hub = (self.make)(limits);
        hub.format(codec(LINE));
        hub.format(codec(STRUCT));
        let listening = self.registry.listen(self.at.clone());
        let listener = within("listening", listening).await?.map_err(words)?;
        Ok(Stage {
            hub,
            listener,
            subject: self.clone(),
        })
    }
}

fn codec(format: usize) -> BoxCodec {
    match format {
        LINE => Box::new(Line::new()),
        _ => Box::new(Struct::default()),
    }
}

impl Stage {
    /// A reader of `topic`.
    pub(super) async fn seat(&mut self, format: usize, topic: &str) -> Result<Seat, String> {
        let seat = self.guest(format, How::default()).await?;
        seat.reader.subscribe(topic);
        Ok(seat)
    }

    /// A reader that has subscribed to nothing.
    pub(super) async fn guest(&mut self, format: usize, how: How) -> Result<Seat, String> {
        self.guest_with(format, codec(format), how).await
    }

    /// The same. The client has this codec.
    pub(super) async fn guest_with(
        &mut self,
        format: usize,
        codec: BoxCodec,
        how: How,
    ) -> Result<Seat, String> {
        let at = self.listener.local().clone();
        let connecting = async {
            let socket = self.subject.registry.connect(at).await.map_err(words)?;
            let mut client = Framed::new(socket, codec);
            // Over datagrams the server knows of nobody before it has one.
            client.send(b"hello").await.map_err(words)?;
            Ok::<_, String>(client)
        };
        let accepting = async { self.listener.accept().await.map_err(words) };
        let both = async { tokio::try_join!(connecting, accepting) };
        let (client, accepted) = within("connecting", both).await??;
        let (receiving, sending) = accepted.split();
        Ok(Seat {
            client,
            reader: self.hub.join(sending, format, how),
            _receiving: receiving,
        })
    }

    pub(super) fn publish(&self, topic: &str, frame: &str) -> Result<usize, String> {
        self.hub.publish(topic, frame.as_bytes(), None)
    }
}

impl Seat {
    pub(super) fn is_reliable(&self) -> bool {
        self.client.shape().is_reliable()
    }

    /// The next frame; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<String>, String> {
        let frame = within("a frame", self.client.recv())
            .await?
            .map_err(words)?;
        Ok(frame.map(|frame| String::from_utf8_lossy(frame).into_owned()))
    }

    /// The next frames must be these.
    pub(super) async fn expect(&mut self, wanted: &[&str]) -> Verdict {
        for wanted in wanted {
            same("a frame", self.next().await?.as_deref(), Some(*wanted))?;
        }
        Ok(())
    }
}

/// The result of `step`, which must come before the deadline.
pub(super) async fn within<T>(what: &str, step: impl Future<Output = T>) -> Result<T, String> {
    // A broken hub is found sooner than a slow machine gives a wrong verdict.
    let done = timeout(DEADLINE / 3, step).await;
    done.map_err(|_| format!("{what} took too long"))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "values that are written where it is called"
)]
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: T, wanted: T) -> Verdict {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what} is {found:?}, and not {wanted:?}"))
}

pub(super) fn words(error: impl Display) -> String {
    error.to_string()
}
