//! Each group as bars: the results of the sides, contest by contest.

mod draw;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::contest::{Contest, Unit};
use super::report::Report;

/// A plot, and its measurements.
#[derive(Default, Serialize, Deserialize)]
struct Plot {
    /// The unit of the bars' height.
    axis: String,
    bars: Vec<Bars>,
}

/// The part of one contest in a plot.
#[derive(Serialize, Deserialize)]
struct Bars {
    /// The lines of text below it.
    label: Vec<String>,
    sides: Vec<(String, f64)>,
}

/// Adds a contest to its plot, and draws the plot anew. The measurements are stored beside it, for
/// the contests of another run.
pub(crate) fn note(directory: &Path, contest: &Contest, report: &Report) {
    fs::create_dir_all(directory).unwrap();
    let figures = directory.join("figures.json");
    let mut plots: BTreeMap<String, Plot> = fs::read(&figures)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let title = title(contest);
    let plot = plots.entry(title.to_owned()).or_default();
    axis(contest).clone_into(&mut plot.axis);
    let bars = bars(contest, report);
    match plot.bars.iter_mut().find(|known| known.label == bars.label) {
        Some(known) => *known = bars,
        None => plot.bars.push(bars),
    }
    let path = directory.join(format!("{}.svg", title.replace(' ', "-")));
    draw::draw(&path, title, plot);
    fs::write(figures, serde_json::to_vec_pretty(&plots).unwrap()).unwrap();
}

/// Codecs stand together.
fn title(contest: &Contest) -> &'static str {
    match contest.group {
        "decode struct" | "decode line" | "encode struct" => "codecs in memory",
        group => group,
    }
}

fn axis(contest: &Contest) -> &'static str {
    match contest.payload {
        Some(_) => "GB of payload a second, by length of frame",
        None => contest.unit.words(),
    }
}

fn bars(contest: &Contest, report: &Report) -> Bars {
    let mut label = vec![contest.label.clone()];
    if title(contest) != contest.group {
        label.push(contest.group.to_owned());
    }
    // Frames are in millions a second; bytes are in GB already.
    let scale = match (contest.unit, contest.payload) {
        (Unit::Frames, Some(payload)) => payload as f64 / 1e3,
        _ => 1.0,
    };
    let sides = report.lines.iter();
    Bars {
        label,
        sides: sides
            .map(|line| (line.side.to_owned(), line.figure.median * scale))
            .collect(),
    }
}
