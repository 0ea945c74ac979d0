//! Razorpay's webhooks: they arrive repeatedly and out of order, and are retried until they are acknowledged.

use axum::{body::Bytes, extract::State, response::Response};
use lambda_http::http::{HeaderMap, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};
use shared::{
    Error, Result,
    http::{DEADLINE, ErrorBody, Routes, private_json, routes},
    metrics::{self, Count},
    payments::{refunds, settle, webhooks},
    razorpay::Event,
};
use sqlx::PgConnection;
use tracing::{info, warn};

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(receive)
}

/// Receives an event of Razorpay.
///
/// Any 2xx ends its delivery; after anything else Razorpay repeats it for a day.
#[utoipa::path(
    post, path = "/razorpay/webhook", operation_id = "receive_webhook", tag = "Payments",
    request_body(content = Object, description = "An event, signed over its raw bytes."),
    params(
        ("X-Razorpay-Signature" = String, Header, description = "HMAC-SHA256 of the body in hex."),
        ("X-Razorpay-Event-Id" = Option<String>, Header, description = "The same for every delivery of one event."),
    ),
    responses(
        (status = 200, description = "Applied, known, or none of ours."),
        (status = 400, description = "`INVALID_SIGNATURE`.", body = ErrorBody),
        (status = 503, description = "Not now: Razorpay tries again.", body = ErrorBody),
    )
)]
async fn receive(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = app.gateway.secrets()?.signed(&body, header("x-razorpay-signature")).await;
    if !signed.inspect_err(|_| metrics::count(Count::WebhooksFailed))? {
        // A wrong secret refuses every event, and after a day Razorpay stops retrying.
        warn!("a webhook is not signed with our secret");
        metrics::count(Count::WebhooksRefused);
        return Err(Error::InvalidSignature);
    }
    let event_id = Some(header("x-razorpay-event-id")).filter(|id| (1..=100).contains(&id.len()));
    let event_id = event_id.map_or_else(|| sha256_hex(&body), ToOwned::to_owned);
    // Razorpay's timeout is five seconds, shorter than the timeout of this function's other routes.
    let applied = tokio::time::timeout(DEADLINE, apply(&app, &event_id, &body)).await;
    applied.unwrap_or(Err(Error::Deadline)).inspect_err(|_| metrics::count(Count::WebhooksFailed))?;
    Ok(private_json(StatusCode::OK, &json!({ "status": "ok" })))
}

/// Applies an event once, atomically.
async fn apply(app: &App, event_id: &str, body: &[u8]) -> Result<()> {
    let Ok(event) = serde_json::from_slice::<Event>(body) else {
        // A signed event of an unknown kind. A retry could not be read either, so it is acknowledged.
        warn!(event_id, "a webhook cannot be read");
        return Ok(());
    };
    let apply = async |connection: &mut PgConnection| {
        if webhooks::receive(connection, event_id, &event).await? {
            change(connection, event).await?;
        }
        Ok(())
    };
    app.database.transaction(apply).await
}

async fn change(connection: &mut PgConnection, event: Event) -> Result<()> {
    let payment = event.payload.payment.map(|wrapped| wrapped.entity);
    let refund = event.payload.refund.map(|wrapped| wrapped.entity);
    let order_id = payment.as_ref().and_then(|payment| payment.order_id.clone());
    if let (Some(order_id), Some(payment)) = (order_id, payment) {
        let settlement = settle(connection, &order_id, &[payment], refund.as_slice()).await?;
        let booking_id = settlement.booking_id.map(|id| id.0);
        info!(event = event.event, booking.id = booking_id, settlement.applied, "webhook applied");
    } else if let Some(refund) = refund {
        refunds::record(connection, &refund).await?;
    }
    Ok(())
}

/// A substitute for a missing event id.
fn sha256_hex(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}
