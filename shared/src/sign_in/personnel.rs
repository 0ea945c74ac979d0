//! The people of the shop: appointed and dismissed by an event of `migrate`, their roles and sessions changed by an
//! administrator.

pub mod access;
pub mod roles;

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::PgConnection;
use url::Url;

use super::{Identifier, SignIn, proof::replacements};
use crate::{
    accounts::{self, ADMIN_ROLE, Identity, STAFF_ROLE, STAFF_ROLES, Taking},
    config::{self, Settings},
    database::Database,
    descope::{Descope, User},
    email::{Email, NotAnEmail},
    history::{self, Author},
    ids::UserId,
    written::Written,
};
use roles::Change;

/// Result of [`Personnel::appoint`]. It holds no secret: the mail goes to the address alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Appointment {
    pub user_id: UserId,
    /// Whether Descope had no user with this address before.
    pub user_created: bool,
    pub role_added: bool,
    /// Whether a mail to set a password was sent. Only an appointment by this event sends it.
    pub mail_sent: bool,
}

/// Result of [`Personnel::dismiss`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Dismissal {
    /// `None` if the Descope user has never signed in here.
    pub user_id: Option<UserId>,
    /// Whether the account had a role before.
    pub role_removed: bool,
}

/// Result of [`Personnel::end_sessions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EndedSessions {
    /// `None` if the Descope user has never signed in here.
    pub user_id: Option<UserId>,
}

/// Why the people of the shop were not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("set DESCOPE_PROJECT_ID and DESCOPE_MANAGEMENT_KEY")]
    NotConfigured,
    #[error(
        "no page is known that the mail could link to: set PASSWORD_RESET_URL, or add the panel's page at the API's own \
         host to the event, such as \"password_reset_url\": \"https://abc123.execute-api.ap-south-1.amazonaws.com/admin/password/\""
    )]
    NoPage,
    #[error("password_reset_url: this is no web address such as https://api.example.com/admin/password/")]
    Page,
    #[error("email: {0}")]
    Email(#[from] NotAnEmail),
    #[error("identifier: {0}")]
    Identifier(String),
    #[error("Descope has no user with this address or number")]
    UnknownUser,
    /// Descope contradicts itself: it finds no user with the address, but refuses to create one because it exists.
    #[error("Descope has changed its mind about this address; repeat this")]
    Unsteady,
    /// Descope refused or is unavailable. The log has the details.
    #[error("Descope did not do it ({0}); does the project have the roles \"{STAFF_ROLE}\" and \"{ADMIN_ROLE}\"?")]
    Descope(crate::Error),
    #[error("{0}")]
    Refused(crate::Error),
    #[error("Descope refused to send the mail; is the host of {0} among the project's approved domains?")]
    Mail(String),
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Database(error) => Self::Database(error),
            error @ crate::Error::Conflict(_) => Self::Refused(error),
            error => Self::Descope(error),
        }
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(error) | Error::Descope(error) => error,
            Error::Database(error) => Self::Database(error),
            Error::Mail(_) => Self::conflict("roles", "Descope refused to send a mail to the address of this user."),
            error => Self::internal(error),
        }
    }
}

/// Appoints administrators and staff, and ends sessions, at Descope and here.
#[derive(Clone, Debug)]
pub struct Personnel {
    pub descope: Descope,
    /// The page that the mail links to unless an appointment names another.
    pub password_reset_url: Option<String>,
}

impl Personnel {
    /// Reads the settings of Descope; `None` if this deployment has none.
    pub fn from_settings(settings: &Settings) -> Result<Option<Self>, config::Error> {
        if config::optional(config::DESCOPE_PROJECT_ID).is_none() {
            return Ok(None);
        }
        let password_reset_url = config::optional(config::PASSWORD_RESET_URL);
        Ok(Some(Self { descope: Descope::from_settings(settings)?, password_reset_url }))
    }

    /// The page that the mail links to. Checked before anything is done.
    fn page<'a>(&'a self, named: Option<&'a str>) -> Result<&'a str, Error> {
        match named {
            Some(page) if is_page(page) => Ok(page),
            Some(_) => Err(Error::Page),
            None => self.password_reset_url.as_deref().ok_or(Error::NoPage),
        }
    }

    /// Gives the account of an address a role, [`ADMIN_ROLE`] or [`STAFF_ROLE`]. Idempotent: a repetition changes and
    /// sends nothing. A retry after an interruption continues: the role or row that marks the mail as sent is written
    /// after the mail. `page` is the page that the mail links to, if not [`Personnel::password_reset_url`].
    pub async fn appoint(
        &self,
        database: &Database,
        email: &str,
        role: &str,
        page: Option<&str>,
        author: &Author,
    ) -> Result<Appointment, Error> {
        let (email, page): (Email, &str) = (email.parse()?, self.page(page)?);
        let mut done = Appointment::default();
        let user = if let Some(user) = self.descope.user_with_login_id(email.as_str()).await? {
            user
        } else {
            (done.user_created, done.role_added) = (true, true);
            self.descope.create_user(&email, &[role]).await?.ok_or(Error::Unsteady)?
        };
        let mut roles: BTreeSet<&str> = user.role_names.iter().map(String::as_str).collect();
        let is_promoted = roles.insert(role);
        let roles: Vec<&str> = roles.into_iter().collect();
        let known = accounts::identity(database, &user.user_id).await?;
        let is_owner_s = known.is_some_and(|known| known.is_proven) && user.login_ids == [email.as_str()];
        let is_strangers = match known {
            _ if is_promoted => !is_owner_s,
            Some(known) => !known.is_proven,
            None => user.proved().is_none(),
        };
        if is_strangers {
            // An account whose address was not proved here may belong to another person, also if its Descope user was
            // given the role in the console.
            return self.take_over(database, (&email, page), &user, (known, &roles), (done, author)).await;
        }
        if is_promoted || known.is_none() {
            self.send_mail(&email, page).await?;
            done.mail_sent = true;
        }
        if let Some(Identity { user_id, .. }) = known.filter(|_| is_promoted) {
            let change = (&Change::Give(role), Taking::NoAdmin);
            roles::apply(database, &self.descope, (user_id, &[user.user_id]), change, author).await?;
            done.role_added = true;
            return Ok(Appointment { user_id, ..done });
        }
        done.user_id = take_in(database, &user, None, author).await?;
        Ok(done)
    }

    /// Takes the roles [`STAFF_ROLES`] from the account with an address or number, at Descope and then here: its session
    /// tokens have no role from the next request on. Idempotent.
    pub async fn dismiss(&self, database: &Database, identifier: &str, author: &Author) -> Result<Dismissal, Error> {
        let user = self.user(identifier).await?;
        let identity = accounts::identity(database, &user.user_id).await?;
        let change = Change::Take(&STAFF_ROLES);
        let Some(Identity { user_id, .. }) = identity else {
            let role_removed = roles::change_at_descope(&self.descope, &user.user_id, &change)
                .await?
                .is_some_and(|user| user.differs());
            return Ok(Dismissal { user_id: None, role_removed });
        };
        let others = accounts::other_identities(database, user_id, &user.user_id).await?;
        let mut identities: Vec<String> = others.into_iter().map(|other| other.descope_user_id).collect();
        identities.push(user.user_id);
        let change = (&change, Taking::AnyAdmin);
        let role_removed = roles::apply(database, &self.descope, (user_id, &identities), change, author).await?;
        Ok(Dismissal { user_id: Some(user_id), role_removed })
    }

    /// Ends all sessions of the account with an address or number, here and then at Descope. Idempotent: if Descope
    /// fails, a repetition ends the rest.
    pub async fn end_sessions(
        &self,
        database: &Database,
        identifier: &str,
        author: &Author,
    ) -> Result<EndedSessions, Error> {
        let user = self.user(identifier).await?;
        let identity = accounts::identity(database, &user.user_id).await?;
        if let Some(Identity { user_id, .. }) = identity {
            access::revoke_all(database, user_id, author).await?;
            for other in accounts::other_identities(database, user_id, &user.user_id).await? {
                self.descope.log_out_user(&other.descope_user_id).await?;
            }
        }
        self.descope.log_out_user(&user.user_id).await?;
        Ok(EndedSessions { user_id: identity.map(|identity| identity.user_id) })
    }

    async fn user(&self, identifier: &str) -> Result<User, Error> {
        let identifier = Identifier::parse(identifier).map_err(Error::Identifier)?;
        self.descope.user_with_login_id(identifier.as_str()).await?.ok_or(Error::UnknownUser)
    }

    async fn send_mail(&self, email: &Email, page: &str) -> Result<(), Error> {
        let is_sent = self.descope.send_reset_mail(email, page).await?;
        if is_sent { Ok(()) } else { Err(Error::Mail(page.to_owned())) }
    }

    /// Replaces a Descope user that other people may be able to sign in as by a new one with the roles, and closes every
    /// way in to the account but the mail.
    async fn take_over(
        &self,
        database: &Database,
        (email, page): (&Email, &str),
        user: &User,
        (known, roles): (Option<Identity>, &[&str]),
        (mut done, author): (Appointment, &Author),
    ) -> Result<Appointment, Error> {
        let role_names: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        replacements::plan(database, &user.user_id, email.as_str(), &role_names).await?;
        self.descope.delete_user(&user.user_id).await?;
        let new = self.descope.create_user(email, roles).await?.ok_or(Error::Unsteady)?;
        self.send_mail(email, page).await?;
        (done.role_added, done.mail_sent) = (true, true);
        let old = known.map(|known| known.user_id);
        let old = (old, user.user_id.as_str());
        done.user_id = take_in(database, &new, Some(old), author).await?;
        Ok(done)
    }
}

/// Whether a text is a web address that a mail can link to. A scheme that was written twice would be a host without a dot.
fn is_page(text: &str) -> bool {
    let is_host = |host: &str| host == "localhost" || host.contains(['.', ':']);
    Url::parse(text).is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.host_str().is_some_and(is_host))
}

/// Writes the row unless it exists; returns our id. `old` is the account that the address had before, with its Descope
/// user id.
async fn take_in(
    database: &Database,
    user: &User,
    old: Option<(Option<UserId>, &str)>,
    author: &Author,
) -> Result<UserId, Error> {
    let take_in = async |connection: &mut PgConnection| {
        accounts::lock(connection, &[&user.user_id]).await?;
        history::sign(connection, author).await?;
        if let Some((_, descope_user_id)) = old {
            replacements::complete(connection, descope_user_id).await?;
        }
        if let Some((Some(user_id), descope_user_id)) = old {
            accounts::hold(connection, user_id).await?;
            accounts::unlink(connection, descope_user_id).await?;
            accounts::revoke_sessions(connection, user_id).await?;
            accounts::close_other_ways_in(&mut *connection, user_id, &user.user_id).await?;
            accounts::link(connection, &user.user_id, user_id, None, true).await?;
            accounts::note_roles(connection, &user.user_id, &user.role_names).await?;
            return Ok(user_id);
        }
        let is_new = accounts::identity_in(&mut *connection, &user.user_id).await?.is_none();
        let user_id = accounts::adopt(connection, &user.user_id, Some(user)).await?.ok_or(Error::Unsteady)?;
        if is_new {
            // The role was assigned on purpose, so its assigner vouches for the address.
            if let Some((channel, _)) = user.proved() {
                accounts::link(connection, &user.user_id, user_id, None, true).await?;
                accounts::vouch_for(&mut *connection, user_id, channel).await?;
            }
            accounts::note_roles(connection, &user.user_id, &user.role_names).await?;
        }
        Ok(user_id)
    };
    database.transaction(take_in).await
}
