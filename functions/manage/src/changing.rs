//! A change of a booking by a form that holds the version which it was opened with.

use lambda_http::http::StatusCode;
use shared::{
    Error, Result,
    bookings::{
        self, Booking,
        links::{self, Scope},
        slot_usage::Refused,
    },
};
use sqlx::PgConnection;

use crate::{App, holder::Holder, page::Said, words::Words};

/// Why a change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// Another person has changed the booking since the form was opened.
    Stale,
    Full,
    ProofNeeded,
    TooLate,
    NotPossible,
}

impl Hindrance {
    /// The hindrance that an error tells of; any other error is returned.
    fn of(error: Error) -> Result<Self> {
        Ok(match error {
            Error::Conflict(_) => Self::Stale,
            Error::SlotFull(_) => Self::Full,
            Error::ProofNeeded => Self::ProofNeeded,
            Error::TooLate(_) => Self::TooLate,
            Error::IllegalTransition(_) | Error::Validation(_) => Self::NotPossible,
            error => return Err(error),
        })
    }

    pub(crate) const fn said(self, words: Words) -> Said {
        let problem = match self {
            Self::Stale => words.changed_meanwhile(),
            Self::Full => words.time_is_full(),
            Self::ProofNeeded => words.proof_needed(),
            Self::TooLate => words.only_by_phone(),
            Self::NotPossible => words.not_possible(),
        };
        Said { notice: None, problem: Some(problem), status: StatusCode::CONFLICT }
    }
}

/// Changes the booking of a link, if it is still at the version of the form. A change that `is_done` already is left as it is, so
/// that a form which is sent twice does its work once.
pub(crate) async fn change(
    app: &App,
    holder: &Holder,
    version: Option<i32>,
    is_done: impl Fn(&Booking) -> bool,
    work: impl AsyncFnOnce(&mut PgConnection, Booking) -> Result<Booking, Refused>,
) -> Result<Option<Hindrance>> {
    holder.require(Scope::Change)?;
    app.throttle().check(&[app.limits.changes.on(&holder.link.booking_id.to_string())]).await?;
    let change = async |connection: &mut PgConnection| {
        let booking = links::lock(&mut *connection, &holder.token, Scope::Change).await?;
        if is_done(&booking) {
            return Ok(());
        }
        if version != Some(booking.version) {
            return Err(Error::conflict("version", "This booking has changed.").into());
        }
        work(connection, booking).await.map(drop)
    };
    match bookings::transaction(app.database(), change).await {
        Ok(()) => Ok(None),
        Err(error) => Hindrance::of(error).map(Some),
    }
}
