//! A sign-in accepted by Descope, before a session is opened here.

use sqlx::PgConnection;
use tracing::warn;

use super::{Admits, SignIn};
use crate::{
    Error, Result,
    accounts::{self, NewSession, User},
    descope::{self, Claims, SignedIn},
    http::Device,
    ids::UserId,
    session::sha256,
};

/// A sign-in that Descope has just accepted.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) signed_in: SignedIn,
    pub(super) user: descope::User,
    pub(super) claims: Claims,
}

impl Arrival {
    /// Reads the tokens, and makes their verification key known to every function.
    pub(super) async fn of(sign_in: &SignIn, signed_in: SignedIn) -> Result<Self> {
        let claims = Claims::trusted(&signed_in.session_jwt)?;
        if let Err(error) = sign_in.sessions.keys.learn(&signed_in.session_jwt).await {
            warn!(%error, "the key of a new token is not known yet");
        }
        let user = match signed_in.user.clone() {
            Some(user) if user.user_id == claims.user_id() => user,
            _ => sign_in.sessions.descope.user(claims.user_id()).await?.ok_or(Error::TokenInvalid)?,
        };
        Ok(Self { signed_in, user, claims })
    }

    /// The Descope user id.
    pub(super) fn id(&self) -> &str {
        self.claims.user_id()
    }

    /// Opens a session of our user; 403 if the function does not [admit](Admits) the user.
    pub(super) async fn enter(
        &self,
        sign_in: &SignIn,
        connection: &mut PgConnection,
        user_id: UserId,
        device: &Device,
    ) -> Result<User> {
        let refresh_token = match self.signed_in.refresh_jwt.as_str() {
            "" => None,
            token => Some((sha256(token), sign_in.seals.seal(token, self.id())?)),
        };
        let session = NewSession {
            user_id,
            claims: &self.claims,
            token_sha256: sha256(&self.signed_in.session_jwt),
            refresh_token,
            is_proof: true,
            user_agent: &device.user_agent,
            ip_address: &device.ip_address,
        };
        let (_, user) = accounts::open_session(connection, session).await?;
        if sign_in.admits == Admits::Personnel && !user.is_staff() {
            return Err(Error::PermissionDenied);
        }
        Ok(user)
    }

    /// Ends the session at Descope when none is opened here.
    pub(super) async fn turn_away(&self, sign_in: &SignIn) {
        if let Err(error) = sign_in.sessions.descope.log_out(&self.signed_in.refresh_jwt).await {
            warn!(%error, "a session that was not opened here goes on at Descope");
        }
    }
}
