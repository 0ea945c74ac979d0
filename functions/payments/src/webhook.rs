//! Razorpay's webhooks: they arrive repeatedly and out of order, and are retried until they are acknowledged.

use std::time::Duration;

use axum::{body::Bytes, extract::State, response::Response};
use lambda_http::http::{HeaderMap, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};
use shared::{
    Error, Result,
    http::{DEADLINE, ErrorBody, Routes, private_json, routes},
    metrics::{self, Count},
    payments::{
        disputes, orders, refunds, settle,
        webhooks::{self, Known},
    },
    razorpay::{Event, Failure, Payload, Payment, Refund},
};
use sqlx::PgConnection;
use tracing::{error, info, warn};

use crate::App;

/// Timeout of the calls to Razorpay, so that there is time to apply the answer within [`DEADLINE`].
const PATIENCE: Duration = Duration::from_millis(2500);

pub(crate) fn routes() -> Routes<App> {
    routes!(receive)
}

/// Receives an event of Razorpay.
///
/// Any 2xx ends its delivery; after anything else Razorpay repeats it for a day.
#[utoipa::path(
    post, path = "/razorpay/webhook", operation_id = "receive_webhook", tag = "Payments",
    request_body(
        content = Object, description = "An event, signed over its raw bytes.",
        example = json!({
            "entity": "event", "event": "payment.captured", "contains": ["payment"],
            "payload": { "payment": { "entity": {
                "id": "pay_29QQoUBi66xm2f", "amount": 75000, "currency": "INR", "status": "captured",
                "order_id": "order_9A33XWu170gUtm"
            } } },
            "created_at": 1_767_225_600
        }),
    ),
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

/// Applies an event once, atomically. Money that the event alone tells of counts only after Razorpay has confirmed it.
async fn apply(app: &App, event_id: &str, body: &[u8]) -> Result<()> {
    let Some(event) = Event::read(body) else {
        // A signed event of an unknown kind. A retry could not be read either, so it is acknowledged.
        warn!(event_id, "a webhook cannot be read");
        return Ok(());
    };
    let Payload { payment, refund, .. } = &event.payload;
    let look_up = |pool| async move { webhooks::look_up(&pool, payment.as_ref(), refund.as_ref()).await };
    let known = app.database.read(look_up).await?;
    let told = if event.had_nul { Told::Doubtful(NUL) } else { confirm(app, &event, &known).await };
    let apply = async |connection: &mut PgConnection| {
        if webhooks::receive(connection, event_id, &event).await? {
            change(connection, event_id, &event, &known, &told).await?;
        }
        Ok(())
    };
    app.database.transaction(apply).await
}

const NUL: &str = "a webhook holds the character NUL";
const UNKNOWN: &str = "a webhook told of a payment that Razorpay does not know";
const ANOTHER: &str = "a webhook told another amount, currency or order than Razorpay does";

/// What is to be applied.
enum Told {
    /// What the event says: it moves no money, is known already, or is none of ours.
    AsItIs,
    /// What Razorpay says of the payment and its refunds.
    Confirmed(Box<Payment>, Vec<Refund>),
    /// Razorpay does not answer: the job asks again.
    Unanswered,
    Doubtful(&'static str),
}

/// Asks Razorpay for money that is told here for the first time.
async fn confirm(app: &App, event: &Event, known: &Known) -> Told {
    let Payload { payment, refund, dispute } = &event.payload;
    let is_capture = payment.as_ref().is_some_and(|payment| payment.is_taken() && !known.has_capture);
    let is_refund = refund.is_some() && !known.has_refund;
    let id = payment.as_ref().map(|payment| &payment.id).or(refund.as_ref().map(|refund| &refund.payment_id));
    let moves_money = dispute.is_none() && (is_capture || is_refund);
    let Some(id) = id.filter(|_| moves_money && known.payment_id.is_some()) else { return Told::AsItIs };
    let ask = async {
        let razorpay = app.gateway.razorpay()?;
        let payment = razorpay.payment(id).await?;
        // The payment does not tell of a refund that has failed.
        let refunds = match refund {
            Some(_) => razorpay.refunds_of(id).await?,
            None => razorpay.refunds_of_all(std::slice::from_ref(&payment)).await?,
        };
        Ok::<_, Failure>((payment, refunds))
    };
    match tokio::time::timeout(PATIENCE, ask).await {
        Ok(Ok((asked, refunds))) => Told::Confirmed(Box::new(asked), refunds),
        Ok(Err(Failure::Refused { status, reason, .. })) => {
            error!(payment.id = id, status, reason, "Razorpay does not know a payment that a webhook tells of");
            Told::Doubtful(UNKNOWN)
        }
        Ok(Err(Failure::Unknown(error))) => {
            warn!(%error, payment.id = id, "a webhook was not confirmed");
            Told::Unanswered
        }
        Err(_) => Told::Unanswered,
    }
}

async fn change(
    connection: &mut PgConnection,
    event_id: &str,
    event: &Event,
    known: &Known,
    told: &Told,
) -> Result<()> {
    let Payload { payment, refund, dispute } = &event.payload;
    if let Some(dispute) = dispute {
        return disputes::record(connection, dispute).await;
    }
    match told {
        Told::AsItIs => {
            if let Some((order_id, payment)) = payment.as_ref().and_then(|paid| Some((paid.order_id.as_ref()?, paid))) {
                settle(connection, order_id, std::slice::from_ref(payment), refund.as_slice()).await?;
            } else if let Some(refund) = refund {
                refunds::record(connection, refund).await?;
            }
        }
        Told::Confirmed(asked, refunds) => {
            if let Some(order_id) = &asked.order_id {
                let settlement = settle(connection, order_id, std::slice::from_ref(asked.as_ref()), refunds).await?;
                let booking_id = settlement.booking_id.map(|id| id.0);
                info!(event = event.event, booking.id = booking_id, settlement.applied, "webhook applied");
            }
            let is_the_same = |told: &Payment| {
                (told.amount, &told.currency, &told.order_id) == (asked.amount, &asked.currency, &asked.order_id)
            };
            if !payment.as_ref().is_none_or(is_the_same) {
                webhooks::doubt(connection, event_id, event, known, ANOTHER).await?;
            }
        }
        Told::Unanswered | Told::Doubtful(_) => {
            if let Some(id) = known.payment_id {
                orders::ask_now(&mut *connection, id).await?;
            }
            if let Told::Doubtful(reason) = told {
                webhooks::doubt(connection, event_id, event, known, reason).await?;
            }
        }
    }
    Ok(())
}

/// A substitute for a missing event id.
fn sha256_hex(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}
