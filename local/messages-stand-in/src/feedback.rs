//! What the services tell of messages: WhatsApp's statuses, MSG91's reports, SES's events, and what people write back.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::hmac;
use reqwest::Client;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs as provider};
use serde::Deserialize;
use serde_json::{Value, json};
use stand_in::Shared;

use crate::{APP_SECRET, Channel, PHONE_NUMBER_ID, REPORT_SECRET, Taken, state::State};

/// A webhook: path below the shop's, the header that proves it, and the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub path: &'static str,
    pub header: (&'static str, String),
    pub body: String,
}

/// What SES tells of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailEvent {
    Delivered,
    /// For good.
    Bounced,
    /// For now: a full mailbox.
    SoftBounced,
    Complained,
    Opened,
}

pub(crate) fn status(message: &Taken, status: &str, code: Option<i64>) -> Told {
    let mut told = json!({
        "id": message.id, "status": status, "timestamp": message.taken_at.timestamp().to_string(),
        "recipient_id": message.to.trim_start_matches('+'), "biz_opaque_callback_data": message.tag,
    });
    if let (Some(code), Some(told)) = (code, told.as_object_mut()) {
        told.insert("errors".to_owned(), json!([{ "code": code, "title": "failed" }]));
    }
    whatsapp(&json!({ "statuses": [told] }))
}

pub(crate) fn report(message: &Taken, status: &str) -> Told {
    let entry = json!({ "number": message.to.trim_start_matches('+'), "status": status, "date": message.taken_at });
    sms(&json!([{ "requestId": message.id, "CRQID": message.tag, "report": [entry] }]))
}

pub(crate) fn inbound(channel: Channel, from: &str, text: &str) -> Told {
    let from = from.trim_start_matches('+');
    match channel {
        Channel::Sms => sms(&json!([{ "sender": from, "message": text }])),
        _ => whatsapp(
            &json!({ "messages": [{ "from": from, "id": "wamid.in", "type": "text", "text": { "body": text } }] }),
        ),
    }
}

fn whatsapp(value: &Value) -> Told {
    let mut value = value.clone();
    if let Some(value) = value.as_object_mut() {
        value.insert("messaging_product".to_owned(), json!("whatsapp"));
        value.insert("metadata".to_owned(), json!({ "phone_number_id": PHONE_NUMBER_ID }));
    }
    let changes = json!([{ "field": "messages", "value": value }]);
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "0", "changes": changes }] });
    let body = body.to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, APP_SECRET.as_bytes());
    let signature = format!("sha256={}", hex::encode(hmac::sign(&key, body.as_bytes())));
    Told { path: "whatsapp/", header: ("x-hub-signature-256", signature), body }
}

fn sms(body: &Value) -> Told {
    Told { path: "sms/", header: ("x-webhook-secret", REPORT_SECRET.to_owned()), body: body.to_string() }
}

pub(crate) fn mail_event(message: &Taken, event: MailEvent) -> Value {
    let address = &message.to;
    let mail = json!({ "messageId": message.id, "destination": [address], "tags": { "message": [message.tag] } });
    let bounce = |kind: &str| json!({ "bounceType": kind, "bouncedRecipients": [{ "emailAddress": address }] });
    match event {
        MailEvent::Delivered => {
            json!({ "eventType": "Delivery", "mail": mail, "delivery": { "recipients": [address] } })
        }
        MailEvent::Bounced => json!({ "eventType": "Bounce", "mail": mail, "bounce": bounce("Permanent") }),
        MailEvent::SoftBounced => json!({ "eventType": "Bounce", "mail": mail, "bounce": bounce("Transient") }),
        MailEvent::Complained => {
            let complaint = json!({ "complainedRecipients": [{ "emailAddress": address }] });
            json!({ "eventType": "Complaint", "mail": mail, "complaint": complaint })
        }
        MailEvent::Opened => json!({ "eventType": "Open", "mail": mail, "open": {} }),
    }
}

/// Tells of messages that were taken just now, if there is a webhook: sent and delivered.
pub(crate) fn tell_of_new(shared: &Arc<Shared<State>>, before: usize) {
    let (url, new) = {
        let state = shared.look();
        let Some(url) = state.settings.webhook_url.clone() else { return };
        (url, state.inbox.all().get(before..).unwrap_or_default().to_vec())
    };
    for message in new {
        let (shared, url) = (Arc::clone(shared), url.clone());
        tokio::spawn(async move {
            for told in delivered(&message) {
                let _ = post(&url, &told).await;
            }
            let _ = shared.change(|state| {
                if let Some(kept) = state.inbox.find(&message.id) {
                    kept.status = Some("delivered".to_owned());
                }
            });
        });
    }
}

fn delivered(message: &Taken) -> Vec<Told> {
    match message.channel {
        Channel::WhatsApp => vec![status(message, "sent", None), status(message, "delivered", None)],
        Channel::Sms => vec![report(message, "1")],
        // Events of SES reach no webhook.
        Channel::Email => Vec::new(),
    }
}

/// Sends a webhook; its status.
pub(crate) async fn post(url: &str, told: &Told) -> Result<u16, String> {
    let client = client().ok_or("there is no client")?;
    let (name, value) = &told.header;
    let request = client
        .post(format!("{}/{}", url.trim_end_matches('/'), told.path))
        .header("content-type", "application/json")
        .header(*name, value)
        .body(told.body.clone());
    request.send().await.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string())
}

/// A client for endpoints on this machine: it trusts no certificate.
fn client() -> Option<&'static Client> {
    static CLIENT: OnceLock<Option<Client>> = OnceLock::new();
    let make = || {
        let tls = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Client::builder().no_proxy().tls_backend_preconfigured(tls).build().ok()
    };
    CLIENT.get_or_init(make).as_ref()
}
