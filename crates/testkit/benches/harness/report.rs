//! The results: medians, quartiles, and whether the targets were met.

use serde::{Deserialize, Serialize};

use super::contest::{Contest, Limit, Target, Unit};

/// One run of one side, as a measuring process prints it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) contest: String,
    pub(crate) side: String,
    pub(crate) round: usize,
    /// Items a second, or in the contest's unit.
    pub(crate) figure: f64,
}

/// A median and its quartiles.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

/// A side's figure.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    contest: String,
    pub(crate) side: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) figure: Spread,
}

/// One side beside another.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    contest: String,
    pub(crate) side: &'static str,
    pub(crate) against: &'static str,
    pub(crate) ratio: Spread,
    pub(crate) least: f64,
    pub(crate) met: bool,
}

/// One side alone.
#[derive(Debug, Serialize)]
pub(crate) struct Bound {
    contest: String,
    pub(crate) side: &'static str,
    pub(crate) figure: Spread,
    pub(crate) most: f64,
    pub(crate) met: bool,
}

/// All results of one contest.
pub(crate) struct Report {
    name: String,
    pub(crate) group: &'static str,
    pub(crate) label: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) ratios: Vec<Ratio>,
    pub(crate) bounds: Vec<Bound>,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        // Between two values if there is none at the position: the median of an even number of
        // values is the mean of the middle two.
        let at = |part: f64| {
            let place = (values.len() - 1) as f64 * part;
            let (below, above) = (
                values[place.floor() as usize],
                values[place.ceil() as usize],
            );
            below + (above - below) * place.fract()
        };
        Spread {
            low: at(0.25),
            median: at(0.5),
            high: at(0.75),
        }
    }
}

impl Report {
    pub(crate) fn new(contest: &Contest, processes: &[Vec<Record>]) -> Self {
        let name = contest.name();
        let lines = contest
            .sides
            .iter()
            .map(|side| line(&name, contest.unit, side.name, processes));
        let ratios = contest
            .targets
            .iter()
            .map(|target| ratio(&name, *target, processes));
        let bounds = contest
            .limits
            .iter()
            .map(|limit| bound(&name, contest.unit, *limit, processes));
        Report {
            lines: lines.collect(),
            ratios: ratios.collect(),
            bounds: bounds.collect(),
            group: contest.group,
            label: contest.label.clone(),
            name,
        }
    }

    pub(crate) fn print(&self) {
        println!("{}", self.name);
        for line in &self.lines {
            let Spread { low, median, high } = line.figure;
            let (side, unit) = (&line.side, line.unit);
            println!("  {side:<28} {median:>9.3} {unit}  ({low:.3} to {high:.3})");
        }
        for ratio in &self.ratios {
            let Spread { low, median, high } = ratio.ratio;
            let (side, against, least) = (ratio.side, ratio.against, ratio.least);
            let met = met(ratio.met);
            println!(
                "  {side} / {against}: {median:.2} ({low:.2} to {high:.2}), \
                 to be {least} or more: {met}"
            );
        }
        for bound in &self.bounds {
            let (side, most, met) = (bound.side, bound.most, met(bound.met));
            let median = bound.figure.median;
            println!("  {side}: {median:.0}, to be {most} or less: {met}");
        }
    }

    pub(crate) fn print_json(&self) {
        let lines = self.lines.iter().map(serde_json::to_string);
        let ratios = self.ratios.iter().map(serde_json::to_string);
        let bounds = self.bounds.iter().map(serde_json::to_string);
        for json in lines.chain(ratios).chain(bounds) {
            println!("{}", json.unwrap());
        }
    }
}

/// Whether a target was met.
pub(crate) fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

fn line(contest: &str, unit: Unit, side: &'static str, processes: &[Vec<Record>]) -> Line {
    Line {
        contest: contest.to_owned(),
        side,
        unit: unit.words(),
        figure: figures(unit, side, processes),
    }
}

fn bound(contest: &str, unit: Unit, limit: Limit, processes: &[Vec<Record>]) -> Bound {
    let figure = figures(unit, limit.side, processes);
    Bound {
        contest: contest.to_owned(),
        side: limit.side,
        figure,
        most: limit.most,
        met: figure.median <= limit.most,
    }
}

fn figures(unit: Unit, side: &str, processes: &[Vec<Record>]) -> Spread {
    let records = processes.iter().flatten();
    let of_side = records.filter(|record| record.side == side);
    Spread::of(of_side.map(|record| unit.scaled(record.figure)).collect())
}

/// The ratios of two runs in the same round of the same process.
fn ratio(contest: &str, target: Target, processes: &[Vec<Record>]) -> Ratio {
    let pairs = processes.iter().flat_map(|records| {
        let of = |side: &'static str| records.iter().filter(move |record| record.side == side);
        of(target.side).flat_map(move |ours| {
            of(target.against)
                .filter(|theirs| theirs.round == ours.round)
                .map(|theirs| ours.figure / theirs.figure)
        })
    });
    let spread = Spread::of(pairs.collect());
    Ratio {
        contest: contest.to_owned(),
        side: target.side,
        against: target.against,
        ratio: spread,
        least: target.least,
        met: spread.median >= target.least,
    }
}
