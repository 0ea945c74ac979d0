//! Meta's webhook.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use lambda_http::http::HeaderMap;
use shared::{
    Result,
    carriers::{WhatsAppSecrets, WhatsAppUpdate},
    database::Database,
    messages::feedback,
};
use sqlx::PgConnection;
use tracing::warn;

use crate::{failed, refuse, taken};

/// Answers Meta's question when the webhook is registered: with its challenge, if it knows our token.
pub(crate) async fn verify(State(secrets): State<WhatsAppSecrets>, RawQuery(query): RawQuery) -> Result<Response> {
    let query = query.unwrap_or_default();
    let value = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    if value("hub.mode") != "subscribe" || !secrets.verifies(&value("hub.verify_token"))? {
        return Err(refuse("WhatsApp"));
    }
    Ok(value("hub.challenge").into_response())
}

/// Receives statuses and texts. They may arrive repeatedly and out of order; each is a transaction of its own, so that one
/// that fails does not hold up others.
pub(crate) async fn receive(
    State(database): State<Database>,
    State(secrets): State<WhatsAppSecrets>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let signature = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !secrets.signed(&body, signature).await? {
        return Err(refuse("WhatsApp"));
    }
    // Another shape is none of ours, and a repetition could not be read either.
    let Some(update) = WhatsAppUpdate::read(&body) else {
        warn!("a webhook of WhatsApp cannot be read");
        return Ok(taken());
    };
    let now = Utc::now();
    for status in &update.statuses {
        let apply = async |connection: &mut PgConnection| feedback::whatsapp(connection, status, now).await;
        database.transaction(apply).await.inspect_err(failed)?;
    }
    for inbound in &update.inbound {
        let apply = async |connection: &mut PgConnection| feedback::whatsapp_inbound(connection, inbound, now).await;
        database.transaction(apply).await.inspect_err(failed)?;
    }
    Ok(taken())
}
