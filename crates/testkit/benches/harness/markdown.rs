//! The results as tables for a document.

use super::report::{Report, Spread, met};

pub(crate) fn print(reports: &[Report]) {
    for group in reports.chunk_by(|one, next| one.group == next.group) {
        println!("\n### {}\n", group[0].group);
        print_figures(group);
        print_targets(group);
    }
}

fn print_figures(group: &[Report]) {
    let sides = sides(group);
    println!("| | {} |", sides.join(" | "));
    println!("|---|{}", "---|".repeat(sides.len()));
    for report in group {
        let figure = |side: &&str| {
            let line = report.lines.iter().find(|line| line.side == *side);
            line.map_or(String::new(), |line| short(line.figure.median))
        };
        let figures: Vec<_> = sides.iter().map(figure).collect();
        let (label, unit) = (&report.label, report.lines[0].unit);
        println!("| {label}, {unit} | {} |", figures.join(" | "));
    }
}

fn print_targets(group: &[Report]) {
    if group
        .iter()
        .all(|report| report.ratios.is_empty() && report.bounds.is_empty())
    {
        return;
    }
    println!("\n| | | median | quartiles | target | |\n|---|---|---|---|---|---|");
    for report in group {
        let label = &report.label;
        for ratio in &report.ratios {
            let (side, against, least) = (ratio.side, ratio.against, ratio.least);
            let (figures, met) = (figures(ratio.ratio), met(ratio.met));
            println!("| {label} | {side} / {against} | {figures} | ≥ {least} | {met} |");
        }
        for bound in &report.bounds {
            let (side, most, met) = (bound.side, bound.most, met(bound.met));
            println!(
                "| {label} | {side} | {} | ≤ {most} | {met} |",
                figures(bound.figure)
            );
        }
    }
}

fn figures(Spread { low, median, high }: Spread) -> String {
    format!("{} | {} to {}", short(median), short(low), short(high))
}

/// Three significant digits.
fn short(figure: f64) -> String {
    match figure {
        100.0.. => format!("{figure:.0}"),
        10.0.. => format!("{figure:.1}"),
        1.0.. => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

/// The sides of a group, each once, in the order of the first contest that has it.
fn sides(group: &[Report]) -> Vec<&'static str> {
    let mut sides = Vec::new();
    for line in group.iter().flat_map(|report| &report.lines) {
        if !sides.contains(&line.side) {
            sides.push(line.side);
        }
    }
    sides
}
