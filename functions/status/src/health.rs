//! Is this process alive, and can it do its work?

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    database::Database,
    error::ErrorBody,
    http::{Envelope, Routes, private_json, routes},
    redis::Redis,
};
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(live, ready)
}

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
struct Live {
    /// Always `ok`.
    status: &'static str,
}

/// What the system stands on.
#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    /// `ok` or `unavailable`.
    database: &'static str,
    /// `ok` or `unavailable`. Without it everything works, only slower.
    redis: &'static str,
}

/// Tells that the process answers.
#[utoipa::path(
    get, path = "/health", operation_id = "health", tag = "Status",
    responses((status = 200, body = Envelope<Live>))
)]
async fn live() -> Envelope<Live> {
    Envelope::new("The process answers", Live { status: "ok" })
}

/// Tells whether database and Redis answer.
#[utoipa::path(
    get, path = "/ready", operation_id = "ready", tag = "Status",
    responses(
        (status = 200, body = Envelope<Ready>),
        (status = 503, description = "The database does not answer; `details` tells each state.", body = ErrorBody),
    )
)]
async fn ready(State(database): State<Database>, State(redis): State<Redis>) -> Response {
    let (database, redis) = tokio::join!(database.is_ready(), redis.is_ready());
    let word = |is_ready| if is_ready { "ok" } else { "unavailable" };
    let state = Ready { database: word(database), redis: word(redis) };
    if database {
        return Envelope::new("The service is ready", state).into_response();
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let message = "The database does not answer.".to_owned();
    private_json(status, &ErrorBody::new(status, "SERVICE_UNAVAILABLE", message, &state))
}
