//! Replacements of Descope users, table `identity_replacements`: what remains to be done when one is cut short between
//! the deletion of the old Descope user and the creation of the new one, and a job's work on it.

use std::{collections::BTreeSet, time::Instant};

use sqlx::PgConnection;
use tracing::{info, warn};

use super::{New, Proof};
use crate::{
    Error, Result, accounts,
    database::Database,
    descope::{self, Descope},
    sign_in::Identifier,
    written::Written,
};

/// Writes down a replacement that begins now.
pub(in crate::sign_in) async fn plan(
    database: &Database,
    descope_user_id: &str,
    login_id: &str,
    role_names: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        insert into identity_replacements (descope_user_id, login_id, role_names) values ($1, $2, $3)
        on conflict (descope_user_id) do update set due_at = now() + interval '2 minutes'
        ",
        descope_user_id,
        login_id,
        role_names
    )
    .execute(&database.pool())
    .await
    .map(drop)
}

/// Forgets a replacement that is complete.
pub(in crate::sign_in) async fn complete(connection: &mut PgConnection, descope_user_id: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from identity_replacements where descope_user_id = $1", descope_user_id)
        .execute(connection)
        .await
        .map(drop)
}

/// A replacement to be finished.
struct Unfinished {
    descope_user_id: String,
    login_id: String,
    role_names: Vec<String>,
}

/// Finishes the replacements that were cut short, until `end`; returns their number. One that fails is tried again after
/// a pause that grows to an hour.
pub async fn finish(database: &Database, descope: &Descope, end: Instant) -> Result<u64> {
    let mut finished = 0;
    while let Some(unfinished) = if Instant::now() < end { claim(database).await? } else { None } {
        match unfinished.finish(database, descope).await {
            Ok(()) => finished += 1,
            Err(error) => warn!(%error, "a Descope user is not replaced yet"),
        }
    }
    Ok(finished)
}

/// Claims the replacement that has been due longest. The claim is a lease: it sets the time of the next attempt.
async fn claim(database: &Database) -> sqlx::Result<Option<Unfinished>> {
    sqlx::query_as!(
        Unfinished,
        "
        update identity_replacements set
            attempts = attempts + 1, due_at = now() + least(interval '2 minutes' * power(2, least(attempts, 6)), interval '1 hour')
        where descope_user_id = (
            select descope_user_id from identity_replacements where due_at <= now()
            order by due_at limit 1 for update skip locked
        )
        returning descope_user_id, login_id, role_names
        "
    )
    .fetch_optional(&database.pool())
    .await
}

impl Unfinished {
    async fn finish(self, database: &Database, descope: &Descope) -> Result<()> {
        let identifier = Identifier::parse(&self.login_id).map_err(Error::internal)?;
        let present = descope.user_with_login_id(identifier.as_str()).await?;
        if let Some(present) = &present
            && present.user_id != self.descope_user_id
            && accounts::identity(database, &present.user_id).await?.is_some()
        {
            // Another proof of the same number or address has come first.
            return self.forget(database).await;
        }
        // A Descope user that is not ours may have been made by anyone.
        let mut role_names: BTreeSet<String> = self.role_names.iter().cloned().collect();
        if let Some(present) = present {
            if !accounts::has_ended(&database.pool(), &present.user_id).await? {
                role_names.extend(present.role_names);
            }
            descope.delete_user(&present.user_id).await?;
        }
        let role_names: Vec<String> = role_names.into_iter().collect();
        let user = descope.create_proved(identifier.channel(), identifier.as_str(), &role_names).await?;
        let arrived = descope::User { user_id: self.descope_user_id.clone(), ..descope::User::default() };
        let new = Some(New { user, is_replacement: true });
        let proof = Proof { identifier: &identifier, arrived, is_first_seen: false, new };
        let admitted = database.transaction(async |connection| proof.admit(connection).await).await;
        match admitted {
            Ok(_) => {
                info!("a Descope user whose replacement was cut short is replaced");
                Ok(())
            }
            // The next code that is sent to the number or address settles it.
            Err(Error::Blocked | Error::InvalidOtp | Error::Conflict(_)) => self.forget(database).await,
            Err(error) => Err(error),
        }
    }

    async fn forget(&self, database: &Database) -> Result<()> {
        let forget = async |connection: &mut PgConnection| complete(connection, &self.descope_user_id).await;
        Ok(database.transaction(forget).await?)
    }
}
