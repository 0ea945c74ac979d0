//! Appoints who runs the shop: a Descope user with the admin role, and our row.

use std::collections::BTreeSet;

use serde::Serialize;
use shared::{
    accounts::{self, ADMIN_ROLE, Identity},
    config,
    database::Database,
    descope::{Descope, User},
    email::{Email, NotAnEmail},
};

/// What was done. Nothing of it is secret: the mail goes to the address alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Appointment {
    /// Our user.
    pub user_id: i64,
    /// Whether Descope had no such user before.
    pub user_created: bool,
    /// Whether the user did not have the role before.
    pub role_added: bool,
    /// Whether a mail was sent with which a password can be set. It is sent to whoever is appointed by this event.
    pub mail_sent: bool,
}

/// Why nobody was appointed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The function was not told how to reach Descope.
    #[error("set DESCOPE_PROJECT_ID, DESCOPE_MANAGEMENT_KEY and PASSWORD_RESET_URL")]
    NotConfigured,
    /// It is no address.
    #[error("email: {0}")]
    Email(#[from] NotAnEmail),
    /// Descope knows the address and does not know it, by turns.
    #[error("Descope has changed its mind about this address; repeat this")]
    Unsteady,
    /// Descope refused or is away. The log says more.
    #[error("Descope did not do it ({0}); does the project have the role \"{ADMIN_ROLE}\"?")]
    Descope(#[from] shared::Error),
    /// The database is away.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// Where accounts are made.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Where the user and the role are.
    pub descope: Descope,
    /// The page of the frontend that the mail leads to.
    pub password_reset_url: String,
}

impl Accounts {
    /// Reads the settings of Descope; `None` if this deployment has none.
    pub fn from_env() -> Result<Option<Self>, config::Error> {
        let page = config::optional(config::PASSWORD_RESET_URL);
        match (config::optional(config::DESCOPE_PROJECT_ID), page) {
            (Some(_), Some(password_reset_url)) => Ok(Some(Self { descope: Descope::from_env()?, password_reset_url })),
            _ => Ok(None),
        }
    }

    /// Gives an address an account that runs the shop. Repeated, it changes nothing and sends nothing. Cut short, it goes
    /// on where it was: what shows that the mail has gone is written after it.
    pub(crate) async fn appoint(&self, database: &Database, email: &str) -> Result<Appointment, Error> {
        let email: Email = email.parse()?;
        let mut done = Appointment::default();
        let user = match self.descope.create_user(&email, &[ADMIN_ROLE]).await? {
            Some(user) => {
                (done.user_created, done.role_added) = (true, true);
                user
            }
            None => self.descope.user_with_login_id(email.as_str()).await?.ok_or(Error::Unsteady)?,
        };
        let mut roles: BTreeSet<&str> = user.role_names.iter().map(String::as_str).collect();
        let is_promoted = roles.insert(ADMIN_ROLE);
        let known = accounts::identity(&database.pool(), &user.user_id).await?;
        if is_promoted && !user.verified_email {
            self.shut_out(database, &user, known).await?;
        }
        if is_promoted || known.is_none() {
            if user.verified_email {
                self.descope.send_reset_mail(&email, &self.password_reset_url).await?;
            } else {
                self.descope.send_magic_link(&email, &self.password_reset_url).await?;
            }
            done.mail_sent = true;
        }
        if is_promoted {
            self.descope.set_roles(email.as_str(), &roles.iter().copied().collect::<Vec<_>>()).await?;
            done.role_added = true;
        }
        let roles: Vec<String> = roles.into_iter().map(ToOwned::to_owned).collect();
        done.user_id = take_in(database, &user, &roles).await?;
        Ok(done)
    }

    /// An account whose address nobody has proved may be anybody's. Before it comes to run the shop, everybody is shut
    /// out of it but whoever gets the mail.
    async fn shut_out(&self, database: &Database, user: &User, known: Option<Identity>) -> Result<(), Error> {
        self.descope.forget_password(&user.user_id).await?;
        if let Some(known) = known {
            let mut transaction = database.begin().await?;
            accounts::revoke_sessions(&mut *transaction, known.user_id).await?;
            accounts::close_other_ways_in(&mut *transaction, known.user_id, &user.user_id).await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}

/// Writes the row, unless it is there; answers our id.
async fn take_in(database: &Database, user: &User, roles: &[String]) -> Result<i64, Error> {
    let mut transaction = database.begin().await?;
    accounts::lock(&mut transaction, &user.user_id).await?;
    let user_id = accounts::adopt(&mut transaction, &user.user_id, Some(user)).await?.ok_or(Error::Unsteady)?;
    sqlx::query!(
        "update user_identities set roles = $2 where descope_user_id = $1 and roles <> $2",
        user.user_id,
        roles
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(user_id)
}
