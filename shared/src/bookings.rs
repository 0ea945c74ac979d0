//! Bookings: creation, appointment rules, prices, slot capacity, status changes and search.

pub mod access_token;
pub mod actor;
pub mod appointment;
pub mod booking;
pub mod bulk;
pub mod calendar;
pub mod create;
pub mod facts;
pub mod free_slots;
pub mod lines;
pub mod links;
pub mod manage_page;
pub mod masking;
pub mod notes;
pub mod occupied;
pub mod outside;
pub mod own;
pub mod plan;
pub mod reference;
pub mod reschedule;
pub mod search;
pub mod slot_usage;
pub mod statistics;
pub mod status;
pub mod timeline;
pub mod transition;
pub mod unproved;

use sqlx::PgConnection;

pub use actor::Actor;
pub use booking::Booking;
use slot_usage::Refused;

use crate::{
    Error, Result,
    database::Database,
    metrics::{self, Count},
};

/// Maximum length of the reason of a change, of a refund and of what is settled by hand, in characters.
pub const LONGEST_REASON: usize = 500;

/// Runs a booking change in a transaction. If a slot is full, the error lists the nearest free start times.
pub async fn transaction<T>(
    database: &Database,
    change: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Refused>,
) -> Result<T> {
    match database.transaction(change).await {
        Ok(value) => Ok(value),
        Err(Refused::Failed(error)) => Err(error),
        Err(Refused::Full(visit)) => {
            metrics::count(Count::SlotsFull);
            Err(Error::SlotFull(free_slots::nearest(database, &visit).await?))
        }
    }
}
