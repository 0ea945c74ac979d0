//! A change of a booking by a form that carries the version that it was opened with.

use chrono::NaiveDateTime;
use shared::{
    Error, Faults, Result,
    bookings::{self, Booking, booking, slot_usage::Refused},
    ids::BookingId,
};
use sqlx::PgConnection;

use super::path;
use crate::{App, kit::form::Form};

/// What became of a change.
pub(super) enum Changed {
    Done,
    /// Not made: another user has changed the booking since the form was opened.
    Stale,
    /// Not made: the time is full; these are free.
    Full(Vec<NaiveDateTime>),
    /// Not made: the faults of the values, of the whole under `form`.
    Faulty(Faults),
}

/// Changes a booking in a transaction, if it is still at the version of the form. A change that `is_done` already is
/// left as it is, so that a form sent twice does its work once.
pub(super) async fn change(
    app: &App,
    id: BookingId,
    form: &Form,
    is_done: impl Fn(&Booking) -> bool,
    work: impl AsyncFnOnce(&mut PgConnection, Booking) -> Result<Booking, Refused>,
) -> Result<Changed> {
    let seen: Option<i32> = form.value("version").parse().ok();
    let change = async |connection: &mut PgConnection| {
        let booking = booking::lock(connection, id).await?;
        if is_done(&booking) {
            return Ok(());
        }
        if seen != Some(booking.version) {
            return Err(Error::conflict("version", "This booking has changed.").into());
        }
        work(connection, booking).await.map(drop)
    };
    match bookings::transaction(app.database(), change).await {
        Ok(()) => Ok(Changed::Done),
        Err(Error::SlotFull(free)) => Ok(Changed::Full(free)),
        Err(Error::Conflict(faults)) if !faults.of("version").is_empty() => Ok(Changed::Stale),
        Err(Error::Validation(faults) | Error::FaultyField(faults)) => Ok(Changed::Faulty(faults)),
        Err(error @ (Error::AlreadyPaid | Error::BookingCancelled | Error::IllegalTransition(_))) => {
            Ok(Changed::Faulty(Faults::from(("form", error.to_string().as_str()))))
        }
        Err(error) => Err(error),
    }
}

/// The page to lead to after a form: one of the panel's that the form names, else the booking's.
pub(super) fn back(form: &Form, id: BookingId) -> String {
    let named = form.value("back");
    let is_ours = named.starts_with("/admin/") && named.bytes().all(|byte| byte.is_ascii_graphic());
    if is_ours { named.to_owned() } else { format!("{}?done=saved", path(id)) }
}
