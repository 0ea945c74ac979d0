//! Token refresh: a new session token for a refresh token.

use axum::{extract::State, response::Response};
use shared::{
    Result,
    http::{ClientAddress, Device, Fields, FlatErrorBody as ErrorBody, Json, Read, Routes, routes},
    sign_in::refresh::{self, LONGEST_TOKEN, Refreshed},
};
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(refresh)
}

/// A refresh token.
#[derive(Debug, ToSchema)]
#[schema(as = TokenRefresh, example = json!({ "refresh_token": "eyJhbGciOiJSUzI1NiIs" }))]
struct Refresh {
    #[schema(value_type = String)]
    refresh_token: Option<String>,
    /// `refresh_token` as older clients call it. One of the two is needed.
    #[schema(value_type = String)]
    #[expect(dead_code, reason = "described, and read into the other field")]
    refresh: (),
}

impl Read for Refresh {
    fn read(fields: &mut Fields) -> Option<Self> {
        let refresh_token = fields.renamed_text("refresh_token", "refresh", LONGEST_TOKEN);
        Some(Self { refresh_token: Some(refresh_token?), refresh: () })
    }
}

/// Exchanges a refresh token for a new session token.
///
/// Several requests with one token within a minute get the same answer.
#[utoipa::path(
    post, path = "/token/refresh", operation_id = "refresh_token", tag = "Accounts", request_body = Json<Refresh>,
    responses(
        (status = 200, body = Refreshed),
        (status = 400, body = ErrorBody),
        (status = 401, description = "The token is worth nothing, or its session was ended.", body = ErrorBody),
        (status = 403, description = "The account is blocked.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn refresh(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    Json(body): Json<Refresh>,
) -> Result<Response> {
    // Before anything else: an invalid token, too, is looked up in Postgres.
    app.throttle.check(&[app.limits.refreshes_per_address.on(&address.0)]).await?;
    refresh::refresh(&app, &body.refresh_token.unwrap_or_default(), &device).await
}
