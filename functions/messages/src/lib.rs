//! What carriers tell of messages, and what people write back: the webhooks of WhatsApp and of MSG91.

mod sms;
mod whatsapp;

use axum::{extract::FromRef, response::Response};
use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error, Result,
    carriers::{ReportSecret, WhatsAppSecrets},
    config::{self, Settings},
    database::Database,
    http::{Routes, private_json},
    metrics::{self, Count},
};
use tracing::warn;

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    pub database: Database,
    pub whatsapp: WhatsAppSecrets,
    pub sms: ReportSecret,
}

impl App {
    /// The secrets of both webhooks; one without a secret refuses every call.
    pub fn from_settings(settings: &Settings, database: Database) -> Result<Self, config::Error> {
        let (whatsapp, sms) = (WhatsAppSecrets::from_settings(settings)?, ReportSecret::from_settings(settings)?);
        Ok(Self { database, whatsapp, sms })
    }
}

/// All routes of this function, ready to serve. They are for carriers, and so no part of the API document.
#[expect(clippy::disallowed_methods, reason = "the document of the API has none of these routes")]
pub fn router(app: App) -> Routes {
    Routes::new()
        .get("/api/messages/whatsapp", whatsapp::verify)
        .post("/api/messages/whatsapp", whatsapp::receive)
        .post("/api/messages/sms", sms::receive)
        .with_state(app)
}

/// The refusal of a call that does not prove where it comes from.
fn refuse(carrier: &'static str) -> Error {
    warn!(carrier, "a webhook does not have our secret");
    metrics::count(Count::WebhooksRefused);
    Error::PermissionDenied
}

/// Counts a webhook that could not be applied; its carrier repeats it.
fn failed(_: &Error) {
    metrics::count(Count::WebhooksFailed);
}

/// The answer that ends the delivery.
fn taken() -> Response {
    private_json(StatusCode::OK, &json!({ "status": "ok" }))
}
