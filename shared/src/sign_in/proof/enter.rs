//! Proofs without a session, which open one, and proofs within a session.

use sqlx::PgConnection;
use tracing::error;

use super::{
    Proof,
    admit::{Profile, already_proved, on_race, verify},
};
use crate::{
    Error, Result,
    accounts::{self, Changed, Taking, User},
    descope::{Claims, SignedIn},
    history::{Author, Source},
    http::Device,
    ids::UserId,
    session::Session,
    sign_in::{
        Identifier, SignIn,
        arrival::Arrival,
        personnel::roles::{self, Change},
        sessions,
        ways_in::{has_fresh_proof, note_proof},
    },
};

/// Signs in with a proved number or address: to the account that has proved it or signs in with it, else to a new one.
pub async fn from_outside(
    sign_in: &SignIn,
    signed_in: SignedIn,
    identifier: &Identifier,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let database = &sign_in.sessions.database;
    let arrival = reached(sign_in, signed_in, identifier).await?;
    let proof = Proof::new(&arrival, identifier);
    let admit = async |connection: &mut PgConnection| {
        let Some(user_id) = proof.admit(connection).await? else { return Ok::<_, Error>(None) };
        arrival.enter(sign_in, connection, user_id, device).await.map(Some)
    };
    let admitted = database.transaction(admit).await;
    if matches!(admitted, Err(Error::PermissionDenied | Error::Blocked)) {
        arrival.turn_away(sign_in).await;
    }
    if let Some(user) = admitted? {
        return Ok((user, arrival.signed_in));
    }
    // No transaction may be open during a call to Descope.
    let proof = proof.renew(sign_in, None).await?;
    let admit = async |connection: &mut PgConnection| proof.admit(connection).await?.ok_or(Error::InvalidOtp);
    // From this commit on the account belongs to its owner, even if no session can be opened now.
    let user_id = database.transaction(admit).await?;
    sessions::end_at_descope(sign_in, user_id).await;
    enter_anew(sign_in, user_id, identifier, device).await
}

/// Opens a session with a new sign-in as the account's current Descope user.
async fn enter_anew(
    sign_in: &SignIn,
    user_id: UserId,
    identifier: &Identifier,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let signed_in = sign_in.sessions.descope.sign_in_as(identifier.as_str()).await?;
    let arrival = Arrival::of(sign_in, signed_in).await?;
    let enter = async |connection: &mut PgConnection| {
        accounts::lock(connection, &[arrival.id()]).await?;
        accounts::hold(connection, user_id).await?;
        // Another person may have proved the account since the proof was written.
        let known = accounts::identity_in(&mut *connection, arrival.id()).await?;
        if known.is_none_or(|known| known.user_id != user_id) {
            return Err(Error::InvalidOtp);
        }
        arrival.enter(sign_in, connection, user_id, device).await
    };
    match sign_in.sessions.database.transaction(enter).await {
        Ok(user) => Ok((user, arrival.signed_in)),
        Err(error) => {
            if matches!(error, Error::InvalidOtp | Error::PermissionDenied | Error::Blocked) {
                arrival.turn_away(sign_in).await;
            }
            Err(error)
        }
    }
}

/// Adds a number or address to the account in whose session it was proved. 409 if another user has proved it. Returns
/// the user and the tokens to continue with.
pub async fn from_within(
    sign_in: &SignIn,
    signed_in: SignedIn,
    identifier: &Identifier,
    session: &Session,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let arrival = reached(sign_in, signed_in, identifier).await?;
    let mut proof = Proof::new(&arrival, identifier);
    let mut addition = proof.add(sign_in, session).await;
    if matches!(addition, Ok(None)) {
        // Another person may have signed in as this Descope user, and still be able to.
        proof = proof.renew(sign_in, Some(session.user.id)).await?;
        addition = proof.add(sign_in, session).await;
    }
    // The session that was open before continues; Descope opened another one for the proof.
    arrival.turn_away(sign_in).await;
    let Added { user, tokens, roles } = addition?.ok_or(Error::InvalidOtp)?;
    proof.carry(sign_in, user.id, &roles).await;
    match tokens {
        Some(tokens) => Ok((user, tokens)),
        None => enter_anew(sign_in, user.id, identifier, device).await,
    }
}

/// What a proof within a session has done.
struct Added {
    user: User,
    /// Of the session. Without a refresh token known here, a new session must be opened.
    tokens: Option<SignedIn>,
    /// Roles of the ways in that have ended by it.
    roles: Vec<String>,
}

impl Proof<'_> {
    /// Gives roles to the Descope user that the account keeps: they belong to the person, and the way in that had them has
    /// ended. If Descope fails, an administrator gives them again.
    async fn carry(&self, sign_in: &SignIn, user_id: UserId, names: &[String]) {
        let (database, descope) = (&sign_in.sessions.database, &sign_in.sessions.descope);
        let to = (user_id, &[self.user().user_id.clone()][..]);
        for name in names {
            let change = (&Change::Give(name), Taking::NoAdmin);
            let author = Author::user(user_id, Source::Api, None);
            if let Err(error) = roles::apply(database, descope, to, change, &author).await {
                error!(user.id = user_id.0, role = name, %error, "a role was lost with a way in");
            }
        }
    }

    /// Adds the proof to the account of a session; `None` if the Descope user must be replaced first.
    async fn add(&self, sign_in: &SignIn, session: &Session) -> Result<Option<Added>> {
        let (identifier, descope_user, user_id) = (self.identifier, self.user(), session.user.id);
        let add = async |connection: &mut PgConnection| {
            self.lock(connection).await?;
            let found = self.find(connection, Some(user_id)).await?;
            if found.owner.is_some_and(|owner| owner != user_id) {
                return Err(already_proved(identifier));
            }
            let is_own =
                found.known.map_or_else(|| self.is_untouched(), |known| known.user_id == user_id && self.is_of_row());
            if self.new.is_none() && !is_own {
                return Ok(None);
            }
            if !sessions::is_active(connection, session.id).await? {
                return Err(Error::SessionRevoked);
            }
            let has_it = found.owner.is_some() || (is_own && found.known.is_some());
            if has_it {
                note_proof(&mut *connection, session).await?;
            } else if has_fresh_proof(&mut *connection, session).await? {
                accounts::tell_of_change(connection, user_id, Changed::of(identifier.channel())).await?;
            } else {
                return Err(Error::ProofTooOld);
            }
            self.forget_replaced(connection).await?;
            // With several login ids, the proof of one says nothing about the others.
            let is_proven = descope_user.login_ids == [identifier.as_str()];
            accounts::link(connection, &descope_user.user_id, user_id, identifier.phone(), is_proven).await?;
            let verified = verify(connection, user_id, identifier, Profile::Replaced).await;
            verified.map_err(|error| on_race(error, identifier))?;
            let mut roles = Vec::new();
            if !has_it {
                // The one before may soon be another person's.
                let (channel, kept) = (identifier.channel(), Some(descope_user.user_id.as_str()));
                roles = accounts::end_ways_in(&mut *connection, user_id, channel, kept, session.id).await?;
            }
            let tokens = sessions::tokens(sign_in, connection, session).await?;
            let claims = Claims::trusted(&session.token)?;
            let user = accounts::load(&mut *connection, user_id, &claims).await?;
            Ok(Some(Added { user, tokens, roles }))
        };
        sign_in.sessions.database.transaction(add).await
    }
}

/// Accepts a sign-in only if its code went to this number or address.
async fn reached(sign_in: &SignIn, signed_in: SignedIn, identifier: &Identifier) -> Result<Arrival> {
    let arrival = Arrival::of(sign_in, signed_in).await?;
    if arrival.user.is_reached_at(identifier.channel(), identifier.as_str()) {
        return Ok(arrival);
    }
    arrival.turn_away(sign_in).await;
    Err(Error::InvalidOtp)
}
