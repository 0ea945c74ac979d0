//! Comparison of two runs: the new cost divided by the old one.
//!
//! The runs may be from two machines, or from one under different load, so each cost is first divided by that of the
//! bare function of its own run.

use crate::{
    one_request::Cost,
    report::Report,
    series::{Ratio, number},
    table::table,
};

/// The changes from one run to another, as tables.
pub fn compare(old: &Report, new: &Report) -> String {
    let mut rows = Vec::new();
    let cpu_of_bare = |report: &Report| report.costs.first().map_or(f64::NAN, |bare| bare.cpu);
    for cost in &new.costs {
        let Some(before) = old.costs.iter().find(|before| before.case == cost.case) else { continue };
        let cpu = (cost.cpu / cpu_of_bare(new)) / (before.cpu / cpu_of_bare(old));
        rows.push(vec![
            cost.case.clone(),
            change(before.cold_ratio, cost.cold_ratio),
            change(before.warm_ratio, cost.warm_ratio),
            format!("{cpu:.2}"),
            format!("{:.2}", cost.memory_ratio / before.memory_ratio),
            trips(before, cost),
        ]);
    }
    let costs = table(&["case", "cold", "warm", "CPU", "memory", "round trips"], &rows);
    let mut rows = Vec::new();
    for binary in &new.binaries {
        let Some(before) = old.binaries.iter().find(|before| before.name == binary.name) else { continue };
        rows.push(vec![binary.name.clone(), format!("{:.2}", number(binary.bytes) / number(before.bytes))]);
    }
    let binaries = table(&["binary", "size"], &rows);
    format!(
        "{} against {}: new cost / old cost, each against the bare function of its own run. Figures in brackets are\n\
         within the doubt of the two runs.\n\n{costs}\n{binaries}",
        new.commit, old.commit
    )
}

/// New divided by old; in brackets if their quartiles overlap.
fn change(old: Ratio, new: Ratio) -> String {
    let ratio = new.median / old.median;
    if new.low <= old.high && old.low <= new.high { format!("({ratio:.2})") } else { format!("{ratio:.2}") }
}

fn trips(old: &Cost, new: &Cost) -> String {
    let of = |cost: &Cost| cost.to_postgres + cost.to_redis + cost.to_descope;
    format!("{:.1} → {:.1}", of(old), of(new))
}

#[cfg(test)]
mod tests {
    use super::change;
    use crate::series::Ratio;

    #[test]
    fn a_change_whose_quartiles_overlap_is_in_brackets() {
        let old = Ratio { median: 2.0, low: 1.8, high: 2.2 };
        assert_eq!(change(old, Ratio { median: 2.2, low: 2.1, high: 2.4 }), "(1.10)");
        assert_eq!(change(old, Ratio { median: 3.0, low: 2.9, high: 3.1 }), "1.50");
        assert_eq!(change(old, Ratio { median: 1.0, low: 0.9, high: 1.1 }), "0.50");
    }
}
