//! One act on several bookings: each is changed in a transaction of its own, and has a result of its own.

use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{
    Actor, Booking, booking,
    search::{self, Filter, Place},
    status::BookingStatus,
    transaction, transition,
};
use crate::{
    Error, Result,
    database::Database,
    http::{Fields, Paging, Read},
    ids::BookingId,
};

/// Bookings of one act.
pub const MOST: usize = 200;

/// What became of one booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BulkOutcome)]
pub enum Outcome {
    Done,
    /// It was so already.
    Same,
    /// It was changed since it was found, and left as it is.
    Changed,
    /// Its status does not allow it.
    NotAllowed,
    /// It does not exist.
    Missing,
}

/// Gives a booking another status, if it is as it was seen.
pub async fn set_status(
    database: &Database,
    (id, version): (BookingId, i32),
    to: BookingStatus,
    actor: &Actor,
    reason: &str,
) -> Result<(Outcome, Option<BookingStatus>)> {
    let change = async |connection: &mut PgConnection| {
        let booking = booking::lock(connection, id).await?;
        let from = booking.booking_status;
        if from == to {
            return Ok((Outcome::Same, Some(from)));
        }
        if booking.version != version {
            return Ok((Outcome::Changed, Some(from)));
        }
        if !from.successors().contains(&to) {
            return Ok((Outcome::NotAllowed, Some(from)));
        }
        transition::set_status(connection, booking, to, actor, reason).await.map(|_| (Outcome::Done, Some(to)))
    };
    match transaction(database, change).await {
        Err(Error::NotFound(_)) => Ok((Outcome::Missing, None)),
        outcome => outcome,
    }
}

/// A cancellation of all bookings that a filter finds.
#[derive(Debug)]
pub struct Cancellation {
    filter: Filter,
    /// How many the filter found when a person looked.
    count: i64,
    reason: String,
}

impl Read for Cancellation {
    fn read(fields: &mut Fields) -> Option<Self> {
        let filter = Filter::read(fields);
        let count = fields.integer("count");
        let reason = fields.text("reason", 500);
        Some(Self { filter: filter?, count: count?, reason: reason? })
    }
}

/// A booking of a [`Cancellation`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CancelledBooking)]
pub struct Cancelled {
    #[schema(value_type = i64)]
    pub id: BookingId,
    pub reference: String,
    pub outcome: Outcome,
    #[schema(required)]
    pub booking_status: Option<BookingStatus>,
}

impl Cancellation {
    /// Cancels what the filter finds now, if that is as many as were seen and no more than [`MOST`].
    pub async fn run(&self, database: &Database, actor: &Actor) -> Result<Vec<Cancelled>> {
        let page = Some((Paging { page: 1, page_size: MOST }, Place::default()));
        let mut found = Vec::new();
        let note = |booking: Booking| found.push(((booking.id, booking.version), booking.reference));
        let count = search::find(database, &self.filter, page, note).await?.count;
        if i64::try_from(count).unwrap_or(i64::MAX) != self.count {
            return Err(Error::conflict("count", &format!("{count} bookings match now. Look at them again.")));
        }
        if count > MOST {
            return Err(Error::field("count", &format!("At most {MOST} bookings are cancelled at once.")));
        }
        let mut results = Vec::with_capacity(found.len());
        for (seen, reference) in found {
            let (outcome, booking_status) =
                set_status(database, seen, BookingStatus::Cancelled, actor, &self.reason).await?;
            results.push(Cancelled { id: seen.0, reference, outcome, booking_status });
        }
        Ok(results)
    }
}
