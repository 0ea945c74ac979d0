//! The scopes of the list of bookings, with their counts.

use shared::Result;
use sqlx::{PgConnection, types::Json};

use crate::kit::{ask::HIGHEST_COUNT, rows::HIGHEST_IN_SCOPE};

/// How many bookings each scope has, at most one more than is shown; and the services that the list can be filtered by.
#[derive(Debug)]
pub(super) struct Scopes {
    pub(super) all: i64,
    pub(super) to_confirm: i64,
    pub(super) today: i64,
    pub(super) late: i64,
    pub(super) upcoming: i64,
    pub(super) unpaid: i64,
    pub(super) done: i64,
    pub(super) cancelled: i64,
    pub(super) services: Vec<(String, String)>,
}

const _: () = assert!(HIGHEST_COUNT == 10_000 && HIGHEST_IN_SCOPE == 1_000, "the statement below counts one more");

/// Counts in indexes. A statement of its own and without parameters, so that Postgres plans it once for a connection.
pub(super) async fn count(connection: &mut PgConnection) -> Result<Scopes> {
    let counted = sqlx::query!(
        r#"
        with clock as (select shop_clock(now()) as now, shop_clock(now())::date as today)
        select
            (select count(*) from (select from bookings limit 10001) as counted) as "all!",
            (select count(*) from (select from bookings where booking_status = 'pending' limit 1001) as counted) as "to_confirm!",
            (
                select count(*) from (
                    select from bookings booking where is_on(booking, (select today from clock)) limit 1001
                ) as counted
            ) as "today!",
            (
                select count(*) from (
                    -- The day is in an index, the minute is not.
                    select from bookings booking
                    where appointment_date <= (select today from clock) and is_late(booking, (select now from clock))
                    limit 1001
                ) as counted
            ) as "late!",
            (
                select count(*) from (
                    select from bookings booking where is_upcoming(booking, (select today from clock)) limit 1001
                ) as counted
            ) as "upcoming!",
            (select count(*) from (select from bookings booking where is_unpaid(booking) limit 1001) as counted) as "unpaid!",
            (select count(*) from (select from bookings where booking_status = 'completed' limit 1001) as counted) as "done!",
            (select count(*) from (select from bookings where booking_status = 'cancelled' limit 1001) as counted) as "cancelled!",
            (
                select coalesce(json_agg(json_build_array(id::text, name) order by lower(name)), '[]')
                from services where archived_at is null
            ) as "services!: Json<Vec<(String, String)>>"
        "#
    )
    .fetch_one(connection)
    .await?;
    Ok(Scopes {
        all: counted.all,
        to_confirm: counted.to_confirm,
        today: counted.today,
        late: counted.late,
        upcoming: counted.upcoming,
        unpaid: counted.unpaid,
        done: counted.done,
        cancelled: counted.cancelled,
        services: counted.services.0,
    })
}
