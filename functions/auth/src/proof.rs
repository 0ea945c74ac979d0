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
use sqlx::PgConnection;

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
    /// One of these; else that which was made with the address and whose Descope user is gone or has never been proved,
    /// because a first proof was cut short.
    account: Option<i64>,
    /// Whether all that the proof tells has been written down before.
    is_old_news: bool,
}

impl<'a> Proof<'a> {
    /// Takes a look at whoever Descope let in, and shuts everybody out of that Descope user if this is the first proof.
    pub(crate) async fn of(app: &App, arrival: Arrival, identifier: &'a Identifier) -> Result<Self> {
        let known = accounts::identity(&app.sessions.database, arrival.id()).await?;
        let proof = Self { arrival, identifier, replaced: None };
        if proof.is_first(known) { proof.replace(app).await } else { Ok(proof) }
    }

    /// Whether nobody has proved here before what this Descope user signs in with, and somebody may use it all the same.
    fn is_first(&self, known: Option<Identity>) -> bool {
        known.map_or_else(|| !self.is_untouched(), |known| !known.is_proven)
    }

    /// Whether nobody but whoever shows this code can ever have been in: it is the only way in to the Descope user, and was
    /// never used before. Who was in could have a refresh token, or a change of address that waits to be confirmed.
    fn is_untouched(&self) -> bool {
        let Arrival { user, signed_in, .. } = &self.arrival;
        signed_in.first_seen && user.is_plain(self.identifier.channel(), self.identifier.as_str())
    }

    /// Puts another Descope user, with this one way in, in the place of the one that arrived. Before anything is written
    /// here: if it fails, the next proof is still the first.
    async fn replace(self, app: &App) -> Result<Self> {
        let (channel, login_id) = (self.identifier.channel(), self.identifier.as_str());
        let replaced = app.sessions.descope.replace_user(&self.arrival.user, channel, login_id).await?;
        Ok(Self { replaced: Some(replaced), ..self })
    }

    /// The Descope user with whom it goes on.
    fn user(&self) -> &descope::User {
        self.replaced.as_ref().unwrap_or(&self.arrival.user)
    }

    async fn lock(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        accounts::lock(connection, &[self.identifier.as_str(), self.arrival.id()]).await
    }

    /// Finds or makes the account that the proof opens, and writes down what it proves. Whoever else had a way in to an
    /// account that is proved for the first time is shut out of it. `None` if the Descope user must be replaced before.
    pub(crate) async fn admit(&self, connection: &mut PgConnection) -> Result<Option<i64>> {
        self.lock(connection).await?;
        let found = self.find(connection, None).await?;
        if self.replaced.is_none() && self.is_first(found.known) {
            return Ok(None);
        }
        if found.account.is_some() && self.find(connection, found.account).await? != found {
            // It has just been taken back by somebody else.
            return Err(Error::InvalidOtp);
        }
        let user = self.user();
        let user_id = match found.account {
            Some(user_id) if found.is_old_news && self.replaced.is_none() => return Ok(Some(user_id)),
            Some(user_id) => user_id,
            None => {
                let username = self.identifier.as_str().to_owned();
                accounts::create(connection, &NewUser { username, ..NewUser::from(user) }).await?
            }
        };
        if self.replaced.is_some() {
            accounts::unlink(connection, self.arrival.id()).await?;
        }
        let is_taken_back = self.replaced.is_some() && found.known.is_some_and(|known| known.user_id == user_id);
        let is_unfinished = found.account.is_some() && found.owner.is_none() && found.known.is_none();
        if is_taken_back || is_unfinished {
            accounts::revoke_sessions(connection, user_id).await?;
            accounts::close_other_ways_in(&mut *connection, user_id, &user.user_id).await?;
        }
        accounts::link(connection, &user.user_id, user_id, self.identifier.phone(), true).await?;
        let verified = verify(connection, user_id, self.identifier, Profile::Completed).await;
        verified.map_err(|error| on_race(error, self.identifier))?;
        Ok(Some(user_id))
    }

    /// Finds out whose account it is, and holds that account, or `other`. What is found may be old if somebody else held
    /// the account until now; what is found once more is not. In a session of the account it is not asked for once more:
    /// who took the account has ended the session too.
    ///
    /// An account that nobody has proved is found by address only: none is made with a number that is not proved, and who
    /// gave up a number has an account that was made with it all the same.
    async fn find(&self, connection: &mut PgConnection, other: Option<i64>) -> sqlx::Result<Found> {
        let row = sqlx::query!(
            r#"
            with found as (
                select
                    (
                        select id from users where phone = $2 and is_phone_verified
                        union all
                        select id from users where email = $3 and is_email_verified
                    ) as owner,
                    identity.user_id as known, identity.is_proven,
                    identity.is_proven and identity.phone is not distinct from coalesce($2, identity.phone) as is_linked
                from (values ($1)) as arrival (descope_user_id)
                left join user_identities identity using (descope_user_id)
            ), account as (
                select coalesce(owner, known, (
                    select id from users
                    where username = $3 and email = $3 and not exists (
                        select from user_identities other
                        where other.user_id = users.id and other.is_proven and other.phone is null
                    )
                    order by id desc limit 1
                )) as id
                from found
            ), held as (
                select users.id from users join account on users.id = coalesce($4, account.id) for no key update of users
            )
            select owner as "owner?", known as "known?", is_proven as "is_proven?", account.id as "account?",
                coalesce(owner = known and is_linked, false) as "is_old_news!", held.id as "held?"
            from found, account left join held on true
            "#,
            self.arrival.id(),
            self.identifier.phone(),
            self.identifier.email(),
            other
        )
        .fetch_one(connection)
        .await?;
        let known = row.known.zip(row.is_proven).map(|(user_id, is_proven)| Identity { user_id, is_proven });
        Ok(Found { owner: row.owner, known, account: row.account, is_old_news: row.is_old_news })
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
    let proof = Proof { arrival, identifier, replaced: None };
    let mut transaction = app.sessions.database.begin().await?;
    if let Some(user_id) = proof.admit(&mut transaction).await? {
        let user = proof.arrival.enter(app, &mut transaction, user_id, device).await?;
        transaction.commit().await?;
        return Ok((user, proof.arrival.signed_in));
    }
    // Nobody waits for Descope inside a transaction.
    transaction.rollback().await?;
    let proof = proof.replace(app).await?;
    let mut transaction = app.sessions.database.begin().await?;
    let user_id = proof.admit(&mut transaction).await?.ok_or(Error::InvalidOtp)?;
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
    accounts::lock(&mut transaction, &[arrival.id()]).await?;
    accounts::hold(&mut transaction, user_id).await?;
    // Since the proof was written down somebody else may have proved the account to be theirs.
    let known = accounts::identity_in(&mut *transaction, arrival.id()).await?;
    if known.is_none_or(|known| known.user_id != user_id) {
        transaction.rollback().await?;
        arrival.turn_away(app).await;
        return Err(Error::InvalidOtp);
    }
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
    let (login_id, user_id) = (identifier.as_str(), session.user.id);
    let mut proof = Proof { arrival, identifier, replaced: None };
    let mut transaction = app.sessions.database.begin().await?;
    proof.lock(&mut transaction).await?;
    let found = proof.find(&mut transaction, Some(user_id)).await?;
    if found.owner.is_some_and(|owner| owner != user_id) {
        transaction.rollback().await?;
        proof.arrival.turn_away(app).await;
        return Err(already_proved(identifier));
    }
    if !found.known.map_or_else(|| proof.is_untouched(), |known| known.user_id == user_id) {
        // Somebody else may have signed in as this Descope user, and go on doing so.
        transaction.rollback().await?;
        proof = proof.replace(app).await?;
        transaction = app.sessions.database.begin().await?;
        proof.lock(&mut transaction).await?;
        accounts::hold(&mut transaction, user_id).await?;
    }
    let (arrival, descope_user) = (&proof.arrival, proof.user());
    // One of several ways in to a Descope user says nothing of the others.
    let is_proven = descope_user.login_ids == [login_id];
    if !sessions::is_active(&mut transaction, session.id).await? {
        transaction.rollback().await?;
        arrival.turn_away(app).await;
        return Err(Error::SessionRevoked);
    }
    if proof.replaced.is_some() {
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
