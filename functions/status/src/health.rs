//! Health checks: liveness of the process, readiness of database and Redis.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use shared::{
    Result,
    error::Code,
    http::{ClientAddress, Envelope, ErrorBody, Routes, private_json, routes},
};
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(live, ready)
}

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Liveness)]
struct Live {
    /// Always `ok`.
    status: &'static str,
}

/// What the system stands on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Readiness)]
struct Ready {
    /// `ok` or `unavailable`.
    database: &'static str,
    /// `ok` or `unavailable`. Without it everything works, only slower.
    redis: &'static str,
}

/// Why the system cannot do its work.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "an ErrorBody as this one operation answers it")]
struct NotReady {
    error: bool,
    message: String,
    status_code: u16,
    /// Always `SERVICE_UNAVAILABLE`.
    code: String,
    details: Ready,
    detail: String,
}

/// Tells that the process answers.
///
/// It asks nothing else.
#[utoipa::path(
    get, path = "/health", operation_id = "health", tag = "Status",
    responses((status = 200, body = Envelope<Live>))
)]
async fn live() -> Envelope<Live> {
    Envelope::new("The process answers", Live { status: "ok" })
}

/// Tells whether database and Redis answer.
///
/// 503 when the database does not.
#[utoipa::path(
    get, path = "/ready", operation_id = "ready", tag = "Status",
    responses(
        (status = 200, body = Envelope<Ready>),
        (status = 429, body = ErrorBody),
        (status = 503, description = "The database does not answer.", body = NotReady),
    )
)]
async fn ready(State(app): State<App>, address: ClientAddress) -> Result<Response> {
    app.throttle.check(&[app.checks_per_address.on(&address.0)]).await?;
    let (database, redis) = tokio::join!(app.database.is_ready(), app.redis.is_ready());
    let word = |is_ready| if is_ready { "ok" } else { "unavailable" };
    let state = Ready { database: word(database), redis: word(redis) };
    if database {
        return Ok(Envelope::new("The service is ready", state).into_response());
    }
    let body = ErrorBody::new(Code::ServiceUnavailable, "The database does not answer.".to_owned(), json!(state));
    Ok(private_json(StatusCode::SERVICE_UNAVAILABLE, &body))
}
