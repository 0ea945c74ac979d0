//! Whether a message is sent at this moment, from the booking as it is.

use chrono::{Days, NaiveDateTime, NaiveTime};

use super::{Kind, Situation};
use crate::bookings::status::{BookingStatus, PaymentStatus};

/// When phones are quiet, on the shop's clock.
const EVENING: NaiveTime = NaiveTime::from_hms_opt(21, 0, 0).unwrap();
const MORNING: NaiveTime = NaiveTime::from_hms_opt(9, 0, 0).unwrap();

/// What happens to a message that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Send,
    /// Until then, on the shop's clock.
    Wait(NaiveDateTime),
    /// It does not hold any more, or is not wanted.
    Drop(&'static str),
}

/// Decides about a message at a moment on the shop's clock.
pub fn decide(kind: Kind, situation: &Situation, now: NaiveDateTime) -> Decision {
    if let Err(reason) = holds(kind, situation, now) {
        return Decision::Drop(reason);
    }
    match quiet_until(now) {
        // Never past the visit: a message that would come too late is sent in the evening.
        Some(morning)
            if kind.waits_for_morning() && situation.start.is_none_or(|start| morning < start || start <= now) =>
        {
            Decision::Wait(morning)
        }
        _ => Decision::Send,
    }
}

/// The morning that ends the quiet hours, if it is one of them.
pub fn quiet_until(now: NaiveDateTime) -> Option<NaiveDateTime> {
    match now.time() {
        time if time >= EVENING => now.date().checked_add_days(Days::new(1)).map(|day| day.and_time(MORNING)),
        time if time < MORNING => Some(now.date().and_time(MORNING)),
        _ => None,
    }
}

/// Whether the message is true and wanted; else why not.
fn holds(kind: Kind, situation: &Situation, now: NaiveDateTime) -> Result<(), &'static str> {
    use BookingStatus::{Cancelled, Completed, Confirmed, Pending};
    if kind.is_about_account() {
        return Ok(());
    }
    let Some(start) = situation.start else { return Err("the booking is not there") };
    if situation.is_erased {
        return Err("the customer was erased");
    }
    let has_status = |statuses: &[BookingStatus]| {
        if statuses.contains(&situation.status) { Ok(()) } else { Err("the booking has another status") }
    };
    if kind.ends_with_visit() && start <= now {
        return Err("the visit has begun");
    }
    match kind {
        Kind::Created | Kind::StaffCreated => {
            has_status(if kind == Kind::Created { &[Pending] } else { &[Pending, Confirmed] })
        }
        Kind::Confirmed => has_status(&[Confirmed]),
        Kind::Rescheduled | Kind::StaffRescheduled => {
            has_status(&[Pending, Confirmed])?;
            if situation.is_moved_back() { Err("it was moved back") } else { Ok(()) }
        }
        Kind::Reminder => {
            has_status(&[Confirmed])?;
            if situation.appointment != Some(start) {
                Err("the visit has another time")
            } else if situation.wants_reminders {
                Ok(())
            } else {
                Err("the customer wants no reminders")
            }
        }
        Kind::Completed => has_status(&[Completed]),
        Kind::Cancelled | Kind::StaffCancelled => has_status(&[Cancelled]),
        Kind::Paid if situation.payment_status != PaymentStatus::Completed => Err("the booking is not paid"),
        Kind::Refunded if situation.refunded_paise == 0 => Err("nothing was given back"),
        Kind::Paid | Kind::Refunded | Kind::StaffRefundFailed | Kind::WaysInChanged | Kind::NewDevice => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Kind, decide, quiet_until};
    use crate::{
        bookings::status::{BookingStatus, PaymentStatus},
        messages::Situation,
    };

    fn at(text: &str) -> chrono::NaiveDateTime {
        chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn situation(status: BookingStatus, start: &str) -> Situation {
        Situation {
            status,
            payment_status: PaymentStatus::Pending,
            start: Some(at(start)),
            appointment: Some(at(start)),
            ..Situation::default()
        }
    }

    #[test]
    fn quiet_hours_end_on_the_next_morning_also_at_the_end_of_a_month_and_a_year() {
        for (now, morning) in [
            ("2026-11-30 20:59", None),
            ("2026-11-30 21:00", Some("2026-12-01 09:00")),
            ("2026-12-01 00:00", Some("2026-12-01 09:00")),
            ("2026-12-01 08:59", Some("2026-12-01 09:00")),
            ("2026-12-01 09:00", None),
            ("2026-12-31 23:59", Some("2027-01-01 09:00")),
            ("2028-02-28 22:00", Some("2028-02-29 09:00")),
        ] {
            assert_eq!(quiet_until(at(now)), morning.map(at), "{now}");
        }
    }

    #[test]
    fn what_is_not_urgent_waits_for_the_morning_but_never_past_the_visit() {
        let (evening, morning) = (at("2026-11-30 22:00"), at("2026-12-01 09:00"));
        let later = situation(BookingStatus::Confirmed, "2026-12-01 11:00");
        assert_eq!(decide(Kind::Confirmed, &later, evening), Decision::Wait(morning));
        let early = situation(BookingStatus::Confirmed, "2026-12-01 09:00");
        assert_eq!(decide(Kind::Confirmed, &early, evening), Decision::Send);
        assert_eq!(decide(Kind::Reminder, &early, at("2026-12-01 07:00")), Decision::Send);
        assert_eq!(decide(Kind::Reminder, &later, at("2026-12-01 08:00")), Decision::Wait(morning));
        let asked_for = situation(BookingStatus::Pending, "2026-12-01 11:00");
        assert_eq!(decide(Kind::Created, &asked_for, evening), Decision::Send);
        // The visit is over: the morning is early enough.
        let done = situation(BookingStatus::Completed, "2026-11-30 18:00");
        assert_eq!(decide(Kind::Completed, &done, evening), Decision::Wait(morning));
        assert_eq!(decide(Kind::WaysInChanged, &Situation::default(), evening), Decision::Send);
    }

    #[test]
    fn what_no_longer_holds_is_dropped() {
        let now = at("2026-11-30 12:00");
        let drops = |kind, situation: &Situation| matches!(decide(kind, situation, now), Decision::Drop(_));
        let confirmed = situation(BookingStatus::Confirmed, "2026-12-01 11:00");
        let cancelled = situation(BookingStatus::Cancelled, "2026-12-01 11:00");
        for kind in [Kind::Confirmed, Kind::Rescheduled, Kind::Reminder] {
            assert!(
                !drops(
                    kind,
                    &Situation {
                        appointment: (kind != Kind::Rescheduled).then(|| at("2026-12-01 11:00")),
                        ..confirmed.clone()
                    }
                ),
                "{kind:?}"
            );
            assert!(drops(kind, &cancelled), "{kind:?}");
            assert!(drops(kind, &situation(BookingStatus::Confirmed, "2026-11-30 12:00")), "{kind:?}");
        }
        assert!(drops(Kind::Created, &confirmed), "the confirmation says more");
        assert!(drops(Kind::Cancelled, &confirmed) && !drops(Kind::Cancelled, &cancelled));
        let moved = Situation { appointment: Some(at("2026-12-01 10:00")), ..confirmed.clone() };
        assert!(drops(Kind::Reminder, &moved), "a reminder is of one appointment");
        let back = Situation { appointment: None, was: confirmed.start, ..confirmed.clone() };
        assert!(drops(Kind::Rescheduled, &back), "moved back");
        assert!(drops(Kind::Reminder, &Situation { wants_reminders: false, ..confirmed.clone() }));
        assert!(drops(Kind::Paid, &confirmed) && drops(Kind::Refunded, &confirmed));
        let erased = Situation { is_erased: true, ..confirmed };
        assert!(drops(Kind::Confirmed, &erased));
        assert!(drops(Kind::Completed, &Situation { start: None, ..erased }));
    }
}
