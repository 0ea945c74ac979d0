//! `bench history`: the ratios that count, by commit, as a table and a picture.

use std::{fs, path::Path};

use serde::Deserialize;

use crate::{Result, case::Case, plot, report::Report, table::table};

/// What a run has measured; `None` if it did not.
#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    pub commit: String,
    pub at: String,
    /// The value of each of [`COLUMNS`], in their order.
    pub ratios: [Option<f64>; 6],
}

const COLUMNS: [&str; 6] =
    ["cold ×bare", "read ×bare + GET", "booking ×SQL", "memory ×bare", "reads ×Django", "bookings ×Django"];

/// Reads the runs of `known` and of the reports in `directory`, oldest first. A report replaces what is known of its commit.
pub fn read(known: &Path, directory: &Path) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = serde_json::from_slice(&fs::read(known)?)?;
    for file in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = file.path();
        // Other files in the folder are no reports.
        if path.extension().is_some_and(|extension| extension == "json")
            && let Ok(report) = Report::read(&path)
        {
            runs.retain(|run| run.commit != report.commit);
            runs.push(Run::of(&report));
        }
    }
    runs.sort_by(|one, other| one.at.cmp(&other.at));
    Ok(runs)
}

impl Run {
    fn of(report: &Report) -> Self {
        // The first number of a target's result.
        let measured = |start: &str| {
            let target = report.targets.iter().find(|target| target.what.starts_with(start))?;
            target.measured.split(' ').next()?.parse().ok()
        };
        let of_django = |case: Case| report.one_core.ratios(case).map(|(core, _)| core.median);
        Self {
            commit: report.commit.clone(),
            at: report.at.clone(),
            ratios: [
                measured("cold start"),
                measured("warm cached read"),
                measured("booking, against its SQL"),
                measured("peak memory"),
                of_django(Case::CachedRead),
                of_django(Case::Booking),
            ],
        }
    }
}

/// The runs as a table.
pub fn text(runs: &[Run]) -> String {
    let row = |run: &Run| {
        let ratios = run.ratios.iter().map(|ratio| ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")));
        let day = run.at.split(' ').next().unwrap_or_default();
        [format!("`{}`", run.commit), day.to_owned()].into_iter().chain(ratios).collect()
    };
    let columns: Vec<&str> = ["commit", "day"].into_iter().chain(COLUMNS).collect();
    table(&columns, &runs.iter().map(row).collect::<Vec<_>>())
}

/// The runs as SVG, a line for each ratio. A run that did not measure one has no point on its line.
pub fn picture(runs: &[Run]) -> String {
    let commits: Vec<String> = runs.iter().map(|run| run.commit.chars().take(5).collect()).collect();
    let lines: Vec<(String, Vec<f64>)> = COLUMNS
        .iter()
        .enumerate()
        .map(|(place, column)| {
            let ratio = |run: &Run| run.ratios.get(place).copied().flatten().unwrap_or(f64::NAN);
            ((*column).to_owned(), runs.iter().map(ratio).collect())
        })
        .collect();
    let (costs, gains) = lines.split_at(4);
    plot::lines(
        "RepairMyBike, by commit",
        &commits,
        &[("Costs, less is better", costs), ("Requests that one core has time for, more is better", gains)],
    )
}

/// The text with the table between its markers.
pub fn placed(text: &str, table: &str) -> Result<String> {
    const BEGIN: &str = "<!-- history: bench history -->\n";
    const END: &str = "<!-- end of history -->";
    let (before, rest) = text.split_once(BEGIN).ok_or("no place for the history")?;
    let (_, after) = rest.split_once(END).ok_or("no end of the history")?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> Vec<Run> {
        let run = |commit: &str, cold| Run {
            commit: commit.to_owned(),
            at: "2026-11-22 10:00".to_owned(),
            ratios: [cold, Some(1.5), None, None, Some(7.0), None],
        };
        vec![run("aaaaaaaaaa", Some(1.25)), run("bbbbbbbbbb", None)]
    }

    #[test]
    fn a_ratio_that_was_not_measured_is_a_dash_and_no_point() {
        let row = text(&runs()).lines().last().unwrap().to_owned();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells, ["", "`bbbbbbbbbb`", "2026-11-22", "–", "1.50", "–", "–", "7.00", "–", ""]);
        assert!(!picture(&runs()).contains("NaN"));
    }

    #[test]
    fn the_table_replaces_what_is_between_its_markers() {
        let page = "before\n<!-- history: bench history -->\nold\n<!-- end of history -->\nafter";
        let new = "before\n<!-- history: bench history -->\nnew\n<!-- end of history -->\nafter";
        assert_eq!(placed(page, "new\n").unwrap(), new);
        assert!(placed("a page without a place", "new").is_err());
    }
}
