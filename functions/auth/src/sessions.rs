//! The list of one's sessions, and ending them: here at once, in every function, and then at Descope.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use futures::future::join_all;
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Error, Result, accounts,
    descope::{Kind, SignedIn},
    http::{ErrorBody, Fields, Id, Json, Read, Routes, private_json, routes},
    session::Session,
};
use sqlx::PgConnection;
use tracing::warn;
use utoipa::ToSchema;

use crate::App;

/// The newest sessions that are shown.
const LONGEST_LIST: i64 = 100;
/// How many sessions are ended at Descope at once; what is left stays noted.
const AT_ONCE: i64 = 20;

pub(crate) fn routes() -> Routes<App> {
    routes!(list, revoke, logout)
}

/// A plain sentence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct Done {
    pub(crate) message: &'static str,
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        private_json(StatusCode::OK, &self)
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionList)]
struct Sessions {
    sessions: Vec<Listed>,
}

/// A session as its user sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
struct Listed {
    id: i64,
    #[serde(with = "shared::http::time")]
    created_at: DateTime<Utc>,
    /// Noted once a minute.
    #[serde(with = "shared::http::time")]
    last_seen_at: DateTime<Utc>,
    /// When its refresh token ends.
    #[serde(with = "shared::http::time")]
    expires_at: DateTime<Utc>,
    is_active: bool,
    /// Whether it is the one that asks.
    is_current: bool,
    user_agent: String,
    ip_address: String,
}

/// Lists the sessions of the session's user, newest first.
///
/// At most 100, ended ones included.
#[utoipa::path(
    get, path = "/sessions", operation_id = "list_sessions", tag = "Accounts", security(("session" = [])),
    responses((status = 200, body = Sessions), (status = 401, body = ErrorBody))
)]
async fn list(State(app): State<App>, session: Session) -> Result<Response> {
    let sessions = sqlx::query_as!(
        Listed,
        r#"
        select id, created_at, last_seen_at, expires_at, revoked_at is null and expires_at > now() as "is_active!",
            id = $2 as "is_current!", user_agent, ip_address
        from user_sessions
        where user_id = $1
        order by id desc
        limit $3
        "#,
        session.user.id,
        session.id,
        LONGEST_LIST
    )
    .fetch_all(&app.sessions.database.pool())
    .await?;
    Ok(private_json(StatusCode::OK, &Sessions { sessions }))
}

/// Ends one of the user's sessions.
///
/// Its tokens are refused from the next request on, in every function.
#[utoipa::path(
    post, path = "/sessions/{id}/revoke", operation_id = "revoke_session", tag = "Accounts",
    security(("session" = [])), params(("id" = i64, Path)),
    responses(
        (status = 200, body = Done),
        (status = 401, body = ErrorBody),
        (status = 404, description = "Also for another user's session.", body = ErrorBody),
    )
)]
async fn revoke(State(app): State<App>, session: Session, Id(id): Id) -> Result<Done> {
    let revoked = sqlx::query!(
        r#"
        update user_sessions session set revoked_at = coalesce(session.revoked_at, now())
        from user_sessions before
        where session.id = $1 and session.user_id = $2 and before.id = session.id
        returning session.descope_user_id,
            before.revoked_at is null and session.refresh_token_sealed is null as "is_unknown_to_us!"
        "#,
        id,
        session.user.id
    )
    .fetch_optional(&app.sessions.database.pool())
    .await?
    .ok_or(Error::NotFound("Session"))?;
    if revoked.is_unknown_to_us {
        // Descope can end a single session only by its refresh token.
        end_all_at_descope(&app, &revoked.descope_user_id).await;
    }
    end_at_descope(&app, session.user.id).await;
    Ok(Done { message: "Session revoked successfully" })
}

/// The session's refresh token, if the session was not opened here.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "refresh_token": "eyJhbGciOiJSUzI1NiIs" }))]
struct Logout {
    refresh_token: Option<String>,
}

impl Read for Logout {
    fn read(fields: &mut Fields) -> Option<Self> {
        let refresh_token = fields.text_or_empty("refresh_token", super::token_refresh::LONGEST_TOKEN)?;
        Some(Self { refresh_token: Some(refresh_token).filter(|token| !token.is_empty()) })
    }
}

/// Ends the session that asks.
///
/// At Descope too.
#[utoipa::path(
    post, path = "/logout", operation_id = "logout", tag = "Accounts", security(("session" = [])),
    request_body = Json<Logout>,
    responses((status = 200, body = Done), (status = 401, body = ErrorBody))
)]
async fn logout(State(app): State<App>, session: Session, Json(body): Json<Logout>) -> Result<Done> {
    sqlx::query!("update user_sessions set revoked_at = coalesce(revoked_at, now()) where id = $1", session.id)
        .execute(&app.sessions.database.pool())
        .await?;
    if let Some(token) = body.refresh_token
        && is_of(&app, &session, &token).await?
    {
        report(app.sessions.descope.log_out(&token).await);
    }
    end_at_descope(&app, session.user.id).await;
    Ok(Done { message: "Logout successful" })
}

/// Whether a refresh token is one of the user's. Another's is left alone.
async fn is_of(app: &App, session: &Session, refresh_token: &str) -> Result<bool> {
    let Ok(claims) = app.sessions.keys.verify(refresh_token, Kind::Refresh).await else { return Ok(false) };
    let identity = accounts::identity(&app.sessions.database, claims.user_id()).await?;
    Ok(identity.is_some_and(|identity| identity.user_id == session.user.id))
}

/// The tokens with which a session goes on: the one it has shown and its refresh token, if that is known here.
pub(crate) async fn tokens(app: &App, connection: &mut PgConnection, session: &Session) -> Result<Option<SignedIn>> {
    let kept =
        sqlx::query!("select descope_user_id, refresh_token_sealed from user_sessions where id = $1", session.id)
            .fetch_one(connection)
            .await?;
    let Some(sealed) = kept.refresh_token_sealed else { return Ok(None) };
    let refresh_jwt = app.seals.open(&sealed, &kept.descope_user_id).await?;
    Ok(Some(SignedIn { session_jwt: session.token.clone(), refresh_jwt, user: None, first_seen: false }))
}

/// Whether a session has not been ended. Its user is held.
pub(crate) async fn is_active(connection: &mut PgConnection, id: i64) -> sqlx::Result<bool> {
    // A single session can be ended without its user being held.
    let active = sqlx::query_scalar!("select id from user_sessions where id = $1 and revoked_at is null for share", id)
        .fetch_optional(connection)
        .await?;
    Ok(active.is_some())
}

/// Ends at Descope what has been revoked here. What Descope does not take note of now stays noted: its tokens are
/// refused here all the same.
pub(crate) async fn end_at_descope(app: &App, user_id: i64) {
    if let Err(error) = try_to_end(app, user_id).await {
        warn!(%error, "revoked sessions go on at Descope for now");
    }
}

async fn try_to_end(app: &App, user_id: i64) -> Result<()> {
    let pool = app.sessions.database.pool();
    let revoked = sqlx::query!(
        r#"
        select id, descope_user_id, refresh_token_sealed as "sealed!" from user_sessions
        where user_id = $1 and revoked_at is not null and refresh_token_sealed is not null
        order by id desc
        limit $2
        "#,
        user_id,
        AT_ONCE
    )
    .fetch_all(&pool)
    .await?;
    let endings = revoked.iter().map(async |session| {
        let refresh_token = app.seals.open(&session.sealed, &session.descope_user_id).await?;
        app.sessions.descope.log_out(&refresh_token).await.map(|()| session.id)
    });
    let (mut ended, mut failure) = (Vec::new(), None);
    for ending in join_all(endings).await {
        match ending {
            Ok(id) => ended.push(id),
            Err(error) => failure = Some(error),
        }
    }
    if !ended.is_empty() {
        sqlx::query!("update user_sessions set refresh_token_sealed = null where id = any($1)", &ended)
            .execute(&pool)
            .await?;
    }
    failure.map_or(Ok(()), Err)
}

/// Ends all sessions of a Descope user at Descope.
pub(crate) async fn end_all_at_descope(app: &App, descope_user_id: &str) {
    report(app.sessions.descope.log_out_user(descope_user_id).await);
}

fn report(ended: Result<()>) {
    if let Err(error) = ended {
        warn!(%error, "a revoked session goes on at Descope");
    }
}
