//! MSG91's webhook.

use axum::{body::Bytes, extract::State, response::Response};
use chrono::Utc;
use lambda_http::http::HeaderMap;
use shared::{
    Result,
    carriers::{ReportSecret, reports},
    database::Database,
    messages::feedback,
};
use sqlx::PgConnection;

use crate::{failed, refuse, taken};

/// Receives reports of delivery, and replies.
pub(crate) async fn receive(
    State(database): State<Database>,
    State(secret): State<ReportSecret>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let given = headers.get("x-webhook-secret").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !secret.is(given).await? {
        return Err(refuse("MSG91"));
    }
    let now = Utc::now();
    for report in reports(&body) {
        let apply = async |connection: &mut PgConnection| feedback::sms(connection, &report, now).await;
        database.transaction(apply).await.inspect_err(failed)?;
    }
    Ok(taken())
}
