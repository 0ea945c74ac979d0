//! What the bench is to show, and whether it does.

use serde::{Deserialize, Serialize};

use crate::{
    away::FirstAnswer,
    case::Case,
    many_requests::{AtSize, Rush},
    memory::Peak,
    one_core::OneCore,
    one_request::{Compared, Cost},
    series::Ratio,
};

/// A target and whether it is met.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// What is compared, and with what.
    pub what: String,
    /// The value to reach.
    pub target: String,
    pub measured: String,
    /// `None` if it was not measured.
    pub is_met: Option<bool>,
}

/// The targets of a run.
pub(crate) fn targets(
    (costs, others): (&[Cost], &[Peak]),
    compared: &Compared,
    away: &[FirstAnswer],
    sizes: &[AtSize],
    one_core: &OneCore,
    rush: &Rush,
) -> Vec<Target> {
    let measured = |ratio: Option<Ratio>| ratio.map_or_else(|| "–".to_owned(), |ratio| ratio.to_string());
    let at_most = |what: &str, ratio: Option<Ratio>, limit: f64| Target {
        what: what.to_owned(),
        target: format!("≤ {limit} ×"),
        measured: measured(ratio),
        is_met: ratio.map(|ratio| ratio.median <= limit),
    };
    let of_django = |what: &str, case: Case| {
        let ratios = one_core.ratios(case);
        let told = |(core, clock): (Ratio, Ratio)| format!("{core}; by the clock {clock}");
        Target {
            what: format!("{what} that one core has time for, against Django"),
            target: "≥ 10 ×".to_owned(),
            measured: ratios.map_or_else(|| "–".to_owned(), told),
            is_met: ratios.map(|(core, _)| core.median >= 10.0),
        }
    };
    let cold = costs.iter().find(|cost| cost.case == Case::CachedRead.name()).map(|cost| cost.cold_ratio);
    let first = |case: Case| away.iter().find(|answer| answer.case == case.name()).map(|answer| answer.ratio);
    let bookings = || sizes.iter().map(|at| at.bookings);
    let (least, most) = (bookings().min().unwrap_or_default(), bookings().max().unwrap_or_default());
    let growth = |case: Case| {
        let ratio = sizes.iter().find(|at| at.case == case.name() && at.bookings == most).map(|at| at.ratio);
        at_most(&format!("{}, {most} bookings against {least}", case.name()), ratio, 1.5)
    };
    let of_timed = costs.iter().map(|cost| (cost.memory_ratio, &cost.case));
    let of_others = others.iter().map(|other| (other.ratio, &other.case));
    let heaviest = of_timed.chain(of_others).max_by(|(one, _), (other, _)| one.total_cmp(other));
    let is_exact =
        rush.accepted as u64 == rush.capacity.unsigned_abs() && rush.booked == rush.capacity && rush.other == 0;
    vec![
        at_most("cold start to first answered cached read, against a bare function", cold, 1.5),
        at_most(
            "the same as on AWS, against a bare function with its handshakes in a row",
            first(Case::CachedRead),
            1.0,
        ),
        at_most("the same to the first booking", first(Case::Booking), 1.0),
        at_most("warm cached read, against a bare function with one Redis GET", Some(compared.read), 1.3),
        at_most("booking, against its SQL as one prepared pgbench script", compared.booking, 1.5),
        at_most("the panel's list of bookings, against the staff list of the API", Some(compared.panel), 2.0),
        at_most("the panel's board with 200 jobs, against the staff list of the API", Some(compared.board), 2.0),
        growth(Case::StaffList),
        growth(Case::PanelList),
        growth(Case::Slots),
        Target {
            what: format!(
                "peak memory of any function ({} is the highest), against a bare one",
                heaviest.map(|(_, case)| case.as_str()).unwrap_or_default()
            ),
            target: "≤ 2.5 ×".to_owned(),
            measured: heaviest.map_or_else(|| "–".to_owned(), |(ratio, _)| format!("{ratio:.2}")),
            is_met: heaviest.map(|(ratio, _)| ratio <= 2.5),
        },
        of_django("cached reads", Case::CachedRead),
        of_django("bookings", Case::Booking),
        Target {
            what: format!(
                "bookings accepted of {} attempts at once at a slot for {}, by {} instances",
                rush.attempts, rush.capacity, rush.instances
            ),
            target: format!("{}, no 5xx", rush.capacity),
            measured: format!(
                "{}, {} on file, {} with 409, {} other",
                rush.accepted, rush.booked, rush.refused, rush.other
            ),
            is_met: Some(is_exact),
        },
    ]
}
