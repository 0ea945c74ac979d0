//! How a change of bookings ends: committed, or rolled back with a reason that helps.

use shared::{Error, Result, database::Database};
use sqlx::{PgConnection, Postgres, Transaction};

use crate::{
    caller::Caller,
    detail::{Stored, select_bookings},
    free_slots,
    slot_usage::Refused,
};

/// Commits a success. Rolls a failure back and, where a slot was full, looks for the nearest free ones. Either way the
/// end is awaited: a frozen environment must not keep locks.
pub(crate) async fn end<T>(
    transaction: Transaction<'_, Postgres>,
    database: &Database,
    outcome: Result<T, Refused>,
) -> Result<T> {
    match outcome {
        Ok(value) => {
            transaction.commit().await?;
            Ok(value)
        }
        Err(refused) => {
            transaction.rollback().await?;
            match refused {
                Refused::Full(job) => Err(Error::SlotFull(free_slots::nearest(database, &job).await?)),
                Refused::Failed(error) => Err(error),
            }
        }
    }
}

/// Locks a booking for a change by its owner: 404 if there is none, 403 for anybody else.
pub(crate) async fn lock_own(connection: &mut PgConnection, id: i64, caller: &Caller) -> Result<Stored> {
    let booking = select_bookings!("booking.id = $1 for update of booking", id).fetch_optional(connection).await?;
    let booking = booking.ok_or(Error::NotFound("Booking"))?;
    if caller.owns(&booking) { Ok(booking) } else { Err(Error::PermissionDenied) }
}
