//! Customers: notes about them, and what the law lets them ask for: a copy of their data, and its erasure, both with the
//! account that signs in with their number.

mod erase;
mod export;
pub mod language;
pub mod reminders;

use sqlx::PgConnection;

pub use erase::{Forgotten, Hindrances, close_sign_in, erase, forget, hindrances};
pub use export::{export, tell};

use crate::{Error, Faults, Result, database::Database, ids::CustomerId};

/// Maximum length of the notes about a customer, in characters.
pub const LONGEST_NOTES: usize = 1000;

/// What became of new notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewritten {
    Saved,
    /// Other notes have been saved since `before` was read: these.
    Stale(String),
}

/// Replaces the notes about a customer, `before` being the notes that the new ones were written over. 404 for an unknown
/// customer, 409 for an erased one.
pub async fn rewrite_notes(
    connection: &mut PgConnection,
    id: CustomerId,
    before: &str,
    notes: &str,
) -> Result<Rewritten> {
    let stored = lock(connection, id).await?;
    if stored != before && stored != notes {
        return Ok(Rewritten::Stale(stored));
    }
    sqlx::query!("update customers set notes = $2, updated_at = now() where id = $1 and notes <> $2", id.0, notes)
        .execute(connection)
        .await?;
    Ok(Rewritten::Saved)
}

/// The number of a customer; `None` for an unknown or erased one.
pub async fn phone(database: &Database, id: CustomerId) -> sqlx::Result<Option<String>> {
    let phone = |pool| async move {
        sqlx::query_scalar!("select phone from customers where id = $1 and erased_at is null", id.0)
            .fetch_optional(&pool)
            .await
    };
    database.read(phone).await
}

/// Locks a customer and returns the notes. A booking that is being made for the customer waits, or is waited for.
async fn lock(connection: &mut PgConnection, id: CustomerId) -> Result<String> {
    let found = sqlx::query!("select notes, erased_at from customers where id = $1 for update", id.0)
        .fetch_optional(connection)
        .await?
        .ok_or(Error::NotFound("Customer"))?;
    match found.erased_at {
        None => Ok(found.notes),
        Some(_) => Err(Error::Conflict(Faults::from(("customer", "The data of this customer has been erased.")))),
    }
}
