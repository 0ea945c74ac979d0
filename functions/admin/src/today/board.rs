//! Lays the jobs of a day out: each in a lane of its pool, over as many rows of a quarter of an hour as it lasts.

use shared::{
    bookings::status::ServiceLocation,
    day_minute::{DayMinute, QUARTER},
};

use super::day::{Day, Job};

/// A day as rows of quarters.
pub(super) struct Board<'a> {
    pub(super) pools: Vec<PoolHead>,
    pub(super) rows: Vec<Row<'a>>,
}

pub(super) struct PoolHead {
    pub(super) location: ServiceLocation,
    /// Places beside each other.
    pub(super) lanes: usize,
}

/// A quarter of an hour.
pub(super) struct Row<'a> {
    pub(super) time: DayMinute,
    pub(super) is_now: bool,
    /// Rows of the slot that begins here.
    pub(super) slot_span: Option<usize>,
    pub(super) pools: Vec<Cells<'a>>,
}

/// The cells of a pool in a row.
pub(super) struct Cells<'a> {
    /// The most jobs at one time of the slot that begins here.
    pub(super) used: usize,
    pub(super) capacity: usize,
    /// Those that begin here.
    pub(super) jobs: Vec<Placed<'a>>,
    /// Stretches of lanes without a job.
    pub(super) free: Vec<usize>,
}

pub(super) struct Placed<'a> {
    pub(super) job: &'a Job,
    pub(super) rows: usize,
}

/// A job in its lane, by rows.
struct Stretch<'a> {
    job: &'a Job,
    lane: usize,
    from: usize,
    until: usize,
}

/// The jobs of a pool.
struct Pool<'a> {
    location: ServiceLocation,
    capacity: usize,
    lanes: usize,
    stretches: Vec<Stretch<'a>>,
}

impl<'a> Board<'a> {
    /// Jobs by time. The board lasts from opening to closing, and longer if jobs do.
    pub(super) fn new(day: &Day, jobs: impl Iterator<Item = &'a Job>) -> Self {
        let jobs: Vec<&Job> = jobs.collect();
        let quarter = |time: DayMinute| time.minutes() / QUARTER;
        let starts = jobs.iter().map(|job| quarter(job.time.into()));
        let ends = jobs.iter().map(|job| job.until().minutes().div_ceil(QUARTER));
        let opens = day.hours.map(|(opens, _)| quarter(opens));
        let closes = day.hours.map(|(_, closes)| quarter(closes));
        let first = starts.chain(opens).min().unwrap_or(0);
        let last = ends.chain(closes).max().unwrap_or(0).max(first + 1);
        let slot = u32::try_from(day.slot_minutes).unwrap_or(60).max(QUARTER) / QUARTER;
        let anchor = opens.unwrap_or(first);
        let pools = [(ServiceLocation::Shop, day.shop_capacity), (ServiceLocation::Home, day.home_capacity)]
            .map(|(location, capacity)| Pool::of(location, capacity, first, &jobs));
        let now = (day.now.date() == day.date).then(|| quarter(day.now.time().into()));
        let begins_slot = |row: u32| row == first || (row + slot * 96 - anchor).is_multiple_of(slot);
        let rows = (first..last).map(|row| {
            let at = index(row - first);
            let next = (row + 1..last).find(|next| begins_slot(*next)).unwrap_or(last);
            let slot_span = begins_slot(row).then(|| index(next - row));
            Row {
                time: DayMinute::at(row * QUARTER).unwrap_or(DayMinute::END),
                is_now: now == Some(row),
                slot_span,
                pools: pools.iter().map(|pool| pool.cells(at, slot_span.unwrap_or(1))).collect(),
            }
        });
        let rows = rows.collect();
        let pools = pools.iter().map(|pool| PoolHead { location: pool.location, lanes: pool.lanes }).collect();
        Self { pools, rows }
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

impl<'a> Pool<'a> {
    /// Puts each job into the first lane that is free when it begins.
    fn of(location: ServiceLocation, capacity: i32, first: u32, jobs: &[&'a Job]) -> Self {
        let capacity = usize::try_from(capacity).unwrap_or_default();
        let mut ends: Vec<usize> = Vec::new();
        let mut stretches = Vec::new();
        for job in jobs.iter().filter(|job| job.location == location) {
            let from = index(DayMinute::from(job.time).minutes() / QUARTER - first);
            let until = index(job.until().minutes().div_ceil(QUARTER) - first).max(from + 1);
            let lane = if let Some((lane, end)) = ends.iter_mut().enumerate().find(|(_, end)| **end <= from) {
                *end = until;
                lane
            } else {
                ends.push(until);
                ends.len() - 1
            };
            stretches.push(Stretch { job, lane, from, until });
        }
        Self { location, capacity, lanes: ends.len().max(capacity).max(1), stretches }
    }

    fn cells(&self, row: usize, slot_rows: usize) -> Cells<'a> {
        let at = |row: usize| self.stretches.iter().filter(move |stretch| (stretch.from..stretch.until).contains(&row));
        let used = (row..row + slot_rows).map(|row| at(row).count()).max().unwrap_or_default();
        let mut jobs: Vec<&Stretch<'_>> = self.stretches.iter().filter(|stretch| stretch.from == row).collect();
        jobs.sort_by_key(|stretch| stretch.lane);
        let taken = at(row).count();
        Cells {
            used,
            capacity: self.capacity,
            jobs: jobs
                .into_iter()
                .map(|stretch| Placed { job: stretch.job, rows: stretch.until - stretch.from })
                .collect(),
            free: if taken < self.lanes { vec![self.lanes - taken] } else { Vec::new() },
        }
    }
}
