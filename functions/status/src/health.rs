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
    metrics::{self, Count},
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
    #[schema(inline)]
    status: Alive,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Alive {
    Ok,
}

/// Whether the database and Redis answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Readiness)]
struct Ready {
    database: Health,
    /// Without Redis everything works, only slower.
    redis: Health,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Health {
    Ok,
    Unavailable,
}

impl Health {
    fn of(answers: bool) -> Self {
        if answers { Self::Ok } else { Self::Unavailable }
    }
}

/// Why the system cannot do its work.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "an ErrorBody as this one operation answers it")]
struct NotReady {
    error: bool,
    message: String,
    status_code: u16,
    #[schema(inline)]
    code: Unavailable,
    details: Ready,
    detail: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "the one code of this answer, for the document")]
enum Unavailable {
    ServiceUnavailable,
}

/// Tells that the process answers.
///
/// It asks nothing else.
#[utoipa::path(
    get, path = "/health", operation_id = "health", tag = "Status",
    responses((status = 200, body = Envelope<Live>))
)]
async fn live() -> Envelope<Live> {
    Envelope::new("The process answers", Live { status: Alive::Ok })
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
    let state = Ready { database: Health::of(database), redis: Health::of(redis) };
    if database {
        metrics::count(Count::Ready);
        return Ok(Envelope::new("The service is ready", state).into_response());
    }
    let body = ErrorBody::new(Code::ServiceUnavailable, "The database does not answer.".to_owned(), json!(state));
    Ok(private_json(StatusCode::SERVICE_UNAVAILABLE, &body))
}
