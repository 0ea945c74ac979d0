//! The link of a message, to the page that shows the booking.

use sqlx::PgConnection;

use crate::{Result, config, ids::BookingId};

/// Where links lead. Without an address messages have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links(pub Option<String>);

/// A link: the address that all have, which carriers want to know beforehand, and what is of one booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub prefix: String,
    pub suffix: String,
}

impl Link {
    pub fn url(&self) -> String {
        format!("{}{}", self.prefix, self.suffix)
    }
}

impl Links {
    /// Reads `BOOKING_LINK_URL`.
    pub fn from_env() -> Self {
        Self(config::optional(config::BOOKING_LINK_URL).map(|url| url.trim().to_owned()))
    }

    /// The link of a booking, which ends with its reference.
    pub async fn link_for(&self, connection: &mut PgConnection, id: BookingId) -> Result<Option<Link>> {
        let Some(prefix) = &self.0 else { return Ok(None) };
        let reference =
            sqlx::query_scalar!("select reference from bookings where id = $1", id.0).fetch_one(connection).await?;
        Ok(Some(Link { prefix: prefix.clone(), suffix: reference }))
    }
}
