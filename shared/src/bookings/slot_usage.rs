//! Capacity per quarter of an hour, enforced under concurrency by a check constraint: `used <= capacity + overbooked`.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveTime};
use sqlx::PgConnection;

use super::{occupied::Occupied, status::ServiceLocation};
use crate::{Error, Result, day_minute::DayMinute};

/// A booking's use of capacity: work at a time and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The capacity pool that it takes from.
    pub location: ServiceLocation,
    pub date: NaiveDate,
    /// Start, in the shop's local time.
    pub time: NaiveTime,
    pub duration_minutes: u32,
    /// What it takes of the day.
    pub occupied: Occupied,
}

/// What a visit may take of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Jobs at once.
    pub capacity: i32,
    /// For an unproved booking, how many of them may be unproved.
    pub unproved: Option<i32>,
}

impl Room {
    /// For a booking whose limits as an unproved one do not matter, because it is proved or the shop's people change it.
    pub fn unlimited(capacity: i32, is_unproved: bool) -> Self {
        Self { capacity, unproved: is_unproved.then_some(i32::MAX) }
    }
}

/// The reason that a booking could not be created or changed.
#[derive(Debug)]
pub enum Refused {
    /// A quarter of the visit is full.
    Full(Visit),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Takes the quarters of a visit, or fails with [`Refused::Full`] and leaves the transaction aborted.
pub async fn take(connection: &mut PgConnection, room: Room, visit: &Visit) -> Result<(), Refused> {
    change(connection, room, None, Some(visit), Limit::Kept).await.map(drop)
}

/// Frees the quarters of a visit, which a trigger has counted as unproved no more.
pub async fn free(connection: &mut PgConnection, visit: &Visit) -> Result<(), Refused> {
    change(connection, Room { capacity: 0, unproved: None }, Some(visit), None, Limit::Kept).await.map(drop)
}

/// Frees the quarters of `old` and takes those of `new` in one statement; quarters in both stay untouched.
pub async fn swap(connection: &mut PgConnection, room: Room, old: &Visit, new: &Visit) -> Result<(), Refused> {
    change(connection, room, Some(old), Some(new), Limit::Kept).await.map(drop)
}

/// Like [`swap`], or [`take`] without an `old` visit, but takes full quarters too. Returns whether one was full.
pub async fn force(
    connection: &mut PgConnection,
    room: Room,
    old: Option<&Visit>,
    new: &Visit,
) -> Result<bool, Refused> {
    change(connection, room, old, Some(new), Limit::Ignored).await
}

/// Whether the capacity limit is enforced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    Kept,
    Ignored,
}

/// Writes all rows in one statement, in the same order for all callers, so that no two deadlock. A proposed row has
/// `used` 1 to take a quarter and 0 to free it. Returns whether one was taken beyond its capacity.
async fn change(
    connection: &mut PgConnection,
    room: Room,
    old: Option<&Visit>,
    new: Option<&Visit>,
    limit: Limit,
) -> Result<bool, Refused> {
    let rows = |visit: Option<&Visit>| -> Vec<(ServiceLocation, NaiveDate, DayMinute)> {
        visit
            .map(|visit| visit.occupied.quarters().map(|quarter| (visit.location, visit.date, quarter)).collect())
            .unwrap_or_default()
    };
    let (freed, taken) = (rows(old), rows(new));
    let mut wanted = Vec::with_capacity(freed.len() + taken.len());
    wanted.extend(taken.iter().filter(|quarter| !freed.contains(quarter)).map(|quarter| (*quarter, 1)));
    wanted.extend(freed.iter().filter(|quarter| !taken.contains(quarter)).map(|quarter| (*quarter, 0)));
    let pools: Vec<&str> = wanted.iter().map(|((pool, _, _), _)| pool.as_str()).collect();
    let dates: Vec<NaiveDate> = wanted.iter().map(|((_, date, _), _)| *date).collect();
    let times: Vec<DayMinute> = wanted.iter().map(|((_, _, time), _)| *time).collect();
    let deltas: Vec<i32> = wanted.iter().map(|(_, take)| *take).collect();
    let outcome = sqlx::query_scalar!(
        r#"
        with change as (
            select * from unnest($2::text[]::service_location[], $3::date[], $4::time[], $5::integer[])
                as change (pool, date, time, take)
        ), changed as (
            insert into slot_usage as slot (pool, date, time, used, capacity, overbooked, unproved, unproved_capacity)
            select pool, date, time, take, $1, case when $6 then greatest(take - $1, 0) else 0 end, take * $7, $8
            from change
            order by pool, date, time
            on conflict (pool, date, time) do update set
                used = slot.used + case excluded.used when 1 then 1 else -1 end,
                capacity = case excluded.used when 1 then excluded.capacity else slot.capacity end,
                unproved = greatest(slot.unproved + case excluded.used when 1 then $7 else -$7 end, 0),
                unproved_capacity = case
                    when excluded.used = 1 and $7 = 1 then excluded.unproved_capacity else slot.unproved_capacity
                end,
                -- Overbooking under another capacity leaves no room under this one.
                overbooked = case
                    when excluded.used = 1 and $6 then greatest(slot.used + 1 - excluded.capacity, 0)
                    when excluded.used = 1 then least(slot.overbooked, greatest(slot.used - excluded.capacity, 0))
                    else least(slot.overbooked, greatest(slot.used - 1 - slot.capacity, 0))
                end
            returning pool, date, time, used > capacity as is_overbooked
        )
        select coalesce(bool_or(is_overbooked), false) as "is_overbooked!"
        from changed join change using (pool, date, time)
        where take = 1
        "#,
        room.capacity,
        &pools as &[&str],
        &dates,
        &times as &[DayMinute],
        &deltas,
        limit == Limit::Ignored,
        i32::from(room.unproved.is_some()),
        room.unproved.unwrap_or_default()
    )
    .fetch_one(connection)
    .await;
    match (outcome, new) {
        (Err(error), Some(visit)) if breaks(&error, "slot_usage_capacity_check") => Err(Refused::Full(visit.clone())),
        (Err(error), _) if breaks(&error, "slot_usage_unproved_check") => Err(Error::ProofNeeded.into()),
        (outcome, _) => Ok(outcome?),
    }
}

/// Jobs per quarter; one that is not in the map is free.
pub type Usage = HashMap<(NaiveDate, DayMinute), i32>;

fn breaks(error: &sqlx::Error, constraint: &str) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some(constraint))
}
