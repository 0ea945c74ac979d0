//! The simulation against the measured runs of the report in this folder.

use std::path::Path;

use bench::{report::Report, simulate};

fn report() -> bench::Result<Report> {
    Report::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report.json"))
}

#[test]
fn runs_with_many_instances_are_simulated_as_they_were_measured() {
    let checks = simulate::check(&report().unwrap()).unwrap();
    let errors: Vec<_> =
        checks.iter().map(|check| (check.case.as_str(), check.simulated / check.measured - 1.0)).collect();
    let cases: Vec<&str> = errors.iter().map(|(case, _)| *case).collect();
    assert_eq!(cases, ["cached read", "slots", "booking"]);
    assert!(errors.iter().all(|(_, error)| error.abs() < 0.5), "{errors:?}");
}

#[test]
fn a_report_is_simulated_the_same_each_time_and_more_bookings_need_more() {
    let report = report().unwrap();
    let (text, again) = (simulate::text(&report).unwrap(), simulate::text(&report).unwrap());
    assert_eq!(text, again);
    // The environments that are busy at once, without options, on the smallest class.
    let busy: Vec<usize> = text
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells.get(2..4) == Some(&["db.t4g.micro", "nothing"]))
        .map(|cells| cells[4].rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(busy.len() == 3 && busy[0] < busy[1] && busy[1] < busy[2], "{busy:?}");
}
