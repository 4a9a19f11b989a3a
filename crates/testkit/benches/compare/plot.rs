//! Each group as bars: what the sides did, frame length by frame length.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use plotters::prelude::*;
use serde::{Deserialize, Serialize};

use crate::contest::Contest;
use crate::report::{Report, Spread};

/// What a plot shows of one contest.
#[derive(Serialize, Deserialize)]
struct Bars {
    label: String,
    /// Each side's rate as a part of the first one's.
    sides: Vec<(String, f64)>,
}

type Groups = BTreeMap<String, Vec<Bars>>;

/// Adds a contest to its group's plot, and draws that anew.
pub(crate) fn note(directory: &Path, contest: &Contest, report: &Report) {
    fs::create_dir_all(directory).unwrap();
    let figures = directory.join("figures.json");
    let mut groups: Groups = fs::read(&figures)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let group = groups.entry(contest.group.to_owned()).or_default();
    group.retain(|bars| bars.label != contest.label);
    group.push(bars(contest, report));
    let path = directory.join(format!("{}.svg", contest.group.replace(' ', "-")));
    draw(&path, contest.group, group);
    fs::write(figures, serde_json::to_vec_pretty(&groups).unwrap()).unwrap();
}

fn bars(contest: &Contest, report: &Report) -> Bars {
    let Spread { median: first, .. } = report.lines[0].figure;
    let sides = report.lines.iter();
    Bars {
        label: contest.label.clone(),
        sides: sides
            .map(|line| (line.side.to_owned(), line.figure.median / first))
            .collect(),
    }
}

fn draw(path: &Path, title: &str, group: &[Bars]) {
    let area = SVGBackend::new(path, (120 + 100 * group.len() as u32, 320)).into_drawing_area();
    area.fill(&WHITE).unwrap();
    let sides = names(group);
    let highest = group
        .iter()
        .flat_map(|bars| &bars.sides)
        .map(|(_, part)| *part)
        .fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(&area)
        .caption(
            format!("{title}: speed beside {}", sides[0]),
            ("sans-serif", 16),
        )
        .margin(10)
        .x_label_area_size(24)
        .y_label_area_size(40)
        .build_cartesian_2d(0.0..group.len() as f64, 0.0..highest * 1.05)
        .unwrap();
    let label = |at: &f64| {
        group
            .get(*at as usize)
            .map_or("", |bars| &bars.label)
            .to_owned()
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(group.len())
        .x_label_formatter(&label)
        .draw()
        .unwrap();
    let width = 0.8 / sides.len() as f64;
    for (place, side) in sides.iter().enumerate() {
        let colour = Palette99::pick(place).mix(0.9);
        let bar = |(at, bars): (usize, &Bars)| {
            let part = bars.sides.iter().find(|(name, _)| name == side)?.1;
            let left = at as f64 + 0.1 + place as f64 * width;
            Some(Rectangle::new(
                [(left, 0.0), (left + width, part)],
                colour.filled(),
            ))
        };
        let all = group.iter().enumerate().filter_map(bar);
        chart
            .draw_series(all)
            .unwrap()
            .label(side)
            .legend(move |(x, y)| Rectangle::new([(x, y - 4), (x + 8, y + 4)], colour.filled()));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()
        .unwrap();
    area.present().unwrap();
}

/// The sides of a group, each once, in the order of the first contest that has it.
fn names(group: &[Bars]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in group.iter().flat_map(|bars| &bars.sides) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
