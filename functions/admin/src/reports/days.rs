//! What each day of a period brought: jobs by the day of the appointment, money by the day on which it moved.

use chrono::NaiveDate;
use shared::{Result, database::Database};

use super::period::{By, Period, asked};
use crate::kit::ask::Ask;

/// Counts and amounts, in paise, of a day or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) bookings: i64,
    pub(super) completed: i64,
    pub(super) cancelled: i64,
    pub(super) no_shows: i64,
    /// Of bookings that are neither paid nor cancelled.
    pub(super) due: i64,
    pub(super) cash: Moved,
    pub(super) online: Moved,
}

/// Money that came in and went back, in paise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) taken: i64,
    pub(super) given_back: i64,
}

impl Moved {
    pub(super) const fn kept(self) -> i64 {
        self.taken - self.given_back
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self { taken: self.taken + other.taken, given_back: self.given_back + other.given_back }
    }
}

impl Sums {
    pub(super) const fn revenue(&self) -> Moved {
        self.cash.with(self.online)
    }

    const fn with(self, other: Self) -> Self {
        Self {
            bookings: self.bookings + other.bookings,
            completed: self.completed + other.completed,
            cancelled: self.cancelled + other.cancelled,
            no_shows: self.no_shows + other.no_shows,
            due: self.due + other.due,
            cash: self.cash.with(other.cash),
            online: self.online.with(other.online),
        }
    }
}

/// A day, week or month of the period, as far as it lies in the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    pub(super) sums: Sums,
}

/// The period that was asked for, cut into parts, and its sums beside those of the period before.
pub(super) struct Days {
    pub(super) period: Period,
    pub(super) parts: Vec<Part>,
    pub(super) now: Sums,
    pub(super) before: Sums,
}

/// Without an answer to the contrary the last 30 days; at most three years.
///
/// Cash that goes back for an online payment is cash, and a transfer for cash is none, as in the drawer. A refund that is
/// under way counts as given back on the day on which it was asked for.
pub(super) async fn load(database: &Database, ask: &Ask) -> Result<Days> {
    let (from, to) = asked(ask);
    let by = By::of(ask);
    let rows = sqlx::query!(
        r#"
        with shop as (
            select coalesce((select time_zone from shops where id = shop_id()), 'UTC') as time_zone
        ), asked as (
            select coalesce($2::date, greatest((now() at time zone time_zone)::date, $1::date)) as ends, time_zone from shop
        ), span as materialized (
            select starts - (ends - starts + 1) as since, starts, ends, time_zone
            from (
                select greatest(coalesce($1::date, ends - 29), ends - 1095) as starts, ends, time_zone from asked
            ) as capped
        ), booked as (
            select appointment_date as day, count(*) as bookings,
                count(*) filter (where booking_status = 'completed') as completed,
                count(*) filter (where booking_status = 'cancelled') as cancelled,
                count(*) filter (where is_no_show) as no_shows,
                sum(total_paise) filter (where is_unpaid(booking)) as due
            from bookings booking, span
            where appointment_date between span.since and span.ends
            group by 1
        ), moved as (
            select (at at time zone time_zone)::date as day,
                sum(taken) filter (where is_cash) as cash_taken, sum(given_back) filter (where is_cash) as cash_back,
                sum(taken) filter (where not is_cash) as online_taken,
                sum(given_back) filter (where not is_cash) as online_back
            from (
                select captured_at as at, amount_paise as taken, 0 as given_back, gateway_payment_id is null as is_cash
                from captures where state = 'captured' and currency = 'INR'
                union all
                select refund.created_at, 0, refund.amount_paise,
                    coalesce(refund.by_hand = 'cash', capture.gateway_payment_id is null)
                from refunds refund join captures capture on capture.id = refund.capture_id
                where refund.state <> 'failed' and capture.currency = 'INR'
            ) as movement, span
            where at >= since::timestamp at time zone time_zone and at < (ends + 1)::timestamp at time zone time_zone
            group by 1
        )
        select since + place as "day!", since + place < starts as "is_before!",
            coalesce(bookings, 0) as "bookings!", coalesce(completed, 0) as "completed!",
            coalesce(cancelled, 0) as "cancelled!", coalesce(no_shows, 0) as "no_shows!",
            coalesce(due, 0)::bigint as "due!", coalesce(cash_taken, 0)::bigint as "cash_taken!",
            coalesce(cash_back, 0)::bigint as "cash_back!", coalesce(online_taken, 0)::bigint as "online_taken!",
            coalesce(online_back, 0)::bigint as "online_back!"
        from span
        cross join lateral generate_series(0, ends - since) as place
        left join booked on booked.day = since + place
        left join moved on moved.day = since + place
        order by 1
        "#,
        from,
        to
    )
    .fetch_all(&database.pool())
    .await?;
    let since = rows.first().map(|row| row.day).unwrap_or_default();
    let mut days = Days {
        period: Period { by, since, from: since, to: since },
        parts: Vec::new(),
        now: Sums::default(),
        before: Sums::default(),
    };
    for row in rows {
        let sums = Sums {
            bookings: row.bookings,
            completed: row.completed,
            cancelled: row.cancelled,
            no_shows: row.no_shows,
            due: row.due,
            cash: Moved { taken: row.cash_taken, given_back: row.cash_back },
            online: Moved { taken: row.online_taken, given_back: row.online_back },
        };
        if row.is_before {
            days.before = days.before.with(sums);
        } else {
            days.add(row.day, sums);
        }
    }
    Ok(days)
}

impl Days {
    /// Adds the next day of the period.
    fn add(&mut self, day: NaiveDate, sums: Sums) {
        let by = self.period.by;
        self.now = self.now.with(sums);
        if self.parts.is_empty() {
            self.period.from = day;
        }
        self.period.to = day;
        match self.parts.last_mut() {
            Some(part) if by.start(part.from) == by.start(day) => {
                (part.to, part.sums) = (day, part.sums.with(sums));
            }
            _ => self.parts.push(Part { from: day, to: day, sums }),
        }
    }
}
