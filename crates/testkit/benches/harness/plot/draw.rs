//! The drawing of a plot: upright bars side by side on white, a grid behind them, and a legend
//! above.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Plot;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// All sizes are in pixels.
const BAR: i32 = 16;
const GAP: i32 = 28;
const MARGIN: i32 = 16;
/// The left edge of the bars, after the figures.
const LEFT: i32 = 64;
const TITLE: i32 = 40;
/// One line of the legend.
const LEGEND: i32 = 20;
/// The unit of the bars.
const AXIS: i32 = 26;
const HIGH: i32 = 260;
/// One line of text below a bar.
const LINE: i32 = 18;
/// The font size that plotters draws as twelve pixels; a heading is larger.
const SMALL: i32 = 15;
const LARGE: i32 = 20;

const INK: RGBColor = RGBColor(36, 41, 47);
const GRID: RGBColor = RGBColor(216, 222, 228);

/// Each side has the same colour in all plots: ours are blue, those by hand are grey.
const COLOURS: [(&str, RGBColor); 19] = [
    ("ours", RGBColor(9, 105, 218)),
    ("ours, boxed", RGBColor(84, 174, 255)),
    ("ours, Reader", RGBColor(84, 174, 255)),
    ("ours, Bytes", RGBColor(162, 210, 255)),
    ("ours, Compat", RGBColor(130, 160, 190)),
    ("ours, feed", RGBColor(162, 210, 255)),
    ("ours, copy", RGBColor(162, 210, 255)),
    ("tokio-util", RGBColor(225, 111, 36)),
    ("tokio-util, tuned", RGBColor(250, 176, 120)),
    ("tokio-util, channel", RGBColor(250, 176, 120)),
    ("UdpFramed", RGBColor(225, 111, 36)),
    ("raw, blocking", RGBColor(66, 74, 83)),
    ("by hand, blocking", RGBColor(66, 74, 83)),
    ("by hand", RGBColor(140, 149, 159)),
    ("tokio", RGBColor(140, 149, 159)),
    ("raw tokio", RGBColor(140, 149, 159)),
    ("tokio copy", RGBColor(140, 149, 159)),
    ("message-io", RGBColor(26, 127, 55)),
    ("asynchronous-codec", RGBColor(130, 80, 223)),
];
/// For other sides, in the order in which they come.
const OTHERS: [RGBColor; 4] = [
    RGBColor(191, 57, 137),
    RGBColor(154, 103, 0),
    RGBColor(27, 124, 131),
    RGBColor(207, 34, 46),
];

pub(super) fn draw(path: &Path, title: &str, plot: &Plot) {
    let sides = sides(plot);
    let wide = width(plot);
    let legend = Legend::new(&sides, wide);
    let top = TITLE + legend.high() + AXIS;
    let lines = plot.bars.iter().map(|bars| bars.label.len()).max();
    let high = top + HIGH + 16 + LINE * lines.unwrap_or(1) as i32;
    let area = SVGBackend::new(path, (wide as u32, high as u32)).into_drawing_area();
    area.fill(&WHITE).unwrap();
    write(&area, title, (MARGIN, 12), LARGE, HPos::Left);
    legend.draw(&area);
    write(&area, &plot.axis, (MARGIN, top - AXIS), SMALL, HPos::Left);
    let scale = Scale::of(plot, top);
    scale.draw(&area, wide);
    bars(&area, plot, &sides, &scale);
    area.present().unwrap();
}

/// The sides with their colours, each once, in the order of the first contest that has it.
fn sides(plot: &Plot) -> Vec<(&str, RGBColor)> {
    let mut sides: Vec<(&str, RGBColor)> = Vec::new();
    let mut others = OTHERS.iter().cycle();
    for (name, _) in plot.bars.iter().flat_map(|bars| &bars.sides) {
        if sides.iter().all(|(known, _)| known != name) {
            let known = COLOURS.iter().find(|(known, _)| known == name);
            let colour = known.map(|(_, colour)| colour).or_else(|| others.next());
            sides.push((name, *colour.unwrap()));
        }
    }
    sides
}

fn width(plot: &Plot) -> i32 {
    let bars = plot.bars.iter().map(|bars| cluster(bars.sides.len()));
    (LEFT + bars.sum::<i32>() + MARGIN).max(480)
}

/// The width of so many bars, with the space around them. A label has to fit below.
fn cluster(bars: usize) -> i32 {
    (bars as i32 * BAR + GAP).max(96)
}

fn write(area: &Area<'_>, text: &str, at: (i32, i32), size: i32, to: HPos) {
    let style = TextStyle::from(("sans-serif", size).into_font())
        .color(&INK)
        .pos(Pos::new(to, VPos::Top));
    area.draw(&Text::new(text.to_owned(), at, style)).unwrap();
}

/// The position of each side's name.
struct Legend<'a>(Vec<(&'a str, RGBColor, (i32, i32))>);

impl<'a> Legend<'a> {
    fn new(sides: &[(&'a str, RGBColor)], wide: i32) -> Self {
        let (mut x, mut y) = (MARGIN, TITLE);
        let place = |(name, colour): &(&'a str, RGBColor)| {
            // A letter is at most 7 pixels wide.
            let needs = 28 + 7 * name.len() as i32;
            if x + needs > wide && x > MARGIN {
                (x, y) = (MARGIN, y + LEGEND);
            }
            let at = (x, y);
            x += needs;
            (*name, *colour, at)
        };
        Legend(sides.iter().map(place).collect())
    }

    fn high(&self) -> i32 {
        self.0.last().map_or(0, |(_, _, (_, y))| y - TITLE) + LEGEND + 12
    }

    fn draw(&self, area: &Area<'_>) {
        for (name, colour, (x, y)) in &self.0 {
            let corners = [(*x, *y), (x + 12, y + 12)];
            area.draw(&Rectangle::new(corners, colour.filled()))
                .unwrap();
            write(area, name, (x + 18, *y), SMALL, HPos::Left);
        }
    }
}

/// From figures to pixels.
struct Scale {
    top: i32,
    step: f64,
    steps: i32,
}

impl Scale {
    /// Up to eight grid lines, at round figures.
    fn of(plot: &Plot, top: i32) -> Self {
        let all = plot.bars.iter().flat_map(|bars| &bars.sides);
        let highest = all
            .map(|(_, figure)| *figure)
            .fold(f64::MIN_POSITIVE, f64::max);
        let ten = 10_f64.powf((highest / 8.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|part| part * ten);
        let step = step.into_iter().find(|step| highest / step <= 8.0);
        let step = step.unwrap_or(highest);
        Scale {
            top,
            step,
            steps: (highest / step).ceil() as i32,
        }
    }

    fn y(&self, figure: f64) -> i32 {
        let part = figure / (self.step * f64::from(self.steps));
        self.top + HIGH - (part * f64::from(HIGH)).round() as i32
    }

    fn draw(&self, area: &Area<'_>, wide: i32) {
        for step in 0..=self.steps {
            let figure = f64::from(step) * self.step;
            let y = self.y(figure);
            let line = vec![(LEFT, y), (wide - MARGIN, y)];
            area.draw(&PathElement::new(line, GRID)).unwrap();
            let digits = usize::from(self.step < 1.0) + usize::from(self.step < 0.1);
            write(
                area,
                &format!("{figure:.digits$}"),
                (LEFT - 8, y - 6),
                SMALL,
                HPos::Right,
            );
        }
    }
}

fn bars(area: &Area<'_>, plot: &Plot, sides: &[(&str, RGBColor)], scale: &Scale) {
    let all: i32 = plot.bars.iter().map(|bars| cluster(bars.sides.len())).sum();
    let more = (width(plot) - LEFT - MARGIN - all) / plot.bars.len() as i32;
    let mut left = LEFT;
    for bars in &plot.bars {
        let wide = cluster(bars.sides.len()) + more;
        let first = left + (wide - bars.sides.len() as i32 * BAR) / 2;
        for (place, (name, figure)) in bars.sides.iter().enumerate() {
            let colour = sides.iter().find(|(side, _)| side == name).unwrap().1;
            let x = first + place as i32 * BAR;
            let corners = [(x + 1, scale.y(*figure)), (x + BAR - 1, scale.y(0.0))];
            area.draw(&Rectangle::new(corners, colour.filled()))
                .unwrap();
        }
        for (line, text) in bars.label.iter().enumerate() {
            let y = scale.y(0.0) + 8 + LINE * line as i32;
            write(area, text, (left + wide / 2, y), SMALL, HPos::Center);
        }
        left += wide;
    }
}
