//! What follows when somebody proves that a number or address is theirs.
//!
//! Anybody can make a user at Descope, with any login id, and later add numbers, login ids and a password to it. So a
//! login id that a code was sent by proves nothing by itself: what counts is where the code went (`is_reached_at`). And
//! nobody keeps a foothold in an account that was opened with somebody else's address: the first proof from outside the
//! account puts a new user with that one way in into the old one's place at Descope, ends the account's sessions and takes
//! away its other ways in. A proof given in a session of the account adds to it and ends nothing.

use secrecy::SecretString;
use shared::{
    Error, Result,
    accounts::{self, NewUser, User},
    descope::SignedIn,
    http::Device,
    session::Session,
};
use sqlx::{PgConnection, PgExecutor};

use crate::{App, identifier::Identifier, sessions, sign_in::Arrival};

/// Somebody who has proved a number or address, and as whom they came.
pub(crate) struct Proof<'a> {
    pub(crate) arrival: Arrival,
    identifier: &'a Identifier,
    /// The Descope user in whose place a new one was put, because others may have had a way in there.
    replaced: Option<String>,
    /// Whose account that Descope user opens, if anybody's.
    user_id: Option<i64>,
}

impl<'a> Proof<'a> {
    /// Takes a look at whoever Descope let in, and shuts everybody else out of that Descope user if this is the first
    /// proof. `password` is what is to open it from now on, besides what was proved.
    pub(crate) async fn of(
        app: &App,
        arrival: Arrival,
        identifier: &'a Identifier,
        password: Option<&SecretString>,
    ) -> Result<Self> {
        let known = accounts::identity(&app.sessions.database.pool(), arrival.id()).await?;
        let (channel, login_id) = (identifier.channel(), identifier.as_str());
        let is_first = known.map_or_else(|| !arrival.user.is_plain(channel, login_id), |known| !known.is_proven);
        let user_id = known.map(|known| known.user_id);
        if !is_first {
            return Ok(Self { arrival, identifier, replaced: None, user_id });
        }
        // Before anything is written here: if it fails, the next proof is still the first.
        let old = arrival.id().to_owned();
        let signed_in = app.sessions.descope.replace_user(&old, channel, login_id, password).await?;
        Ok(Self { arrival: Arrival::of(app, signed_in).await?, identifier, replaced: Some(old), user_id })
    }

    /// Whether nobody had proved it before.
    pub(crate) fn is_first(&self) -> bool {
        self.replaced.is_some()
    }

    /// Finds or makes the account that the proof opens, and writes down what it proves.
    pub(crate) async fn admit(&self, connection: &mut PgConnection) -> Result<i64> {
        accounts::lock(connection, self.identifier.as_str()).await?;
        accounts::lock(connection, self.arrival.id()).await?;
        let owner = owner(&mut *connection, self.identifier).await?;
        let claimed = match (owner, self.user_id) {
            (Some(_), _) => None,
            (None, Some(user_id)) => Some(user_id),
            (None, None) => unfinished(&mut *connection, self.identifier).await?,
        };
        let user_id = if let Some(user_id) = owner.or(claimed) {
            user_id
        } else {
            let username = self.identifier.as_str().to_owned();
            accounts::create(connection, &NewUser { username, ..NewUser::from(&self.arrival.user) }).await?
        };
        if let Some(old) = &self.replaced {
            accounts::unlink(connection, old).await?;
        }
        if claimed.is_some() && (self.replaced.is_some() || self.user_id.is_none()) {
            accounts::revoke_sessions(connection, user_id).await?;
            accounts::close_other_ways_in(&mut *connection, user_id, self.arrival.id()).await?;
        }
        accounts::link(connection, self.arrival.id(), user_id, self.identifier.phone(), true).await?;
        let verified = verify(connection, user_id, self.identifier, Profile::Completed).await;
        verified.map_err(|error| on_race(error, self.identifier))?;
        Ok(user_id)
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
    let arrival = reached(app, signed_in, identifier).await?;
    let proof = Proof::of(app, arrival, identifier, None).await?;
    let mut transaction = app.sessions.database.begin().await?;
    let user_id = proof.admit(&mut transaction).await?;
    let user = proof.arrival.enter(app, &mut transaction, user_id, device).await?;
    transaction.commit().await?;
    sessions::end_at_descope(app, user_id).await;
    Ok((user, proof.arrival.signed_in))
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
    let arrival = reached(app, signed_in, identifier).await?;
    let pool = app.sessions.database.pool();
    if owner(&pool, identifier).await?.is_some_and(|owner| owner != session.user.id) {
        arrival.turn_away(app).await;
        return Err(already_proved(identifier));
    }
    let known = accounts::identity(&pool, arrival.id()).await?;
    let is_own = known.is_some_and(|known| known.user_id == session.user.id);
    let is_new = known.is_none() && arrival.user.is_plain(identifier.channel(), identifier.as_str());
    let old = (!is_own && !is_new).then(|| arrival.id().to_owned());
    let arrival = match &old {
        // Somebody else may have signed in as this Descope user, and go on doing so.
        Some(old) => {
            let (channel, login_id) = (identifier.channel(), identifier.as_str());
            Arrival::of(app, app.sessions.descope.replace_user(old, channel, login_id, None).await?).await?
        }
        None => arrival,
    };
    let mut transaction = app.sessions.database.begin().await?;
    accounts::lock(&mut transaction, identifier.as_str()).await?;
    accounts::lock(&mut transaction, arrival.id()).await?;
    if !sessions::hold(&mut transaction, session.id).await? {
        transaction.rollback().await?;
        arrival.turn_away(app).await;
        return Err(Error::SessionRevoked);
    }
    if let Some(old) = &old {
        accounts::unlink(&mut transaction, old).await?;
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
    // The session goes on as it is; one whose refresh token is not known here gets another.
    if let Some(tokens) = sessions::tokens(app, &mut transaction, session).await? {
        let user = accounts::load(&mut *transaction, session.user.id, &session.user.roles).await?;
        transaction.commit().await?;
        arrival.turn_away(app).await;
        return Ok((user, tokens));
    }
    let user = arrival.enter(app, &mut transaction, session.user.id, device).await?;
    transaction.commit().await?;
    Ok((user, arrival.signed_in))
}

/// Somebody who got the code because it went to this number or address, and to no other.
async fn reached(app: &App, signed_in: SignedIn, identifier: &Identifier) -> Result<Arrival> {
    let arrival = Arrival::of(app, signed_in).await?;
    if arrival.user.is_reached_at(identifier.channel(), identifier.as_str()) {
        return Ok(arrival);
    }
    arrival.turn_away(app).await;
    Err(Error::InvalidOtp)
}

/// An account that was made with this address and that nobody has ever proved to be theirs, whose Descope user is gone:
/// a first proof was cut short.
async fn unfinished(connection: &mut PgConnection, identifier: &Identifier) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "
        select id from users where username = $1 and email = $1 and not is_email_verified
        order by id desc limit 1
        ",
        identifier.as_str()
    )
    .fetch_optional(connection)
    .await
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
