//! The drawer: the cash of a day, and the count that closes the day. Triggers write a movement for all cash that is taken
//! or given back, in any function.

use chrono::{NaiveDate, NaiveDateTime};
use serde::Deserialize;
use sqlx::{PgConnection, PgExecutor, types::Json};

use crate::{Error, Faults, Result, bookings::Actor, ids::BookingId, money::Money};

/// The drawer on a day.
#[derive(Debug)]
pub struct Drawer {
    pub date: NaiveDate,
    /// On the shop's clock.
    pub today: NaiveDate,
    pub state: State,
    /// What the last closed day before this one left for change.
    pub left_before: Money,
    /// That day; `None` if no day was closed before.
    pub day_before: Option<NaiveDate>,
    /// Of an open day also those of earlier days that were not counted.
    pub movements: Vec<Movement>,
    /// What must lie in the drawer.
    pub expected: Money,
}

/// Whether a day can be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    Closed(Closed),
    /// It was not counted, and a later day is closed: what was taken is in the count of that day.
    Passed(NaiveDate),
    /// The day has not come yet.
    Future,
}

/// The count that closed a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub expected: Money,
    pub counted: Money,
    /// Stays in the drawer for change.
    pub left: Money,
    pub reason: String,
    /// The name of who closed it, else the actor.
    pub by: String,
    /// On the shop's clock.
    pub at: NaiveDateTime,
}

/// Cash that was taken, or given back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Movement {
    /// On the shop's clock.
    pub at: NaiveDateTime,
    pub booking_id: BookingId,
    pub reference: String,
    pub customer: String,
    /// Negative if it was given back.
    pub amount_paise: i64,
    /// The name of who took it or gave it back, else the actor.
    pub by: String,
}

/// The drawer on a day, by default today.
pub async fn open(executor: impl PgExecutor<'_>, date: Option<NaiveDate>) -> sqlx::Result<Drawer> {
    let found = sqlx::query!(
        r#"
        select day.date as "date!", day.today as "today!", earlier.date as "day_before?",
            coalesce(earlier.left_paise, 0) as "left_before!: Money", later.date as "later?",
            closed.expected_paise as "expected?: Money", closed.counted_paise as "counted?: Money",
            closed.left_paise as "left?: Money", closed.reason as "reason?",
            coalesce(name_of_actor(closed.closed_by), closed.closed_by) as by, shop_clock(closed.closed_at) as closed_at,
            (
                select coalesce(json_agg(json_build_object(
                    'at', shop_clock(movement.at), 'booking_id', booking.id, 'reference', booking.reference,
                    'customer', booking.customer_name, 'amount_paise', movement.amount_paise,
                    'by', coalesce(name_of_actor(movement.actor), movement.actor)
                ) order by movement.at, movement.id), '[]')
                from cash_movements movement join bookings booking on booking.id = movement.booking_id
                where movement.cash_day = closed.date or (
                    movement.cash_day is null and closed.date is null and later.date is null
                    and shop_clock(movement.at)::date <= day.date
                )
            ) as "movements!: Json<Vec<Movement>>"
        from (
            select coalesce($1, shop_clock(now())::date) as date, shop_clock(now())::date as today
        ) as day
        left join cash_days closed on closed.date = day.date
        left join lateral (
            select date, left_paise from cash_days where cash_days.date < day.date order by date desc limit 1
        ) as earlier on true
        left join lateral (
            select date from cash_days where cash_days.date > day.date order by date limit 1
        ) as later on true
        "#,
        date
    )
    .fetch_one(executor)
    .await?;
    let Json(movements) = found.movements;
    let moved: i64 = movements.iter().map(|movement| movement.amount_paise).sum();
    let closed = match (found.expected, found.counted, found.left, found.reason, found.by, found.closed_at) {
        (Some(expected), Some(counted), Some(left), Some(reason), Some(by), Some(at)) => {
            Some(Closed { expected, counted, left, reason, by, at })
        }
        _ => None,
    };
    let expected = Money::from_paise(found.left_before.paise() + moved);
    Ok(Drawer {
        date: found.date,
        today: found.today,
        left_before: found.left_before,
        day_before: found.day_before,
        movements,
        expected: closed.as_ref().map_or(expected, |closed| closed.expected),
        state: match (closed, found.later) {
            (Some(closed), _) => State::Closed(closed),
            (None, Some(later)) => State::Passed(later),
            (None, None) if found.date > found.today => State::Future,
            (None, None) => State::Open,
        },
    })
}

/// What a person counted at the end of a day.
#[derive(Clone, Debug)]
pub struct Count {
    pub date: NaiveDate,
    pub counted: Money,
    /// Stays in the drawer for change; the rest is taken out.
    pub left: Money,
    /// Why the count differs from what was expected; may be empty if it does not.
    pub reason: String,
    /// What the person was told to expect.
    pub expected: Money,
}

/// Why a day was not closed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    Failed(#[from] Error),
    /// Cash was taken or given back since the person looked: what must lie in the drawer now.
    #[error("the drawer has changed")]
    Changed(Money),
    /// Another person was faster.
    #[error("the day is closed")]
    Closed(Closed),
    /// A later day is closed already.
    #[error("a later day is closed")]
    Passed(NaiveDate),
    #[error("the day has not come yet")]
    Future,
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Closes a day with the count of its drawer. All cash up to that day that is in no count yet is in this one; what is
/// committed later falls into the next.
pub async fn close(connection: &mut PgConnection, count: &Count, actor: &Actor) -> Result<(), Refused> {
    if count.left > count.counted {
        return Err(Error::field("left", "This is more than was counted.").into());
    }
    // One after another, so that no day is closed behind a later one. Readers and cash at the counter do not wait.
    sqlx::query!("lock table cash_days in share row exclusive mode").execute(&mut *connection).await?;
    match open(&mut *connection, Some(count.date)).await?.state {
        State::Open => {}
        State::Closed(closed) => return Err(Refused::Closed(closed)),
        State::Passed(later) => return Err(Refused::Passed(later)),
        State::Future => return Err(Refused::Future),
    }
    let expected = sqlx::query_scalar!(
        r#"
        with counted as (
            update cash_movements set cash_day = $1
            where cash_day is null and shop_clock(at)::date <= $1
            returning amount_paise
        )
        select coalesce((select sum(amount_paise) from counted), 0)::bigint + coalesce((
            select left_paise from cash_days where date < $1 order by date desc limit 1
        ), 0) as "expected!: Money"
        "#,
        count.date
    )
    .fetch_one(&mut *connection)
    .await?;
    if expected != count.expected {
        return Err(Refused::Changed(expected));
    }
    if count.counted != expected && count.reason.is_empty() {
        let sentence = "The count differs from what is expected. Say why, as far as you know.";
        return Err(Error::Validation(Faults::from(("reason", sentence))).into());
    }
    sqlx::query!(
        "
        insert into cash_days (date, expected_paise, counted_paise, left_paise, reason, closed_by)
        values ($1, $2, $3, $4, $5, $6)
        ",
        count.date,
        expected.paise(),
        count.counted.paise(),
        count.left.paise(),
        count.reason,
        actor.to_string()
    )
    .execute(connection)
    .await?;
    Ok(())
}
