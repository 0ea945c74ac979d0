//! Appointment rules: slots, opening hours, notice and horizon. Pure functions; times are the shop's local time.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use serde::Deserialize;

use crate::Faults;

/// The opening hours and slot length of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct OpenDay {
    pub date: NaiveDate,
    /// Start of the first slot.
    pub opens_at: NaiveTime,
    /// Every job must end by this time.
    pub closes_at: NaiveTime,
    pub slot_minutes: u32,
}

impl OpenDay {
    /// Start times of all slots.
    pub fn slots(&self) -> Vec<NaiveTime> {
        let step = usize::try_from(self.slot_minutes.max(1)).unwrap_or(1);
        (minute(self.opens_at)..minute(self.closes_at)).step_by(step).filter_map(at_minute).collect()
    }

    /// The slots of a job that starts at `start`; `None` if `start` is not a slot or the job would end after closing.
    /// A job longer than the day must start at opening, and takes the whole day.
    pub fn slots_for(&self, start: NaiveTime, duration_minutes: u32) -> Option<Vec<NaiveTime>> {
        let slots = self.slots();
        let first = slots.iter().position(|slot| *slot == start)?;
        let open_minutes = minute(self.closes_at) - minute(self.opens_at);
        if duration_minutes > open_minutes {
            return (first == 0).then_some(slots);
        }
        if minute(start) + duration_minutes > minute(self.closes_at) {
            return None;
        }
        let count = usize::try_from(duration_minutes.div_ceil(self.slot_minutes.max(1))).ok()?;
        slots.get(first..first + count).map(<[NaiveTime]>::to_vec)
    }
}

/// The period open for booking, relative to now.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The shop's local time.
    pub now: NaiveDateTime,
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
        date.and_time(time) >= self.now + TimeDelta::minutes(self.minimum_notice_minutes.into())
    }

    fn last_day(&self) -> NaiveDate {
        let days = u64::try_from(self.booking_horizon_days).unwrap_or_default();
        self.now.date().checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
    }
}

/// Checks an appointment: returns the slots that the job takes, or the fault under the field to fix.
pub fn check(
    (date, time): (NaiveDate, NaiveTime),
    duration_minutes: u32,
    day: Option<&OpenDay>,
    window: &Window,
) -> Result<Vec<NaiveTime>, Faults> {
    let of_date = |sentence: &str| Err(Faults::from(("appointment_date", sentence)));
    let of_time = |sentence: &str| Err(Faults::from(("appointment_time", sentence)));
    if date < window.now.date() {
        return of_date("The appointment cannot be in the past.");
    }
    if !window.holds_day(date) {
        return of_date(&format!("Bookings are taken up to {} days ahead.", window.booking_horizon_days));
    }
    let Some(day) = day else {
        return of_date("The shop is closed on this day.");
    };
    if time < day.opens_at || time >= day.closes_at {
        let (open, close) = (day.opens_at.format("%H:%M"), day.closes_at.format("%H:%M"));
        return of_time(&format!("The shop is open from {open} to {close} on this day."));
    }
    if !day.slots().contains(&time) {
        let (minutes, open) = (day.slot_minutes, day.opens_at.format("%H:%M"));
        return of_time(&format!("Appointments start every {minutes} minutes from {open}."));
    }
    if !window.gives_notice(date, time) {
        return of_time(&format!("Please book at least {} minutes ahead.", window.minimum_notice_minutes));
    }
    match day.slots_for(time, duration_minutes) {
        Some(slots) => Ok(slots),
        None => of_time(&format!("The work takes {duration_minutes} minutes and would not be done by closing time.")),
    }
}

fn minute(time: NaiveTime) -> u32 {
    time.num_seconds_from_midnight() / 60
}

fn at_minute(minute: u32) -> Option<NaiveTime> {
    NaiveTime::from_hms_opt(minute / 60, minute % 60, 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> NaiveTime {
        text.parse().or_else(|_| format!("{text}:00").parse()).unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// A Monday, open from 09:00 to 19:00 in one-hour slots.
    fn monday() -> OpenDay {
        OpenDay { date: date("2026-11-23"), opens_at: time("09:00"), closes_at: time("19:00"), slot_minutes: 60 }
    }

    fn window() -> Window {
        let now = date("2026-11-23").and_time(time("10:30"));
        Window { now, minimum_notice_minutes: 60, booking_horizon_days: 60 }
    }

    fn fault(day: &str, start: &str, minutes: u32, hours: Option<&OpenDay>) -> serde_json::Value {
        serde_json::json!(check((date(day), time(start)), minutes, hours, &window()).unwrap_err())
    }

    #[test]
    fn slots_start_at_opening_and_end_before_closing() {
        let slots = monday().slots();
        assert_eq!(slots.first(), Some(&time("09:00")));
        assert_eq!(slots.last(), Some(&time("18:00")));
        assert_eq!(slots.len(), 10);
    }

    #[test]
    fn a_job_takes_as_many_slots_in_a_row_as_its_minutes_need() {
        assert_eq!(monday().slots_for(time("10:00"), 60), Some(vec![time("10:00")]));
        assert_eq!(monday().slots_for(time("10:00"), 61), Some(vec![time("10:00"), time("11:00")]));
        assert_eq!(monday().slots_for(time("17:00"), 120), Some(vec![time("17:00"), time("18:00")]));
    }

    #[test]
    fn a_job_is_done_by_closing_time() {
        assert_eq!(monday().slots_for(time("18:00"), 60), Some(vec![time("18:00")]));
        assert_eq!(monday().slots_for(time("18:00"), 61), None);
        assert_eq!(monday().slots_for(time("19:00"), 10), None);
        assert_eq!(monday().slots_for(time("10:30"), 10), None);
    }

    #[test]
    fn a_job_longer_than_the_day_takes_the_whole_day_from_opening() {
        assert_eq!(monday().slots_for(time("09:00"), 601), Some(monday().slots()));
        assert_eq!(monday().slots_for(time("10:00"), 601), None);
        assert_eq!(monday().slots_for(time("09:00"), 600), Some(monday().slots()));
    }

    #[test]
    fn a_partial_last_slot_takes_only_jobs_that_fit() {
        let day = OpenDay { closes_at: time("19:30"), ..monday() };
        assert_eq!(day.slots().last(), Some(&time("19:00")));
        assert_eq!(day.slots_for(time("19:00"), 30), Some(vec![time("19:00")]));
        assert_eq!(day.slots_for(time("19:00"), 31), None);
    }

    #[test]
    fn slots_stop_before_midnight() {
        let day = OpenDay { opens_at: time("22:00"), closes_at: time("23:59"), ..monday() };
        assert_eq!(day.slots(), [time("22:00"), time("23:00")]);
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
        let at = |now: &str| Window { now: date("2026-11-23").and_time(time(now)), ..window() };
        let start = (date("2026-11-23"), time("12:00"));
        assert_eq!(check(start, 60, Some(&open), &at("11:00")), Ok(vec![time("12:00")]));
        assert!(check(start, 60, Some(&open), &at("11:00:01")).is_err());
        let last = OpenDay { date: date("2027-01-22"), ..open };
        assert_eq!(check((last.date, time("12:00")), 60, Some(&last), &window()), Ok(vec![time("12:00")]));
    }

    proptest! {
        #[test]
        fn a_job_takes_consecutive_slots_that_cover_its_duration(
            opens in 0_u32..1380, length in 1_u32..1440, slot_minutes in 5_u32..240, duration in 1_u32..2000, index in 0_usize..50,
        ) {
            let closes = (opens + length).min(1439);
            let day = OpenDay {
                date: date("2026-11-23"), opens_at: at_minute(opens).unwrap(), closes_at: at_minute(closes).unwrap(), slot_minutes,
            };
            let slots = day.slots();
            let start = slots[index % slots.len()];
            if let Some(taken) = day.slots_for(start, duration) {
                prop_assert_eq!(taken[0], start);
                let first = slots.iter().position(|slot| *slot == start).unwrap();
                prop_assert_eq!(&slots[first..first + taken.len()], &taken[..]);
                let is_whole_day = duration > closes - opens;
                prop_assert!(is_whole_day || minute(start) + duration <= closes);
                prop_assert!(is_whole_day || u32::try_from(taken.len()).unwrap() * slot_minutes >= duration);
            }
        }
    }
}
