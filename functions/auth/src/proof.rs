//! What follows when somebody proves that a number or address is theirs.
//!
//! Anybody can make a user at Descope, with any login id, and later add numbers, login ids and a password to it. So a
//! login id that a code was sent by proves nothing by itself: what counts is where the code went (`is_reached_at`). And
//! nobody keeps a foothold in an account that was opened with somebody else's address: the first proof from outside the
//! account puts a new user with that one way in into the old one's place at Descope, ends the account's sessions and takes
//! away its other ways in. A proof given in a session of the account adds to it and ends nothing.

use shared::{
    Error, Result,
    accounts::{self, Identity, NewUser, User},
    descope::{self, SignedIn},
    http::Device,
    session::Session,
};
use sqlx::{PgConnection, PgExecutor};

use crate::{App, identifier::Identifier, sessions, sign_in::Arrival};

/// Somebody who has proved a number or address, and as whom they came.
pub(crate) struct Proof<'a> {
    pub(crate) arrival: Arrival,
    identifier: &'a Identifier,
    /// The new Descope user, where others may have had a way in to the one that arrived.
    pub(crate) replaced: Option<descope::User>,
}

/// Whose account a proof opens.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Found {
    /// That of whoever has proved it before.
    owner: Option<i64>,
    /// That which the Descope user belongs to.
    known: Option<Identity>,
    /// That which was made with the address and whose Descope user is gone, because a first proof was cut short.
    unfinished: Option<i64>,
}

impl Found {
    fn account(self) -> Option<i64> {
        self.owner.or(self.known.map(|known| known.user_id)).or(self.unfinished)
    }
}

impl<'a> Proof<'a> {
    /// Takes a look at whoever Descope let in, and shuts everybody out of that Descope user if this is the first proof.
    pub(crate) async fn of(app: &App, arrival: Arrival, identifier: &'a Identifier) -> Result<Self> {
        let known = accounts::identity(&app.sessions.database.pool(), arrival.id()).await?;
        let replaced = if is_first(&arrival, identifier, known) {
            // Before anything is written here: if it fails, the next proof is still the first.
            let (channel, login_id) = (identifier.channel(), identifier.as_str());
            Some(app.sessions.descope.replace_user(&arrival.user, channel, login_id).await?)
        } else {
            None
        };
        Ok(Self { arrival, identifier, replaced })
    }

    /// Finds or makes the account that the proof opens, and writes down what it proves. Whoever else had a way in to an
    /// account that is proved for the first time is shut out of it.
    pub(crate) async fn admit(&self, connection: &mut PgConnection) -> Result<i64> {
        accounts::lock(connection, self.identifier.as_str()).await?;
        accounts::lock(connection, self.arrival.id()).await?;
        let found = self.find(connection).await?;
        if let Some(user_id) = found.account() {
            accounts::hold(connection, user_id).await?;
            if self.find(connection).await? != found {
                // It has just been taken back by somebody else.
                return Err(Error::InvalidOtp);
            }
        }
        if self.replaced.is_none() && is_first(&self.arrival, self.identifier, found.known) {
            return Err(Error::InvalidOtp);
        }
        let user = self.replaced.as_ref().unwrap_or(&self.arrival.user);
        let user_id = if let Some(user_id) = found.account() {
            user_id
        } else {
            let username = self.identifier.as_str().to_owned();
            accounts::create(connection, &NewUser { username, ..NewUser::from(user) }).await?
        };
        if self.replaced.is_some() {
            accounts::unlink(connection, self.arrival.id()).await?;
        }
        let is_taken_back = self.replaced.is_some() && found.known.is_some_and(|known| known.user_id == user_id);
        if is_taken_back || found.unfinished == Some(user_id) {
            accounts::revoke_sessions(connection, user_id).await?;
            accounts::close_other_ways_in(&mut *connection, user_id, &user.user_id).await?;
        }
        accounts::link(connection, &user.user_id, user_id, self.identifier.phone(), true).await?;
        let verified = verify(connection, user_id, self.identifier, Profile::Completed).await;
        verified.map_err(|error| on_race(error, self.identifier))?;
        Ok(user_id)
    }

    async fn find(&self, connection: &mut PgConnection) -> sqlx::Result<Found> {
        let owner = owner(&mut *connection, self.identifier).await?;
        let known = accounts::identity(&mut *connection, self.arrival.id()).await?;
        let unfinished =
            if owner.is_some() || known.is_some() { None } else { unfinished(connection, self.identifier).await? };
        Ok(Found { owner, known, unfinished })
    }
}

/// Whether nobody has proved here before what this Descope user signs in with, and somebody may use it all the same.
fn is_first(arrival: &Arrival, identifier: &Identifier, known: Option<Identity>) -> bool {
    let is_plain = || arrival.user.is_plain(identifier.channel(), identifier.as_str());
    known.map_or_else(|| !is_plain(), |known| !known.is_proven)
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
    let proof = Proof::of(app, arrival, identifier).await?;
    let mut transaction = app.sessions.database.begin().await?;
    let user_id = proof.admit(&mut transaction).await?;
    if proof.replaced.is_none() {
        let user = proof.arrival.enter(app, &mut transaction, user_id, device).await?;
        transaction.commit().await?;
        return Ok((user, proof.arrival.signed_in));
    }
    // The account is its owner's from here on, whether or not they get in now.
    transaction.commit().await?;
    sessions::end_at_descope(app, user_id).await;
    enter_anew(app, user_id, identifier, device).await
}

/// Signs somebody in as the Descope user that is theirs now.
async fn enter_anew(app: &App, user_id: i64, identifier: &Identifier, device: &Device) -> Result<(User, SignedIn)> {
    let signed_in = app.sessions.descope.sign_in_as(identifier.as_str()).await?;
    let arrival = Arrival::of(app, signed_in).await?;
    let mut transaction = app.sessions.database.begin().await?;
    accounts::lock(&mut transaction, arrival.id()).await?;
    accounts::hold(&mut transaction, user_id).await?;
    let user = arrival.enter(app, &mut transaction, user_id, device).await?;
    transaction.commit().await?;
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
    let arrival = reached(app, signed_in, identifier).await?;
    let (pool, user_id) = (app.sessions.database.pool(), session.user.id);
    if owner(&pool, identifier).await?.is_some_and(|owner| owner != user_id) {
        arrival.turn_away(app).await;
        return Err(already_proved(identifier));
    }
    let (channel, login_id) = (identifier.channel(), identifier.as_str());
    let known = accounts::identity(&pool, arrival.id()).await?;
    let is_own = known.is_some_and(|known| known.user_id == user_id);
    let is_new = known.is_none() && arrival.user.is_plain(channel, login_id);
    let replaced = if is_own || is_new {
        None
    } else {
        // Somebody else may have signed in as this Descope user, and go on doing so.
        Some(app.sessions.descope.replace_user(&arrival.user, channel, login_id).await?)
    };
    let descope_user = replaced.as_ref().unwrap_or(&arrival.user);
    // One of several ways in to a Descope user says nothing of the others.
    let is_proven = descope_user.login_ids == [login_id];
    let mut transaction = app.sessions.database.begin().await?;
    accounts::lock(&mut transaction, login_id).await?;
    accounts::lock(&mut transaction, arrival.id()).await?;
    accounts::hold(&mut transaction, user_id).await?;
    if !sessions::is_active(&mut transaction, session.id).await? {
        transaction.rollback().await?;
        arrival.turn_away(app).await;
        return Err(Error::SessionRevoked);
    }
    if replaced.is_some() {
        accounts::unlink(&mut transaction, arrival.id()).await?;
    }
    accounts::link(&mut transaction, &descope_user.user_id, user_id, identifier.phone(), is_proven).await?;
    let verified = verify(&mut transaction, user_id, identifier, Profile::Replaced).await;
    verified.map_err(|error| on_race(error, identifier))?;
    if let Some(phone) = identifier.phone() {
        // The number that was used before may soon be another person's.
        sqlx::query!("delete from user_identities where user_id = $1 and phone <> $2", user_id, phone)
            .execute(&mut *transaction)
            .await?;
    }
    // The session goes on as it is; one whose refresh token is not known here gets another.
    let tokens = sessions::tokens(app, &mut transaction, session).await?;
    let user = accounts::load(&mut *transaction, user_id, &session.user.roles).await?;
    transaction.commit().await?;
    arrival.turn_away(app).await;
    match tokens {
        Some(tokens) => Ok((user, tokens)),
        None => enter_anew(app, user_id, identifier, device).await,
    }
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

/// An account that was made with this address, and whose Descope user for it is gone or has never been proved. No account
/// is made with a number that is not proved; who gave up a number has an account that was made with it all the same.
async fn unfinished(connection: &mut PgConnection, identifier: &Identifier) -> sqlx::Result<Option<i64>> {
    if identifier.phone().is_some() {
        return Ok(None);
    }
    sqlx::query_scalar!(
        "
        select id from users
        where username = $1 and email = $1 and not exists (
            select from user_identities identity
            where identity.user_id = users.id and identity.is_proven and identity.phone is null
        )
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
