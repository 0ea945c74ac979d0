//! The period of a report, and the days, weeks or months that it is cut into.

use chrono::{Datelike, Days, NaiveDate};

use crate::{kit::ask::Ask, words::day_text};

/// What a report has a row for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Day,
    Week,
    Month,
}

impl By {
    pub(super) const ALL: [(Self, &str, &str); 3] =
        [(Self::Day, "day", "Day"), (Self::Week, "week", "Week"), (Self::Month, "month", "Month")];

    pub(super) fn of(ask: &Ask) -> Self {
        let by = ask.value("by");
        Self::ALL.into_iter().find(|(_, name, _)| by == Some(name)).map_or(Self::Day, |(by, ..)| by)
    }

    pub(super) fn words(self) -> (&'static str, &'static str) {
        Self::ALL.into_iter().find(|(by, ..)| *by == self).map_or(("day", "Day"), |(_, name, title)| (name, title))
    }

    /// The first day of the day, week or month that a day is in.
    pub(super) fn start(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())).unwrap_or(day),
            Self::Month => day.with_day(1).unwrap_or(day),
        }
    }

    /// What a part of the period is called, by its first and its last day.
    pub(super) fn label(self, from: NaiveDate, to: NaiveDate) -> String {
        match self {
            Self::Day => day_text(from),
            Self::Week => format!("{} – {}", day_text(from), day_text(to)),
            Self::Month => from.format("%b %Y").to_string(),
        }
    }
}

/// A period, both days included, and the first day of the equally long one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) by: By,
    pub(super) since: NaiveDate,
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
}

impl Period {
    /// The address of the bookings of some days, with more filters.
    pub(super) fn bookings(from: NaiveDate, to: NaiveDate, filters: &str) -> String {
        format!("/admin/bookings/?date_from={from}&date_to={to}{filters}")
    }

    /// The address of the payments that came in on some days.
    pub(super) fn payments(from: NaiveDate, to: NaiveDate, filters: &str) -> String {
        format!("/admin/payments/?captured_from={from}&captured_to={to}{filters}")
    }

    /// The address of the CSV file of one table.
    pub(super) fn file(&self, table: &str) -> String {
        format!("/admin/reports.csv?table={table}&by={}&from={}&to={}", self.by.words().0, self.from, self.to)
    }
}

/// The days that an address asks for, in their order.
pub(super) fn asked(ask: &Ask) -> (Option<NaiveDate>, Option<NaiveDate>) {
    match (ask.day("from"), ask.day("to")) {
        (Some(from), Some(to)) if from > to => (Some(to), Some(from)),
        days => days,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday_and_a_month_on_its_first_day() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (by, text, start) in [
            (By::Day, "2026-12-02", "2026-12-02"),
            (By::Week, "2026-11-30", "2026-11-30"),
            (By::Week, "2026-12-06", "2026-11-30"),
            (By::Week, "2026-12-07", "2026-12-07"),
            (By::Month, "2026-12-31", "2026-12-01"),
        ] {
            assert_eq!(by.start(day(text)), day(start), "{by:?} {text}");
        }
    }
}
