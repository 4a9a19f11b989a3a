//! Receives the entries of a tree. Small ones are gathered, and stored by a thread while the next
//! ones arrive.

use std::ops::Range;
use std::path::PathBuf;

use socketry_codec::Framed;
use socketry_transport::RecvHalf;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use super::arrived::{Arrived, Outcome};
use super::item::{Item, path_below};
use super::layout::Filling;
use super::store::Store;
use super::{MAX_SIZE, SMALL};
use crate::AppError;
use crate::file::PAUSE;
use crate::file::attributes::Attributes;
use crate::file::digest::Digests;
use crate::file::grant::Grant;
use crate::file::limits::{Allowance, Lane};
use crate::file::listing::Kind;
use crate::file::part::Part;
use crate::file::pieces::{Piece, paused};
use crate::file::place::{not_stored, problem};
use crate::file::wire::within_stall;

/// The receiving side of a tree. When it is dropped, the entries that it has stored stay, and it
/// leaves nothing of the others.
pub(super) struct Receiver<'a> {
    place: At,
    filling: Arrived,
    /// What the sender may store, and how fast.
    grant: Option<&'a Grant>,
    outcomes: Vec<Outcome>,
    /// What is left of a large file that was refused.
    refused: Option<Range<u64>>,
}

/// Where the store is.
enum At {
    Here(Store, Arrived),
    Busy(JoinHandle<(Store, Arrived, Vec<Outcome>)>),
    /// A thread has panicked.
    Lost,
}

impl<'a> Receiver<'a> {
    pub(super) fn new(store: Store, grant: Option<&'a Grant>) -> Self {
        Receiver {
            place: At::Here(store, Arrived::default()),
            filling: Arrived::default(),
            grant,
            outcomes: Vec::new(),
            refused: None,
        }
    }

    /// What became of the entries since this was called last.
    pub(super) fn outcomes(&mut self) -> std::vec::Drain<'_, Outcome> {
        self.outcomes.drain(..)
    }

    /// Receives what follows `item` on the wire, and stores the entry below the top, now or with the
    /// next ones.
    /// The caller then calls [`rest`](Receiver::rest), once it has told the outcomes so far.
    ///
    /// # Errors
    /// If the conversation is over. What is wrong with the entry is its outcome.
    pub(super) async fn take<S: RecvHalf>(
        &mut self,
        wire: &mut Framed<S>,
        item: Item,
    ) -> Result<(), AppError> {
        let place = path_below(item.name());
        self.receive(wire, item, place).await
    }

    /// The same, but this side has chosen where the entry is stored.
    pub(super) async fn take_as<S: RecvHalf>(
        &mut self,
        wire: &mut Framed<S>,
        item: Item,
        place: PathBuf,
    ) -> Result<(), AppError> {
        self.receive(wire, item, Ok(place)).await
    }

    /// Adds an entry that has no bytes.
    pub(super) async fn add(&mut self, item: Item, place: PathBuf) -> Result<(), AppError> {
        let start = self.filling.bytes.len();
        self.filling.add(item, place, start, Allowance::default());
        match self.filling.is_full() {
            true => self.hand_over().await,
            false => Ok(()),
        }
    }

    async fn receive<S: RecvHalf>(
        &mut self,
        wire: &mut Framed<S>,
        item: Item,
        place: Result<PathBuf, AppError>,
    ) -> Result<(), AppError> {
        if item.is(Kind::File) && item.pieces == Some(true) {
            self.hand_over().await?;
            let outcome = self.take_large(wire, &item, place).await?;
            self.settle().await?;
            self.told(item, outcome);
            return Ok(());
        }
        let (start, lane) = (self.filling.bytes.len(), self.lane());
        if item.is(Kind::File) {
            let len = item.size.filter(|len| *len <= SMALL).ok_or_else(unfit)?;
            let mut body = wire.body(len)?;
            while let Some(bytes) = within_stall(body.chunk()).await? {
                self.filling.bytes.extend_from_slice(bytes);
                if let Some(lane) = lane {
                    lane.pass(bytes.len()).await;
                }
            }
        }
        let len = self.filling.bytes.len() - start;
        let counted = self.allowance(&item, len as u64, len).await;
        match (place, counted, item.kind) {
            (Ok(path), Ok(counted), Some(Kind::File | Kind::Dir | Kind::Link)) => {
                self.filling.add(item, path, start, counted);
            }
            (Err(error), ..) | (_, Err(error), _) => {
                self.filling.bytes.truncate(start);
                self.told(item, Err(error));
            }
            _ => {
                let error = problem(item.name(), "only files, directories and links are stored");
                self.told(item, Err(error));
            }
        }
        match self.filling.is_full() {
            true => self.hand_over().await,
            false => Ok(()),
        }
    }

    /// What a file of `len` bytes may take, of which so many have arrived.
    async fn allowance(
        &self,
        item: &Item,
        len: u64,
        arrived: usize,
    ) -> Result<Allowance, AppError> {
        let Some(grant) = self.grant.filter(|_| item.is(Kind::File)) else {
            return Ok(Allowance::default());
        };
        let allowing = async {
            let mut allowance = grant.allowance(Some(len)).await?;
            allowance.add(arrived).await.map(|()| allowance)
        };
        let allowed = allowing.await;
        allowed.map_err(|error| problem(item.name(), error))
    }

    fn lane(&self) -> Option<&'a Lane> {
        self.grant.map(|grant| &grant.pace().arriving)
    }

    fn told(&mut self, item: Item, stored: Result<u64, AppError>) {
        self.outcomes.push(Outcome {
            kind: item.kind.unwrap_or(Kind::File),
            name: item.name.unwrap_or_default(),
            stored,
        });
    }

    /// Has the entries that have arrived stored, once those before them are.
    pub(super) async fn hand_over(&mut self) -> Result<(), AppError> {
        let (mut store, mut spare) = self.here().await?;
        if self.filling.is_empty() {
            self.place = At::Here(store, spare);
            return Ok(());
        }
        std::mem::swap(&mut spare, &mut self.filling);
        self.place = At::Busy(spawn_blocking(move || {
            let outcomes = store.store(&mut spare);
            (store, spare, outcomes)
        }));
        Ok(())
    }

    /// Waits for the store.
    async fn here(&mut self) -> Result<(Store, Arrived), AppError> {
        if let At::Busy(job) = &mut self.place {
            let done = job.await;
            self.place = At::Lost;
            let (store, spare, outcomes) = done.map_err(AppError::failed)?;
            self.outcomes.extend(outcomes);
            return Ok((store, spare));
        }
        match std::mem::replace(&mut self.place, At::Lost) {
            At::Here(store, spare) => Ok((store, spare)),
            _ => Err(AppError::failed("the part that stores files is gone")),
        }
    }

    /// Waits until all that was handed over is stored.
    pub(super) async fn settle(&mut self) -> Result<(), AppError> {
        let (store, spare) = self.here().await?;
        self.place = At::Here(store, spare);
        Ok(())
    }

    /// Stores all that has arrived, and ends the tree. Returns the directories that did not get
    /// their attributes.
    pub(super) async fn finish(&mut self) -> Result<Vec<(String, AppError)>, AppError> {
        self.hand_over().await?;
        let (mut store, _) = self.here().await?;
        let failed = spawn_blocking(move || store.finish()).await;
        failed.map_err(AppError::failed)
    }

    /// Receives the rest of a file that was refused early, so that its sender could be told.
    ///
    /// # Errors
    /// If the conversation is over.
    pub(super) async fn rest<S: RecvHalf>(&mut self, wire: &mut Framed<S>) -> Result<(), AppError> {
        if let Some(span) = self.refused.take() {
            pieces(wire, span, self.lane(), None).await?;
        }
        Ok(())
    }

    /// Receives a file in pieces. The inner error is its outcome.
    async fn take_large<S: RecvHalf>(
        &mut self,
        wire: &mut Framed<S>,
        item: &Item,
        place: Result<PathBuf, AppError>,
    ) -> Result<Result<u64, AppError>, AppError> {
        let len = item.size.filter(|len| *len <= MAX_SIZE).ok_or_else(unfit)?;
        let created = match place {
            Ok(path) => self.create(item, path).await?,
            Err(error) => Err(error),
        };
        let mut large = match created {
            Ok(large) => large,
            Err(error) => {
                self.refused = Some(0..len);
                return Ok(Err(error));
            }
        };
        Ok(
            match pieces(wire, 0..len, self.lane(), Some((&mut large, item))).await? {
                End::Stopped(at, error) => {
                    self.refused = Some(at..len);
                    Err(error)
                }
                End::GivenUp(error) => Err(problem(item.name(), error)),
                End::Whole(claimed) => large.keep(item, len, claimed).await.map(|()| len),
            },
        )
    }

    async fn create(
        &mut self,
        item: &Item,
        path: PathBuf,
    ) -> Result<Result<Large, AppError>, AppError> {
        let len = item.size.unwrap_or_default();
        let counted = match self.allowance(item, len, 0).await {
            Ok(allowance) => allowance,
            Err(error) => return Ok(Err(error)),
        };
        let (mut store, spare) = self.here().await?;
        let item = item.clone();
        let created = spawn_blocking(move || {
            let with = store.attributes(&item);
            let created = store.part(&item, &path);
            let large = created.map(|(part, file)| (part, Filling::new(file), with));
            (store, large)
        });
        let (store, created) = created.await.map_err(AppError::failed)?;
        self.place = At::Here(store, spare);
        Ok(created.map(|(part, filling, with)| Large {
            part,
            filling,
            with,
            counted,
            holes: len,
        }))
    }
}

/// A large file that arrives.
struct Large {
    part: Part,
    filling: Filling,
    with: Attributes,
    counted: Allowance,
    /// The bytes of the file that did not arrive: at its end those of its holes.
    holes: u64,
}

impl Large {
    async fn write(&mut self, item: &Item, at: u64, bytes: &[u8]) -> Result<(), AppError> {
        self.count(item, bytes.len()).await?;
        self.holes = self.holes.saturating_sub(bytes.len() as u64);
        let written = self.filling.write(at, bytes).await;
        written.map_err(|error| not_stored(item.name(), &error))
    }

    async fn count(&mut self, item: &Item, len: usize) -> Result<(), AppError> {
        let counting = self.counted.add(len).await;
        counting.map_err(|error| problem(item.name(), error))
    }

    async fn keep(mut self, item: &Item, len: u64, claimed: Digests) -> Result<(), AppError> {
        // Whoever fetches the file gets them, too.
        let holes = usize::try_from(self.holes).unwrap_or(usize::MAX);
        self.count(item, holes).await?;
        let (part, with) = (self.part, self.with);
        let finished = self.filling.finish(len).await;
        let (file, blake3) = finished.map_err(|error| not_stored(item.name(), &error))?;
        let checked = claimed.check(&Digests::blake3(blake3.to_hex().as_str()));
        checked.map_err(|error| problem(item.name(), error))?;
        let kept = spawn_blocking(move || part.keep(&file, len, with)).await;
        kept.map_err(AppError::failed)??;
        self.counted.keep();
        Ok(())
    }
}

/// How the pieces of a file end.
enum End {
    /// With the last one, which has this digest.
    Whole(Digests),
    /// The sender gave up.
    GivenUp(AppError),
    /// This side takes no more, and the pieces go on here.
    Stopped(u64, AppError),
}

/// Receives pieces, which lie within `span`, up to the last one, or until they cannot be written to
/// the file.
async fn pieces<S: RecvHalf>(
    wire: &mut Framed<S>,
    span: Range<u64>,
    lane: Option<&Lane>,
    mut file: Option<(&mut Large, &Item)>,
) -> Result<End, AppError> {
    let mut at = span.start;
    let mut latest = Instant::now();
    loop {
        let piece = within_stall(wire.recv_json::<Piece>()).await?;
        let piece = piece.ok_or_else(|| AppError::failed("the end of the file is missing"))?;
        if let Some(error) = piece.error {
            return Ok(End::GivenUp(AppError::failed(error)));
        }
        let bytes = match piece.piece {
            None if latest.elapsed() < PAUSE => continue,
            None => return Err(paused()),
            // A digest that is missing is one that nothing has.
            Some(0) => {
                return Ok(End::Whole(
                    piece.digest.unwrap_or_else(|| Digests::blake3("")),
                ));
            }
            Some(bytes) => bytes,
        };
        let start = piece.at.unwrap_or(at);
        let end = start
            .checked_add(bytes)
            .filter(|end| *end <= span.end && start >= at);
        at = end.ok_or_else(unfit)?;
        let mut body = wire.body(bytes)?;
        let (mut next, mut written) = (start, Ok(()));
        while let Some(chunk) = within_stall(body.chunk()).await? {
            if let (Some((large, item)), Ok(())) = (&mut file, &written) {
                written = large.write(item, next, chunk).await;
            }
            next += chunk.len() as u64;
            if let Some(lane) = lane {
                lane.pass(chunk.len()).await;
            }
        }
        if let Err(error) = written {
            return Ok(End::Stopped(at, error));
        }
        latest = Instant::now();
    }
}

fn unfit() -> AppError {
    AppError::failed("an entry of a tree has a size that does not fit; the connection is given up")
}
