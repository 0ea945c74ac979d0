//! The capacity of slots, kept by the database: `used <= capacity + overbooked`, whatever runs at once.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveTime};
use shared::{Error, Result};
use sqlx::{PgConnection, PgExecutor};

use crate::status::ServiceLocation;

/// Work at a time and place, and the slots that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) location: ServiceLocation,
    pub(crate) date: NaiveDate,
    pub(crate) time: NaiveTime,
    pub(crate) duration_minutes: u32,
    pub(crate) slots: Vec<NaiveTime>,
}

/// Why a booking could not be made or moved.
#[derive(Debug)]
pub(crate) enum Refused {
    /// One of the slots that the job needs has no room.
    Full(Job),
    /// Anything else.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Takes the slots of a job, or fails with [`Refused::Full`]; then the transaction is void.
pub(crate) async fn take(connection: &mut PgConnection, capacity: i32, job: &Job) -> Result<(), Refused> {
    change(connection, capacity, None, Some(job)).await
}

/// Frees the slots of a job.
pub(crate) async fn free(connection: &mut PgConnection, job: &Job) -> Result<(), Refused> {
    change(connection, 0, Some(job), None).await
}

/// Frees the slots of one job and takes those of another in one step; slots of both stay as they are.
pub(crate) async fn swap(connection: &mut PgConnection, capacity: i32, old: &Job, new: &Job) -> Result<(), Refused> {
    change(connection, capacity, Some(old), Some(new)).await
}

/// One statement touches the rows in one order for all callers, so that no two wait for each other. A proposed row has
/// `used` 1 to take a slot and 0 to free it.
async fn change(
    connection: &mut PgConnection,
    capacity: i32,
    old: Option<&Job>,
    new: Option<&Job>,
) -> Result<(), Refused> {
    let rows = |job: Option<&Job>| -> Vec<(ServiceLocation, NaiveDate, NaiveTime)> {
        job.map(|job| job.slots.iter().map(|time| (job.location, job.date, *time)).collect()).unwrap_or_default()
    };
    let (freed, taken) = (rows(old), rows(new));
    let mut wanted = Vec::with_capacity(freed.len() + taken.len());
    wanted.extend(taken.iter().filter(|slot| !freed.contains(slot)).map(|slot| (*slot, 1)));
    wanted.extend(freed.iter().filter(|slot| !taken.contains(slot)).map(|slot| (*slot, 0)));
    let pools: Vec<ServiceLocation> = wanted.iter().map(|((pool, _, _), _)| *pool).collect();
    let dates: Vec<NaiveDate> = wanted.iter().map(|((_, date, _), _)| *date).collect();
    let times: Vec<NaiveTime> = wanted.iter().map(|((_, _, time), _)| *time).collect();
    let deltas: Vec<i32> = wanted.iter().map(|(_, take)| *take).collect();
    let outcome = sqlx::query!(
        "
        insert into slot_usage as slot (pool, date, time, used, capacity)
        select pool, date, time, take, $1
        from unnest($2::service_location[], $3::date[], $4::time[], $5::integer[]) as change (pool, date, time, take)
        order by pool, date, time
        on conflict (pool, date, time) do update set
            used = slot.used + case excluded.used when 1 then 1 else -1 end,
            capacity = case excluded.used when 1 then excluded.capacity else slot.capacity end,
            overbooked = case excluded.used
                when 1 then slot.overbooked
                else least(slot.overbooked, greatest(slot.used - 1 - slot.capacity, 0))
            end
        ",
        capacity,
        &pools as &[ServiceLocation],
        &dates,
        &times,
        &deltas
    )
    .execute(connection)
    .await;
    match (outcome, new) {
        (Err(error), Some(job)) if is_full(&error) => Err(Refused::Full(job.clone())),
        (outcome, _) => {
            outcome?;
            Ok(())
        }
    }
}

/// How much is used of each slot of these days; a slot that is not in the map is free.
pub(crate) async fn load(
    executor: impl PgExecutor<'_>,
    pool: ServiceLocation,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<HashMap<(NaiveDate, NaiveTime), i32>> {
    let rows = sqlx::query!(
        "select date, time, used from slot_usage where pool = $1 and date between $2 and $3",
        pool as ServiceLocation,
        from,
        to
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.date, row.time), row.used)).collect())
}

fn is_full(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some("slot_usage_capacity_check"))
}
