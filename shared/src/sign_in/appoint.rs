//! Appointment of administrators: a Descope user with the admin role, and a row in `users`.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::PgConnection;

use crate::{
    accounts::{self, ADMIN_ROLE, Identity},
    config::{self, Settings},
    database::Database,
    descope::{Descope, User},
    email::{Email, NotAnEmail},
    ids::UserId,
};

/// Result of [`Administrators::appoint`]. It holds no secret: the mail goes to the address alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Appointment {
    pub user_id: UserId,
    /// Whether Descope had no user with this address before.
    pub user_created: bool,
    pub role_added: bool,
    /// Whether a mail to set a password was sent. Only an appointment by this event sends it.
    pub mail_sent: bool,
}

/// Why the appointment failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("set DESCOPE_PROJECT_ID, DESCOPE_MANAGEMENT_KEY and PASSWORD_RESET_URL")]
    NotConfigured,
    #[error("email: {0}")]
    Email(#[from] NotAnEmail),
    /// Descope contradicts itself: it finds no user with the address, but refuses to create one because it exists.
    #[error("Descope has changed its mind about this address; repeat this")]
    Unsteady,
    /// Descope refused or is unavailable. The log has the details.
    #[error("Descope did not do it ({0}); does the project have the role \"{ADMIN_ROLE}\"?")]
    Descope(#[from] crate::Error),
    #[error(
        "Descope refused to send the mail; is the page of PASSWORD_RESET_URL among the project's approved domains?"
    )]
    Mail,
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// Appoints administrators, at Descope and here.
#[derive(Clone, Debug)]
pub struct Administrators {
    pub descope: Descope,
    /// The page of the frontend that the mail links to.
    pub password_reset_url: String,
}

impl Administrators {
    /// Reads the settings of Descope; `None` if this deployment has none.
    pub fn from_settings(settings: &Settings) -> Result<Option<Self>, config::Error> {
        let page = config::optional(config::PASSWORD_RESET_URL);
        match (config::optional(config::DESCOPE_PROJECT_ID), page) {
            (Some(_), Some(password_reset_url)) => {
                Ok(Some(Self { descope: Descope::from_settings(settings)?, password_reset_url }))
            }
            _ => Ok(None),
        }
    }

    /// Makes the account of an address an administrator. Idempotent: a repetition changes and sends nothing. A retry
    /// after an interruption continues: the role or row that marks the mail as sent is written after the mail.
    pub async fn appoint(&self, database: &Database, email: &str) -> Result<Appointment, Error> {
        let email: Email = email.parse()?;
        let mut done = Appointment::default();
        let user = if let Some(user) = self.descope.user_with_login_id(email.as_str()).await? {
            user
        } else {
            (done.user_created, done.role_added) = (true, true);
            self.descope.create_user(&email, &[ADMIN_ROLE]).await?.ok_or(Error::Unsteady)?
        };
        let mut roles: BTreeSet<&str> = user.role_names.iter().map(String::as_str).collect();
        let is_promoted = roles.insert(ADMIN_ROLE);
        let known = accounts::identity(database, &user.user_id).await?;
        let is_owner_s = known.is_some_and(|known| known.is_proven) && user.login_ids == [email.as_str()];
        if is_promoted && !is_owner_s {
            // An account whose address was not proved here may belong to another person.
            return self.take_over(database, &email, &user, known, done).await;
        }
        if is_promoted || known.is_none() {
            self.send_mail(&email).await?;
            done.mail_sent = true;
        }
        if is_promoted {
            self.descope.set_roles(email.as_str(), &roles.iter().copied().collect::<Vec<_>>()).await?;
            done.role_added = true;
        }
        done.user_id = take_in(database, &user, None).await?;
        Ok(done)
    }

    async fn send_mail(&self, email: &Email) -> Result<(), Error> {
        if self.descope.send_reset_mail(email, &self.password_reset_url).await? { Ok(()) } else { Err(Error::Mail) }
    }

    /// Replaces a Descope user that other people may be able to sign in as by a new one with the role, and closes every
    /// way in to the account but the mail.
    async fn take_over(
        &self,
        database: &Database,
        email: &Email,
        user: &User,
        known: Option<Identity>,
        mut done: Appointment,
    ) -> Result<Appointment, Error> {
        self.descope.delete_user(&user.user_id).await?;
        let new = self.descope.create_user(email, &[ADMIN_ROLE]).await?.ok_or(Error::Unsteady)?;
        self.send_mail(email).await?;
        (done.role_added, done.mail_sent) = (true, true);
        done.user_id = take_in(database, &new, known.map(|known| (known.user_id, user.user_id.as_str()))).await?;
        Ok(done)
    }
}

/// Writes the row unless it exists; returns our id. `old` is the account that the address had before, with its Descope
/// user id.
async fn take_in(database: &Database, user: &User, old: Option<(UserId, &str)>) -> Result<UserId, Error> {
    let take_in = async |connection: &mut PgConnection| {
        accounts::lock(connection, &[&user.user_id]).await?;
        if let Some((user_id, descope_user_id)) = old {
            accounts::hold(connection, user_id).await?;
            accounts::unlink(connection, descope_user_id).await?;
            accounts::revoke_sessions(connection, user_id).await?;
            accounts::close_other_ways_in(&mut *connection, user_id, &user.user_id).await?;
            accounts::link(connection, &user.user_id, user_id, None, true).await?;
            return Ok(user_id);
        }
        let is_new = accounts::identity_in(&mut *connection, &user.user_id).await?.is_none();
        let user_id = accounts::adopt(connection, &user.user_id, Some(user)).await?.ok_or(Error::Unsteady)?;
        if is_new {
            // The role was assigned on purpose, so its assigner vouches for the address.
            accounts::link(connection, &user.user_id, user_id, None, user.proved().is_some()).await?;
        }
        Ok(user_id)
    };
    database.transaction(take_in).await
}
