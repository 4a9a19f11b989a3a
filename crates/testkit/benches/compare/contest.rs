//! What is compared: sides that do the same work, and by how much one should be ahead of another.

use std::time::Duration;

/// The same work, done by several sides.
pub(crate) struct Contest {
    /// The plot that it belongs to, and the first word of its name.
    pub(crate) group: &'static str,
    /// Where it stands in that plot: a frame's length, say.
    pub(crate) label: String,
    pub(crate) unit: Unit,
    pub(crate) sides: Vec<Side>,
    pub(crate) targets: Vec<Target>,
}

/// One way to do the work.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    run: Box<dyn FnMut() -> Work>,
}

/// What a side did in one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// Frames, bytes or round trips.
    pub(crate) amount: f64,
    pub(crate) elapsed: Duration,
}

/// What is counted, and how its rate is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Millions a second.
    Frames,
    /// GB (10⁹ bytes) a second.
    Bytes,
}

/// How many times as fast as another a side should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) side: &'static str,
    pub(crate) against: &'static str,
    pub(crate) least: f64,
}

impl Contest {
    pub(crate) fn new(group: &'static str, label: impl Into<String>, unit: Unit) -> Self {
        Contest {
            group,
            label: label.into(),
            unit,
            sides: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// How it is picked and printed.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.group, self.label)
    }

    pub(crate) fn side(mut self, name: &'static str, run: impl FnMut() -> Work + 'static) -> Self {
        let run = Box::new(run);
        self.sides.push(Side { name, run });
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
}

impl Side {
    /// Does the work once; the rate in things a second.
    pub(crate) fn rate(&mut self) -> f64 {
        let work = (self.run)();
        work.amount / work.elapsed.as_secs_f64()
    }
}

impl Unit {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Unit::Frames => "M frames/s",
            Unit::Bytes => "GB/s",
        }
    }

    pub(crate) fn scaled(self, rate: f64) -> f64 {
        match self {
            Unit::Frames => rate / 1e6,
            Unit::Bytes => rate / 1e9,
        }
    }
}
