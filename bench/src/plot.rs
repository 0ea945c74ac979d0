//! The files of a run, with a picture as SVG: costs of a request, and their growth.

use std::{fmt::Write, fs, path::Path};

use crate::{Result, report::Report};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 16.0;
const LINES_HEIGHT: f64 = 180.0;
const COLOURS: [&str; 4] = ["#2f6f9f", "#c2703d", "#5a8f4e", "#8a5aa0"];

/// A name, and the numbers of its bars or its line.
pub(crate) type Named = (String, Vec<f64>);

impl Report {
    /// Writes `<commit>.json` and the picture `<commit>.svg`.
    pub fn write(&self, directory: &Path) -> Result<()> {
        let file = directory.join(&self.commit);
        fs::write(file.with_extension("json"), serde_json::to_string_pretty(self)? + "\n")?;
        fs::write(file.with_extension("svg"), draw(self))?;
        Ok(())
    }
}

/// Draws a run as SVG.
fn draw(report: &Report) -> String {
    let mut picture = Picture { body: String::new(), y: 30.0 };
    let costs = |numbers: fn(&crate::one_request::Cost) -> Vec<f64>| -> Vec<Named> {
        report.costs.iter().map(|cost| (cost.case.clone(), numbers(cost))).collect()
    };
    picture.text(20.0, &format!("RepairMyBike {} — {}", report.commit, report.machine), "14");
    picture.y += 20.0;
    picture.bars("Cold start to first answer, times the bare function's", &costs(|cost| vec![cost.cold_ratio.median]));
    picture.bars("Warm request, times the bare function's (median)", &costs(|cost| vec![cost.warm_ratio.median]));
    picture.bars("Peak memory, times the bare function's", &costs(|cost| vec![cost.memory_ratio]));
    let one_core: Vec<Named> =
        report.one_core.cases.iter().map(|case| (case.case.clone(), vec![case.cpu_ratio.median])).collect();
    if !one_core.is_empty() {
        picture.bars("Requests that one core has time for, times Django's", &one_core);
    }

    let sizes = series(report.sizes.iter().map(|at| (at.case.as_str(), at.ratio.median)));
    let mut bookings: Vec<u32> = report.sizes.iter().map(|at| at.bookings).collect();
    bookings.sort_unstable();
    bookings.dedup();
    let bookings: Vec<String> = bookings.iter().map(u32::to_string).collect();
    picture.lines("Warm request by bookings on file, times that with the fewest", &bookings, &sizes);

    let cpu = series(report.instances.iter().map(|with| {
        let one = report.instances.iter().find(|one| one.case == with.case).map_or(f64::NAN, |one| one.cpu);
        (with.case.as_str(), with.cpu / one)
    }));
    let throughput = series(report.instances.iter().map(|with| (with.case.as_str(), with.ratio.median)));
    let mut counts: Vec<usize> = report.instances.iter().map(|with| with.instances).collect();
    counts.sort_unstable();
    counts.dedup();
    let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
    picture.lines("Time on a core per request by instances, times that of one", &counts, &cpu);
    picture.lines("Requests per second by instances, times that of one", &counts, &throughput);
    picture.whole()
}

/// Draws graphs of lines over the same places, below each other.
pub(crate) fn lines(title: &str, places: &[String], graphs: &[(&str, &[Named])]) -> String {
    let mut picture = Picture { body: String::new(), y: 30.0 };
    picture.text(20.0, title, "14");
    picture.y += 10.0;
    for (title, named) in graphs {
        picture.lines(title, places, named);
    }
    picture.whole()
}

/// Groups the numbers by name, in the order of the names' first appearance.
fn series<'a>(points: impl Iterator<Item = (&'a str, f64)>) -> Vec<Named> {
    let mut named: Vec<Named> = Vec::new();
    for (name, point) in points {
        match named.iter_mut().find(|(known, _)| known == name) {
            Some((_, points)) => points.push(point),
            None => named.push((name.to_owned(), vec![point])),
        }
    }
    named
}

struct Picture {
    body: String,
    /// The position of the next element.
    y: f64,
}

impl Picture {
    fn whole(self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{0}\" viewBox=\"0 0 {WIDTH} {0}\" \
             font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{1}</svg>\n",
            self.y, self.body
        )
    }

    fn text(&mut self, x: f64, text: &str, size: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(self.body, "<text x=\"{x:.0}\" y=\"{:.0}\" font-size=\"{size}\">{text}</text>", self.y);
    }

    fn bars(&mut self, title: &str, named: &[Named]) {
        self.y += 24.0;
        self.text(20.0, title, "13");
        let most = named.iter().flat_map(|(_, numbers)| numbers).copied().fold(1.0, f64::max);
        for (name, numbers) in named {
            self.y += BAR + 4.0;
            self.text(20.0, name, "12");
            for (number, colour) in numbers.iter().zip(COLOURS) {
                let length = number / most * (WIDTH - LEFT - RIGHT);
                let _ = writeln!(
                    self.body,
                    "<rect x=\"{LEFT}\" y=\"{:.0}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>",
                    self.y - BAR + 3.0
                );
                self.text(LEFT + length + 6.0, &format!("{number:.2}"), "12");
            }
        }
        self.y += 16.0;
    }

    fn lines(&mut self, title: &str, places: &[String], named: &[Named]) {
        self.y += 24.0;
        self.text(20.0, title, "13");
        let most = named.iter().flat_map(|(_, numbers)| numbers).copied().fold(1.0, f64::max);
        let (top, bottom) = (self.y + 16.0, self.y + 16.0 + LINES_HEIGHT);
        let across = |place: usize| {
            let steps = places.len().saturating_sub(1).max(1);
            LEFT + f64::from(u32::try_from(place).unwrap_or_default()) * (WIDTH - LEFT - RIGHT - 60.0)
                / f64::from(u32::try_from(steps).unwrap_or(1))
        };
        let _ = writeln!(
            self.body,
            "<path d=\"M{LEFT} {top:.0}V{bottom:.0}H{:.0}\" fill=\"none\" stroke=\"#999\"/>",
            WIDTH - RIGHT - 60.0
        );
        for height in [0.0, most / 2.0, most] {
            self.y = bottom - height / most * LINES_HEIGHT + 4.0;
            self.text(LEFT - 44.0, &format!("{height:.1}"), "12");
        }
        for ((name, numbers), (order, colour)) in named.iter().zip(COLOURS.iter().enumerate()) {
            let points: Vec<String> = numbers
                .iter()
                .enumerate()
                .filter(|(_, number)| number.is_finite())
                .map(|(place, number)| format!("{:.0},{:.1}", across(place), bottom - number / most * LINES_HEIGHT))
                .collect();
            let _ = writeln!(
                self.body,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                points.join(" ")
            );
            self.y = top + 18.0 * f64::from(u32::try_from(order).unwrap_or_default()) + 8.0;
            let _ = writeln!(
                self.body,
                "<rect x=\"20\" y=\"{:.0}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>",
                self.y - 9.0
            );
            self.text(36.0, name, "12");
        }
        self.y = bottom + 16.0;
        for (place, label) in places.iter().enumerate() {
            self.text(across(place) - 8.0, label, "12");
        }
        self.y += 14.0;
    }
}
