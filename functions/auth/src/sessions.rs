//! Sessions of a user: listing them, revoking one, logging out.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Result,
    accounts::{ListedSession, list_sessions},
    http::{ClientAddress, Device, Fields, FlatErrorBody as ErrorBody, Id, Json, Read, Routes, private_json, routes},
    ids::SessionId,
    session::{SentToken, Session},
    sign_in::{refresh::LONGEST_TOKEN, sessions},
};
use utoipa::ToSchema;

use crate::App;

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
    sessions: Vec<ListedSession>,
}

/// Lists the sessions of the session's user, newest first.
///
/// At most 100, ended ones included.
#[utoipa::path(
    get, path = "/sessions", operation_id = "list_sessions", tag = "Accounts", security(("session" = [])),
    responses((status = 200, body = Sessions), (status = 401, body = ErrorBody))
)]
async fn list(State(app): State<App>, session: Session) -> Result<Response> {
    let sessions = list_sessions(&app.sessions.database, session.user.id, session.id).await?;
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
async fn revoke(State(app): State<App>, session: Session, Id(id): Id<SessionId>) -> Result<Done> {
    sessions::revoke(&app, session.user.id, id).await?;
    Ok(Done { message: "Session revoked successfully" })
}

/// The refresh token of the session that ends.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "refresh_token": "eyJhbGciOiJSUzI1NiIs" }))]
struct Logout {
    refresh_token: Option<String>,
}

impl Read for Logout {
    fn read(fields: &mut Fields) -> Option<Self> {
        let refresh_token = fields.text_or_empty("refresh_token", LONGEST_TOKEN)?;
        Some(Self { refresh_token: Some(refresh_token).filter(|token| !token.is_empty()) })
    }
}

/// Ends the session of a session token or of a refresh token.
///
/// At Descope too. Either token is enough; a session that has ended or expired already is no error.
#[utoipa::path(
    post, path = "/logout", operation_id = "logout", tag = "Accounts", security((), ("session" = [])),
    request_body = Json<Logout>,
    responses(
        (status = 200, body = Done),
        (status = 401, description = "Neither token, or one that is not Descope's.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn logout(
    State(app): State<App>,
    address: ClientAddress,
    SentToken(session_token): SentToken,
    device: Device,
    Json(body): Json<Logout>,
) -> Result<Done> {
    if body.refresh_token.is_some() {
        // As a refresh: a token that is invented is looked up.
        app.throttle.check(&[app.limits.refreshes_per_address.on(&address.0)]).await?;
    }
    sessions::log_out(&app, session_token.as_deref(), body.refresh_token.as_deref(), &device).await?;
    Ok(Done { message: "Logout successful" })
}
