//! What follows when somebody proves that a number or address is theirs.
//!
//! Nobody keeps a foothold in an account that was opened with somebody else's address: the first proof of an address
//! that comes from outside the account ends the account's sessions, takes away its other ways in, and makes the password
//! set before useless. A proof given in a session of the account adds to it and ends nothing.

use shared::{
    Error, Result,
    accounts::{self, Identity, NewUser, User},
    descope::{Channel, SignedIn},
    email::Email,
    http::Device,
    phone::Phone,
    session::Session,
};
use sqlx::{PgConnection, PgExecutor};

use crate::{App, sessions, sign_in::Arrival};

/// A number or address that somebody has proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identifier {
    Phone(Phone),
    Email(Email),
}

impl Identifier {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
        }
    }

    /// How a code reaches it.
    pub(crate) fn channel(&self) -> Channel {
        match self {
            Self::Phone(_) => Channel::Sms,
            Self::Email(_) => Channel::Email,
        }
    }

    fn phone(&self) -> Option<&str> {
        match self {
            Self::Phone(phone) => Some(phone.as_str()),
            Self::Email(_) => None,
        }
    }
}

/// Lets somebody in who has shown a number or address to be theirs, and nothing else. It opens the account whose number
/// it is, or that signs in with it; else a new one.
pub(crate) async fn from_outside(
    app: &App,
    signed_in: SignedIn,
    identifier: &Identifier,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let mut arrival = Arrival::of(app, signed_in).await?;
    let known = accounts::identity(&app.sessions.database.pool(), arrival.id()).await?;
    let is_first = is_first(&arrival, known);
    if is_first {
        // Before anything is written here: if it fails, the next proof is still the first.
        let password = app.sessions.descope.forget_password(arrival.id()).await?;
        arrival = Arrival::of(app, app.sessions.descope.sign_in(identifier.as_str(), &password).await?).await?;
    }
    let mut transaction = app.sessions.database.begin().await?;
    accounts::lock(&mut transaction, arrival.id()).await?;
    let user_id = admit(&mut transaction, &arrival, identifier, is_first).await?;
    let user = arrival.enter(app, &mut transaction, user_id, device).await?;
    transaction.commit().await?;
    sessions::end_at_descope(app, user_id).await;
    Ok((user, arrival.signed_in))
}

/// Adds a number or address to the account in whose session it was proved. 409 if somebody else has proved it. Answers
/// the user and the tokens to go on with.
pub(crate) async fn from_within(
    app: &App,
    signed_in: SignedIn,
    identifier: &Identifier,
    session: &Session,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let arrival = Arrival::of(app, signed_in).await?;
    let pool = app.sessions.database.pool();
    if owner(&pool, identifier).await?.is_some_and(|owner| owner != session.user.id) {
        arrival.turn_away(app).await;
        return Err(already_proved(identifier));
    }
    let known = accounts::identity(&pool, arrival.id()).await?;
    let is_own = known.map_or(!arrival.user.password, |known| known.user_id == session.user.id);
    if !is_own {
        // Somebody else may have signed in as this Descope user, and go on doing so.
        app.sessions.descope.forget_password(arrival.id()).await?;
    }
    let mut transaction = app.sessions.database.begin().await?;
    accounts::lock(&mut transaction, arrival.id()).await?;
    if !is_own {
        sessions::revoke_identity(&mut transaction, arrival.id()).await?;
    }
    accounts::link(&mut transaction, arrival.id(), session.user.id, identifier.phone(), true).await?;
    let verified = verify(&mut transaction, session.user.id, identifier, Profile::Replaced).await;
    verified.map_err(|error| on_race(error, identifier))?;
    if let Some(phone) = identifier.phone() {
        // The number that was used before may soon be another person's.
        sqlx::query!("delete from user_identities where user_id = $1 and phone <> $2", session.user.id, phone)
            .execute(&mut *transaction)
            .await?;
    }
    let (user, signed_in) = if is_own {
        let user = arrival.enter(app, &mut transaction, session.user.id, device).await?;
        (user, arrival.signed_in)
    } else {
        let user = accounts::load(&mut *transaction, session.user.id).await?;
        (user, sessions::tokens(app, &mut transaction, session).await?)
    };
    transaction.commit().await?;
    Ok((user, signed_in))
}

/// Whether nobody has proved before what this Descope user signs in with.
pub(crate) fn is_first(arrival: &Arrival, known: Option<Identity>) -> bool {
    known.map_or(arrival.user.password, |known| !known.is_proven)
}

/// Finds or makes the account that a proof opens, and writes down what it proves.
pub(crate) async fn admit(
    connection: &mut PgConnection,
    arrival: &Arrival,
    identifier: &Identifier,
    is_first: bool,
) -> Result<i64> {
    let known = accounts::identity(&mut *connection, arrival.id()).await?;
    let user_id = match (owner(&mut *connection, identifier).await?, known) {
        (Some(owner), _) => owner,
        (None, Some(known)) => known.user_id,
        (None, None) => {
            let new = NewUser { username: identifier.as_str().to_owned(), ..NewUser::from(&arrival.user) };
            accounts::create(connection, &new).await?
        }
    };
    if is_first {
        accounts::revoke_sessions(&mut *connection, user_id).await?;
        accounts::close_other_ways_in(&mut *connection, user_id, arrival.id()).await?;
    }
    accounts::link(connection, arrival.id(), user_id, identifier.phone(), true).await?;
    let verified = verify(connection, user_id, identifier, Profile::Completed).await;
    verified.map_err(|error| on_race(error, identifier))?;
    Ok(user_id)
}

/// Who has proved it before.
async fn owner(executor: impl PgExecutor<'_>, identifier: &Identifier) -> sqlx::Result<Option<i64>> {
    match identifier {
        Identifier::Phone(phone) => {
            sqlx::query_scalar!("select id from users where phone = $1 and is_phone_verified", phone.as_str())
                .fetch_optional(executor)
                .await
        }
        Identifier::Email(email) => {
            sqlx::query_scalar!("select id from users where email = $1 and is_email_verified", email.as_str())
                .fetch_optional(executor)
                .await
        }
    }
}

/// What a proof does to a profile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    /// It puts what is proved in the place of whatever stands there: its user is signed in and wants it so.
    Replaced,
    /// It fills what is empty and confirms what is the same.
    Completed,
}

/// Writes down that a user has proved it.
async fn verify(
    connection: &mut PgConnection,
    user_id: i64,
    identifier: &Identifier,
    profile: Profile,
) -> sqlx::Result<()> {
    let is_replaced = profile == Profile::Replaced;
    match identifier {
        Identifier::Phone(phone) => {
            sqlx::query!(
                "
                update users set phone = $2, is_phone_verified = true, updated_at = now()
                where id = $1 and not (is_phone_verified and phone = $2) and ($3 or phone is null or phone = $2)
                ",
                user_id,
                phone.as_str(),
                is_replaced
            )
            .execute(connection)
            .await
        }
        Identifier::Email(email) => {
            sqlx::query!(
                "
                update users set email = $2, is_email_verified = true, updated_at = now()
                where id = $1 and not (is_email_verified and email = $2) and ($3 or email is null or email = $2)
                ",
                user_id,
                email.as_str(),
                is_replaced
            )
            .execute(connection)
            .await
        }
    }
    .map(drop)
}

fn already_proved(identifier: &Identifier) -> Error {
    match identifier {
        Identifier::Phone(_) => Error::conflict("phone_number", "This phone number is already in use."),
        Identifier::Email(_) => Error::conflict("email", "This email address is already in use."),
    }
}

/// Two people at once: the index lets one have it.
fn on_race(error: sqlx::Error, identifier: &Identifier) -> Error {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    if constraint.is_some_and(|name| name.starts_with("users_verified_")) {
        already_proved(identifier)
    } else {
        error.into()
    }
}
