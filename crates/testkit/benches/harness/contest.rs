//! Contests: sides that do the same work, and how far one should be ahead of another.

use std::time::Duration;

/// The same work, done by several sides.
pub(crate) struct Contest {
    /// Its plot, and the first word of its name.
    pub(crate) group: &'static str,
    /// Its place in that plot, for instance the length of a frame.
    pub(crate) label: String,
    pub(crate) unit: Unit,
    /// How many bytes of payload one item carries, if that is worth plotting.
    pub(crate) payload: Option<usize>,
    pub(crate) sides: Vec<Side>,
    pub(crate) targets: Vec<Target>,
    pub(crate) limits: Vec<Limit>,
}

/// One way to do the work.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    run: Box<dyn FnMut() -> f64>,
}

/// The result of one run of a side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// Frames, bytes, round trips or connections.
    pub(crate) amount: f64,
    pub(crate) elapsed: Duration,
}

/// The unit, and how its rate is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Millions a second.
    Frames,
    /// GB (10⁹ bytes) a second.
    Bytes,
    /// Thousands a second.
    Trips,
    /// Thousands a second.
    Connections,
    /// Thousands a second.
    Files,
    /// No rate: the cost of one item of many.
    BytesEach,
    /// No rate: how long something took.
    Micros,
}

/// How many times as fast as another a side should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) side: &'static str,
    pub(crate) against: &'static str,
    pub(crate) least: f64,
}

/// The limit of a side's figure, whatever the others do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) side: &'static str,
    pub(crate) most: f64,
}

impl Contest {
    pub(crate) fn new(group: &'static str, label: impl Into<String>, unit: Unit) -> Self {
        Contest {
            group,
            label: label.into(),
            unit,
            payload: None,
            sides: Vec::new(),
            targets: Vec::new(),
            limits: Vec::new(),
        }
    }

    /// Keeps only the named sides and the targets among them. No names keep all sides.
    pub(crate) fn keep(&mut self, sides: &[String]) {
        let kept = |side: &str| sides.is_empty() || sides.iter().any(|name| name == side);
        self.sides.retain(|side| kept(side.name));
        self.targets
            .retain(|target| kept(target.side) && kept(target.against));
        self.limits.retain(|limit| kept(limit.side));
    }

    /// The name by which it is chosen and printed.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.group, self.label)
    }

    pub(crate) fn side(self, name: &'static str, mut run: impl FnMut() -> Work + 'static) -> Self {
        self.weighed(name, move || run().rate())
    }

    /// A side that has a figure without a run that takes time.
    pub(crate) fn weighed(
        mut self,
        name: &'static str,
        run: impl FnMut() -> f64 + 'static,
    ) -> Self {
        let run = Box::new(run);
        self.sides.push(Side { name, run });
        self
    }

    /// Plots show bytes of payload a second.
    pub(crate) fn carrying(mut self, payload: usize) -> Self {
        self.payload = Some(payload);
        self
    }

    /// `side` should be at least `least` times as fast as `against`.
    pub(crate) fn target(mut self, side: &'static str, against: &'static str, least: f64) -> Self {
        self.targets.push(Target {
            side,
            against,
            least,
        });
        self
    }

    /// `side` should have a figure of at most `most`.
    pub(crate) fn limit(mut self, side: &'static str, most: f64) -> Self {
        self.limits.push(Limit { side, most });
        self
    }
}

impl Side {
    /// Does the work once.
    pub(crate) fn figure(&mut self) -> f64 {
        (self.run)()
    }
}

impl Work {
    /// Items a second.
    fn rate(self) -> f64 {
        self.amount / self.elapsed.as_secs_f64()
    }
}

impl Unit {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Unit::Frames => "M frames/s",
            Unit::Bytes => "GB/s",
            Unit::Trips => "k round trips/s",
            Unit::Connections => "k connections/s",
            Unit::Files => "k files/s",
            Unit::BytesEach => "bytes each",
            Unit::Micros => "µs",
        }
    }

    pub(crate) fn scaled(self, figure: f64) -> f64 {
        match self {
            Unit::Frames => figure / 1e6,
            Unit::Bytes => figure / 1e9,
            Unit::Trips | Unit::Connections | Unit::Files => figure / 1e3,
            Unit::BytesEach | Unit::Micros => figure,
        }
    }
}
