//! What came out: medians, quartiles, and what became of the targets.

use serde::{Deserialize, Serialize};

use crate::contest::{Contest, Target, Unit};

/// One run of one side, as a measuring process prints it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) contest: String,
    pub(crate) side: String,
    pub(crate) round: usize,
    /// Things a second.
    pub(crate) rate: f64,
}

/// A median and its quartiles.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

/// A side's rate, and how it stands to the first one.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    contest: String,
    pub(crate) side: String,
    unit: &'static str,
    pub(crate) rate: Spread,
}

/// One side beside another.
#[derive(Debug, Serialize)]
struct Ratio {
    contest: String,
    side: &'static str,
    against: &'static str,
    ratio: Spread,
    target: f64,
    met: bool,
}

/// All of one contest.
pub(crate) struct Report {
    name: String,
    pub(crate) lines: Vec<Line>,
    ratios: Vec<Ratio>,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |part: usize| values[(values.len() - 1) * part / 4];
        Spread {
            low: at(1),
            median: at(2),
            high: at(3),
        }
    }
}

impl Report {
    pub(crate) fn new(contest: &Contest, processes: Vec<Vec<Record>>) -> Self {
        let name = contest.name();
        let lines = contest
            .sides
            .iter()
            .map(|side| line(&name, contest.unit, side.name, &processes));
        let ratios = contest
            .targets
            .iter()
            .map(|target| ratio(&name, *target, &processes));
        Report {
            lines: lines.collect(),
            ratios: ratios.collect(),
            name,
        }
    }

    pub(crate) fn print(&self) {
        println!("{}", self.name);
        for line in &self.lines {
            let Spread { low, median, high } = line.rate;
            let (side, unit) = (&line.side, line.unit);
            println!("  {side:<28} {median:>9.3} {unit}  ({low:.3} to {high:.3})");
        }
        for ratio in &self.ratios {
            let Spread { low, median, high } = ratio.ratio;
            let (side, against, target) = (ratio.side, ratio.against, ratio.target);
            let met = if ratio.met { "met" } else { "MISSED" };
            println!(
                "  {side} / {against}: {median:.2} ({low:.2} to {high:.2}), to be {target} or more: {met}"
            );
        }
    }

    pub(crate) fn print_json(&self) {
        for line in &self.lines {
            println!("{}", serde_json::to_string(line).unwrap());
        }
        for ratio in &self.ratios {
            println!("{}", serde_json::to_string(ratio).unwrap());
        }
    }
}

fn line(contest: &str, unit: Unit, side: &str, processes: &[Vec<Record>]) -> Line {
    let rates = processes
        .iter()
        .flatten()
        .filter(|record| record.side == side)
        .map(|record| unit.scaled(record.rate));
    Line {
        contest: contest.to_owned(),
        side: side.to_owned(),
        unit: unit.words(),
        rate: Spread::of(rates.collect()),
    }
}

/// The ratios of runs of the same round of the same process.
fn ratio(contest: &str, target: Target, processes: &[Vec<Record>]) -> Ratio {
    let pairs = processes.iter().flat_map(|records| {
        let of = |side: &'static str| records.iter().filter(move |record| record.side == side);
        of(target.side).flat_map(move |ours| {
            of(target.against)
                .filter(|theirs| theirs.round == ours.round)
                .map(|theirs| ours.rate / theirs.rate)
        })
    });
    let spread = Spread::of(pairs.collect());
    Ratio {
        contest: contest.to_owned(),
        side: target.side,
        against: target.against,
        ratio: spread,
        target: target.least,
        met: spread.median >= target.least,
    }
}
