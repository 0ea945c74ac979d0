//! Appointment rules: slots, opening hours, notice and horizon. Pure functions; times are the shop's local time.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use serde::Deserialize;

use super::occupied::Occupied;
use crate::{Faults, day_minute::DayMinute};

/// The opening hours and slot length of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct OpenDay {
    pub date: NaiveDate,
    /// Start of the first slot.
    pub opens_at: DayMinute,
    /// Every job must end by this time.
    pub closes_at: DayMinute,
    pub slot_minutes: u32,
}

impl OpenDay {
    /// Start times of all slots.
    pub fn slots(&self) -> Vec<NaiveTime> {
        let step = usize::try_from(self.slot_minutes.max(1)).unwrap_or(1);
        let minutes = (self.opens_at.minutes()..self.closes_at.minutes()).step_by(step);
        minutes.filter_map(DayMinute::at).filter_map(DayMinute::start).collect()
    }

    /// What a job occupies that starts at `start`: whole slots, the last one at most to closing. `None` if `start` is not
    /// a slot or the job would end after closing. A job longer than the day must start at opening, and takes the whole day.
    pub fn occupied(&self, start: NaiveTime, duration_minutes: u32) -> Option<Occupied> {
        if !self.slots().contains(&start) {
            return None;
        }
        let start = DayMinute::from(start);
        let open_minutes = self.closes_at.minutes() - self.opens_at.minutes();
        let left_minutes = self.closes_at.minutes() - start.minutes();
        if duration_minutes > open_minutes {
            return (start == self.opens_at).then(|| Occupied::new(start, open_minutes));
        }
        let whole_slots = duration_minutes.next_multiple_of(self.slot_minutes.max(1));
        (duration_minutes <= left_minutes).then(|| Occupied::new(start, whole_slots.min(left_minutes)))
    }

    /// What a job occupies under these rules. At the counter it may start at any minute of the day and takes its own time
    /// only, and under [`Rules::Overbook`] the time up to closing if it lasts longer.
    pub fn occupied_under(&self, rules: Rules, start: NaiveTime, duration_minutes: u32) -> Option<Occupied> {
        let left_minutes = self.closes_at.minutes().checked_sub(DayMinute::from(start).minutes())?;
        let is_whole_day = DayMinute::from(start) == self.opens_at && duration_minutes > left_minutes;
        match rules {
            Rules::Customer => self.occupied(start, duration_minutes),
            Rules::Counter if duration_minutes > left_minutes && !is_whole_day => None,
            Rules::Counter | Rules::Overbook => Some(Occupied::new(start, duration_minutes.min(left_minutes))),
        }
    }
}

/// Which rules bind an appointment: those for customers, or those for the shop's people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Calendar, notice, horizon, slots and capacity.
    Customer,
    /// Opening hours and capacity: any minute of an open day, also one that has passed today.
    Counter,
    /// Opening hours only: work may last beyond closing, and a full time is overbooked, which the timeline records.
    Overbook,
}

/// The period open for booking, relative to now.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The shop's local time.
    pub now: NaiveDateTime,
    /// The shop's local time once the notice has passed: hours that a clock skips or repeats are counted as they pass.
    pub earliest: NaiveDateTime,
    pub minimum_notice_minutes: i32,
    pub booking_horizon_days: i32,
}

impl Window {
    /// Whether the day is neither past nor beyond the horizon.
    pub fn holds_day(&self, date: NaiveDate) -> bool {
        self.now.date() <= date && date <= self.last_day()
    }

    /// Whether the start is at least the minimum notice ahead.
    pub fn gives_notice(&self, date: NaiveDate, time: NaiveTime) -> bool {
        date.and_time(time) >= self.earliest
    }

    fn last_day(&self) -> NaiveDate {
        let days = u64::try_from(self.booking_horizon_days).unwrap_or_default();
        self.now.date().checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
    }
}

/// Checks an appointment: returns what the job occupies, or the fault under the field to fix.
pub fn check(
    (date, time): (NaiveDate, NaiveTime),
    duration_minutes: u32,
    day: Option<&OpenDay>,
    window: &Window,
    rules: Rules,
) -> Result<Occupied, Faults> {
    let of_date = |sentence: &str| Err(Faults::from(("appointment_date", sentence)));
    let of_time = |sentence: &str| Err(Faults::from(("appointment_time", sentence)));
    if date < window.now.date() {
        return of_date("The appointment cannot be in the past.");
    }
    if rules == Rules::Customer && !window.holds_day(date) {
        return of_date(&format!("Bookings are taken up to {} days ahead.", window.booking_horizon_days));
    }
    let Some(day) = day else {
        return of_date("The shop is closed on this day.");
    };
    if !(day.opens_at..day.closes_at).contains(&time.into()) {
        let (open, close) = (day.opens_at, day.closes_at);
        return of_time(&format!("The shop is open from {open} to {close} on this day."));
    }
    if rules == Rules::Customer && !day.slots().contains(&time) {
        let (minutes, open) = (day.slot_minutes, day.opens_at);
        return of_time(&format!("Appointments start every {minutes} minutes from {open}."));
    }
    if rules == Rules::Customer && !window.gives_notice(date, time) {
        return of_time(&format!("Please book at least {} minutes ahead.", window.minimum_notice_minutes));
    }
    match day.occupied_under(rules, time, duration_minutes) {
        Some(occupied) => Ok(occupied),
        None => of_time(&format!("The work takes {duration_minutes} minutes and would not be done by closing time.")),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::day_minute::QUARTER;

    fn time(text: &str) -> NaiveTime {
        text.parse().or_else(|_| format!("{text}:00").parse()).unwrap()
    }

    fn at(text: &str) -> DayMinute {
        text.parse().unwrap()
    }

    /// The minutes that a job occupies from its start.
    fn minutes(day: &OpenDay, start: &str, duration: u32) -> Option<u32> {
        day.occupied(time(start), duration).map(Occupied::minutes)
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// A Monday, open from 09:00 to 19:00 in one-hour slots.
    fn monday() -> OpenDay {
        OpenDay { date: date("2026-11-23"), opens_at: at("09:00"), closes_at: at("19:00"), slot_minutes: 60 }
    }

    fn window() -> Window {
        let now = date("2026-11-23").and_time(time("10:30"));
        Window { now, earliest: now + TimeDelta::hours(1), minimum_notice_minutes: 60, booking_horizon_days: 60 }
    }

    fn fault(day: &str, start: &str, minutes: u32, hours: Option<&OpenDay>) -> serde_json::Value {
        serde_json::json!(check((date(day), time(start)), minutes, hours, &window(), Rules::Customer).unwrap_err())
    }

    #[test]
    fn slots_start_at_opening_and_end_before_closing() {
        let slots = monday().slots();
        assert_eq!(slots.first(), Some(&time("09:00")));
        assert_eq!(slots.last(), Some(&time("18:00")));
        assert_eq!(slots.len(), 10);
    }

    #[test]
    fn a_job_occupies_as_many_whole_slots_as_its_minutes_need() {
        assert_eq!(minutes(&monday(), "10:00", 60), Some(60));
        assert_eq!(minutes(&monday(), "10:00", 61), Some(120));
        assert_eq!(minutes(&monday(), "17:00", 120), Some(120));
        let day = OpenDay { slot_minutes: 45, ..monday() };
        assert_eq!(day.occupied(time("09:45"), 90), Some(Occupied::new(at("09:45"), 90)));
    }

    #[test]
    fn a_job_is_done_by_closing_time() {
        assert_eq!(minutes(&monday(), "18:00", 60), Some(60));
        for (start, duration) in [("18:00", 61), ("19:00", 10), ("10:30", 10), ("08:00", 10)] {
            assert_eq!(minutes(&monday(), start, duration), None, "{start}");
        }
    }

    #[test]
    fn a_job_longer_than_the_day_occupies_the_whole_day_from_opening() {
        assert_eq!(minutes(&monday(), "09:00", 601), Some(600));
        assert_eq!(minutes(&monday(), "10:00", 601), None);
        assert_eq!(minutes(&monday(), "09:00", 600), Some(600));
    }

    #[test]
    fn a_partial_last_slot_takes_only_jobs_that_fit() {
        let day = OpenDay { closes_at: at("19:30"), ..monday() };
        assert_eq!(day.slots().last(), Some(&time("19:00")));
        assert_eq!(minutes(&day, "19:00", 30), Some(30));
        assert_eq!(minutes(&day, "19:00", 31), None);
    }

    #[test]
    fn a_day_may_last_until_midnight() {
        let day = OpenDay { opens_at: at("22:00"), closes_at: DayMinute::END, slot_minutes: 45, ..monday() };
        assert_eq!(day.slots(), [time("22:00"), time("22:45"), time("23:30")]);
        assert_eq!((minutes(&day, "23:30", 30), minutes(&day, "23:30", 31)), (Some(30), None));
    }

    #[test]
    fn each_fault_names_the_field_to_fix() {
        let open = monday();
        let far = OpenDay { date: date("2027-01-22"), ..open };
        let cases = [
            ("2026-11-22", "11:30", 60, Some(&open), "appointment_date", "The appointment cannot be in the past."),
            ("2027-01-23", "12:00", 60, Some(&far), "appointment_date", "Bookings are taken up to 60 days ahead."),
            ("2026-11-24", "12:00", 60, None, "appointment_date", "The shop is closed on this day."),
            (
                "2026-11-23",
                "08:00",
                60,
                Some(&open),
                "appointment_time",
                "The shop is open from 09:00 to 19:00 on this day.",
            ),
            (
                "2026-11-23",
                "19:00",
                60,
                Some(&open),
                "appointment_time",
                "The shop is open from 09:00 to 19:00 on this day.",
            ),
            (
                "2026-11-23",
                "12:30",
                60,
                Some(&open),
                "appointment_time",
                "Appointments start every 60 minutes from 09:00.",
            ),
            ("2026-11-23", "11:00", 60, Some(&open), "appointment_time", "Please book at least 60 minutes ahead."),
            (
                "2026-11-23",
                "17:00",
                150,
                Some(&open),
                "appointment_time",
                "The work takes 150 minutes and would not be done by closing time.",
            ),
        ];
        for (day, start, minutes, hours, field, sentence) in cases {
            assert_eq!(fault(day, start, minutes, hours), serde_json::json!({ field: [sentence] }));
        }
    }

    #[test]
    fn notice_and_horizon_are_inclusive() {
        let open = monday();
        let now = |now: &str| {
            let now = date("2026-11-23").and_time(time(now));
            Window { now, earliest: now + TimeDelta::hours(1), ..window() }
        };
        let start = (date("2026-11-23"), time("12:00"));
        let hour = Ok(Occupied::new(start.1, 60));
        assert_eq!(check(start, 60, Some(&open), &now("11:00"), Rules::Customer), hour);
        assert!(check(start, 60, Some(&open), &now("11:00:01"), Rules::Customer).is_err());
        let last = OpenDay { date: date("2027-01-22"), ..open };
        assert_eq!(check((last.date, time("12:00")), 60, Some(&last), &window(), Rules::Customer), hour);
    }

    #[test]
    fn neither_notice_horizon_nor_slots_bind_the_counter() {
        let open = monday();
        let at_the_counter = |day: &str, start: &str, minutes, hours: Option<&OpenDay>, rules| {
            check((date(day), time(start)), minutes, hours, &window(), rules).ok().map(Occupied::minutes)
        };
        let far = OpenDay { date: date("2027-06-21"), ..open };
        for rules in [Rules::Counter, Rules::Overbook] {
            assert_eq!(at_the_counter("2026-11-23", "10:37", 50, Some(&open), rules), Some(50));
            assert_eq!(at_the_counter("2026-11-23", "09:00", 60, Some(&open), rules), Some(60));
            assert_eq!(at_the_counter("2027-06-21", "12:10", 60, Some(&far), rules), Some(60));
            assert_eq!(at_the_counter("2026-11-22", "12:00", 60, Some(&open), rules), None);
            assert_eq!(at_the_counter("2026-11-23", "08:59", 60, Some(&open), rules), None);
            assert_eq!(at_the_counter("2026-11-23", "19:00", 60, Some(&open), rules), None);
            assert_eq!(at_the_counter("2026-11-24", "12:00", 60, None, rules), None);
        }
        assert_eq!(at_the_counter("2026-11-23", "18:00", 61, Some(&open), Rules::Counter), None);
        assert_eq!(at_the_counter("2026-11-23", "09:00", 601, Some(&open), Rules::Counter), Some(600));
        assert_eq!(at_the_counter("2026-11-23", "18:00", 61, Some(&open), Rules::Overbook), Some(60));
    }

    proptest! {
        #[test]
        fn a_job_occupies_whole_quarters_from_a_slot_that_cover_its_duration(
            opens in 0_u32..95, length in 1_u32..96, slot in 1_u32..=96, duration in 1_u32..2000, index in 0_usize..50,
        ) {
            let closes = (opens + length).min(96) * QUARTER;
            let opens = opens * QUARTER;
            let day = OpenDay {
                date: date("2026-11-23"),
                opens_at: DayMinute::at(opens).unwrap(),
                closes_at: DayMinute::at(closes).unwrap(),
                slot_minutes: slot * QUARTER,
            };
            let slots = day.slots();
            let start = slots[index % slots.len()];
            if let Some(occupied) = day.occupied(start, duration) {
                let quarters: Vec<u32> = occupied.quarters().map(DayMinute::minutes).collect();
                let first = DayMinute::from(start).minutes();
                let last = first + occupied.minutes();
                prop_assert_eq!(&quarters, &(first..last).step_by(15).collect::<Vec<_>>());
                prop_assert!(last <= closes);
                // A job longer than the day takes all of it.
                prop_assert!(occupied.minutes() >= duration.min(closes - opens));
                // Another job can start where this one ends, unless the day is over.
                prop_assert!(last == closes || slots.contains(&DayMinute::at(last).unwrap().start().unwrap()));
                prop_assert_eq!(Occupied::stored(start, i32::try_from(occupied.minutes()).unwrap()), occupied);
            }
        }
    }
}
