//! The link of a message, to the page that manages the booking.

use sqlx::PgConnection;

use super::Kind;
use crate::{
    Result,
    bookings::{
        links::{self, Scope},
        manage_page::ManagePage,
    },
    ids::BookingId,
};

/// A link: the address that all have, which carriers want to know beforehand, and what is of this one alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub prefix: String,
    pub suffix: String,
}

impl Link {
    /// Makes a link for a message to a booking's customer, in a transaction that ends before the message is sent. `None`
    /// where the page's address is not set: a job has no request that names a host.
    pub async fn make(
        connection: &mut PgConnection,
        page: &ManagePage,
        booking: BookingId,
        kind: Kind,
    ) -> Result<Option<Self>> {
        let Some((prefix, rest)) = page.around_token() else { return Ok(None) };
        let token = links::make(connection, booking, Scope::Change, kind.as_str()).await?;
        Ok(Some(Self { prefix: prefix.to_owned(), suffix: format!("{}{rest}", token.reveal()) }))
    }

    pub fn url(&self) -> String {
        format!("{}{}", self.prefix, self.suffix)
    }
}
