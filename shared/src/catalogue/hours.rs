//! Opening hours by weekday, and holidays.

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{Faults, Result, day_minute::DayMinute};

/// Opening hours of a weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningHours {
    /// ISO: 1 is Monday.
    pub weekday: i16,
    pub opens_at: DayMinute,
    pub closes_at: DayMinute,
}

impl OpeningHours {
    /// Capacity is counted in quarters of an hour, so slots must start and end on them.
    pub fn check(&self) -> Result<(), Unfit> {
        if !self.opens_at.is_quarter() || !self.closes_at.is_quarter() {
            return Err(Unfit::Quarters);
        }
        if self.opens_at < self.closes_at { Ok(()) } else { Err(Unfit::Order) }
    }

    /// In lower case, as in the shop's information.
    fn weekday_name(self) -> &'static str {
        match self.weekday {
            1 => "monday",
            2 => "tuesday",
            3 => "wednesday",
            4 => "thursday",
            5 => "friday",
            6 => "saturday",
            _ => "sunday",
        }
    }
}

/// Why hours cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    Quarters,
    /// It closes before it opens.
    Order,
}

impl Unfit {
    /// The sentence for the person who entered the hours.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Quarters => "Enter times on the quarter of an hour, such as 09:15. Midnight is 24:00.",
            Self::Order => "The shop must open before it closes.",
        }
    }
}

/// Replaces the opening hours of the week; a weekday that is left out is closed. `false` if nothing differs, 400 on the
/// weekdays whose hours cannot be kept.
pub async fn set_week(connection: &mut PgConnection, week: &[OpeningHours]) -> Result<bool> {
    let mut faults = Faults::default();
    for day in week {
        if let Err(unfit) = day.check() {
            faults.add(day.weekday_name(), unfit.sentence());
        }
    }
    faults.or(())?;
    let (written, removed) = write_week(connection, week).await?;
    Ok(!written.is_empty() || removed > 0)
}

/// [`set_week`]: whether each written weekday was added rather than changed, and how many were removed.
pub(super) async fn write_week(connection: &mut PgConnection, week: &[OpeningHours]) -> sqlx::Result<(Vec<bool>, u64)> {
    let days: Vec<i16> = week.iter().map(|day| day.weekday).collect();
    let opens: Vec<DayMinute> = week.iter().map(|day| day.opens_at).collect();
    let closes: Vec<DayMinute> = week.iter().map(|day| day.closes_at).collect();
    let removed = sqlx::query!("delete from opening_hours where shop_id = shop_id() and weekday <> all ($1)", &days)
        .execute(&mut *connection)
        .await?;
    let written = sqlx::query_scalar!(
        r#"
        insert into opening_hours as kept (shop_id, weekday, opens_at, closes_at)
        select shop_id(), * from unnest($1::smallint[], $2::time[], $3::time[])
        on conflict (shop_id, weekday) do update
            set opens_at = excluded.opens_at, closes_at = excluded.closes_at
            where (kept.opens_at, kept.closes_at) is distinct from (excluded.opens_at, excluded.closes_at)
        returning (xmax = 0) as "added!"
        "#,
        &days,
        &opens as &[DayMinute],
        &closes as &[DayMinute]
    )
    .fetch_all(connection)
    .await?;
    Ok((written, removed.rows_affected()))
}

/// Replaces the holidays from today on with these; past ones stay. Whether each written day was added rather than renamed,
/// and how many were removed.
pub(super) async fn write_holidays(
    connection: &mut PgConnection,
    holidays: &[(NaiveDate, &str)],
) -> sqlx::Result<(Vec<bool>, u64)> {
    let dates: Vec<NaiveDate> = holidays.iter().map(|(date, _)| *date).collect();
    let names: Vec<String> = holidays.iter().map(|(_, name)| (*name).to_owned()).collect();
    let removed = sqlx::query!(
        "
        delete from holidays using shops
        where shops.id = shop_id() and shop_id = shops.id and date <> all ($1)
            and date >= (now() at time zone time_zone)::date
        ",
        &dates
    )
    .execute(&mut *connection)
    .await?;
    let written = sqlx::query_scalar!(
        r#"
        insert into holidays as kept (shop_id, date, name) select shop_id(), * from unnest($1::date[], $2::text[])
        on conflict (shop_id, date) do update set name = excluded.name where kept.name <> excluded.name
        returning (xmax = 0) as "added!"
        "#,
        &dates,
        &names
    )
    .fetch_all(connection)
    .await?;
    Ok((written, removed.rows_affected()))
}

/// Adds holidays from one day to another, both included; existing ones get the new name. `false` if nothing differs.
pub async fn add_holidays(connection: &mut PgConnection, from: NaiveDate, to: NaiveDate, name: &str) -> Result<bool> {
    let added = sqlx::query!(
        "
        insert into holidays as kept (shop_id, date, name)
        select shop_id(), day::date, $3 from generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') as day
        on conflict (shop_id, date) do update set name = excluded.name where kept.name <> excluded.name
        ",
        from,
        to,
        name
    )
    .execute(connection)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// Removes a holiday; `false` if the day was not one.
pub async fn remove_holiday(connection: &mut PgConnection, date: NaiveDate) -> Result<bool> {
    let removed =
        sqlx::query!("delete from holidays where shop_id = shop_id() and date = $1", date).execute(connection).await?;
    Ok(removed.rows_affected() > 0)
}
