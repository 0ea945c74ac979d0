//! The way in: what Descope says of somebody becomes a session here.

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Error, Result,
    accounts::{self, NewSession, User},
    descope::{self, Channel, Claims, SignedIn},
    http::{Device, private_json},
    session::sha256,
};
use sqlx::PgConnection;
use tracing::warn;
use utoipa::ToSchema;

use crate::{App, profile::Profile};

/// The answer to whoever has signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub(crate) struct Welcome {
    #[schema(example = "Login successful")]
    pub(crate) message: &'static str,
    pub(crate) user: Profile,
    /// Send it as `Authorization: Bearer …` or `X-Session-Token`. Descope's, short-lived.
    pub(crate) session_token: String,
    /// Exchange it at `token/refresh/`. Descope's.
    pub(crate) refresh_token: String,
    /// What was proved, at `otp/verify/` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identifier: Option<String>,
    /// How it was proved, at `otp/verify/` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<Channel>,
}

impl Welcome {
    /// A welcome to a user with the tokens that Descope gave them.
    pub(crate) fn new(message: &'static str, user: User, signed_in: SignedIn) -> Self {
        Self {
            message,
            user: user.into(),
            session_token: signed_in.session_jwt,
            refresh_token: signed_in.refresh_jwt,
            identifier: None,
            method: None,
        }
    }
}

impl IntoResponse for Welcome {
    fn into_response(self) -> Response {
        private_json(StatusCode::OK, &self)
    }
}

/// Somebody whom Descope has just let in.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) signed_in: SignedIn,
    pub(crate) user: descope::User,
    pub(crate) claims: Claims,
}

impl Arrival {
    /// Reads the tokens, and sees to it that every function knows the key of them.
    pub(crate) async fn of(app: &App, signed_in: SignedIn) -> Result<Self> {
        let claims = Claims::trusted(&signed_in.session_jwt)?;
        if let Err(error) = app.sessions.keys.learn(&signed_in.session_jwt).await {
            warn!(%error, "the key of a new token is not known yet");
        }
        let user = match signed_in.user.clone() {
            Some(user) if user.user_id == claims.user_id() => user,
            _ => app.sessions.descope.user(claims.user_id()).await?.ok_or(Error::TokenInvalid)?,
        };
        Ok(Self { signed_in, user, claims })
    }

    /// Descope's id of who it is.
    pub(crate) fn id(&self) -> &str {
        self.claims.user_id()
    }

    /// Opens a session of a user, who is whoever has arrived.
    pub(crate) async fn enter(
        &self,
        app: &App,
        connection: &mut PgConnection,
        user_id: i64,
        device: &Device,
    ) -> Result<User> {
        let refresh_token = match self.signed_in.refresh_jwt.as_str() {
            "" => None,
            token => Some((sha256(token), app.seals.seal(token, self.id())?)),
        };
        let session = NewSession {
            user_id,
            claims: &self.claims,
            token_sha256: sha256(&self.signed_in.session_jwt),
            refresh_token,
            user_agent: &device.user_agent,
            ip_address: &device.ip_address,
        };
        let (_, user) = accounts::open_session(connection, session).await?;
        Ok(user)
    }

    /// Ends what Descope has begun, for somebody who is not let in here after all.
    pub(crate) async fn turn_away(&self, app: &App) {
        if let Err(error) = app.sessions.descope.log_out(&self.signed_in.refresh_jwt).await {
            warn!(%error, "a session that was not opened here goes on at Descope");
        }
    }
}

/// Lets somebody in who knew the password at that moment. An account that was not finished when it was made is finished
/// here.
pub(crate) async fn with_password(
    app: &App,
    signed_in: SignedIn,
    moment: DateTime<Utc>,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let arrival = Arrival::of(app, signed_in).await?;
    let mut transaction = app.sessions.database.begin().await?;
    accounts::lock(&mut transaction, &[arrival.id()]).await?;
    let mut known = accounts::known_since(&mut transaction, arrival.id(), moment).await?;
    if known.is_none() {
        // Nobody waits for Descope inside a transaction.
        transaction.rollback().await?;
        if app.sessions.descope.user(arrival.id()).await?.is_none() {
            // Somebody else has just proved the address, and another Descope user has taken this one's place.
            return Err(Error::InvalidCredentials);
        }
        transaction = app.sessions.database.begin().await?;
        accounts::lock(&mut transaction, &[arrival.id()]).await?;
        accounts::adopt(&mut transaction, arrival.id(), Some(&arrival.user)).await?;
        known = accounts::known_since(&mut transaction, arrival.id(), moment).await?;
    }
    let known = known.ok_or_else(|| Error::internal("a user whom Descope knows was not taken in"))?;
    if !known.is_undisturbed {
        // The password was set anew while it was being looked at.
        transaction.rollback().await?;
        arrival.turn_away(app).await;
        return Err(Error::InvalidCredentials);
    }
    let user = arrival.enter(app, &mut transaction, known.user_id, device).await?;
    transaction.commit().await?;
    Ok((user, arrival.signed_in))
}
