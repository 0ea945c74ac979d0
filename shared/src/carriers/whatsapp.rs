//! WhatsApp messages by Meta's Cloud API: registered templates with parameters.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>

mod webhook;

use std::{sync::Arc, time::Duration};

use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

pub use webhook::{Inbound, Status, StatusKind, WhatsAppSecrets, WhatsAppUpdate};

use super::answer::{Answer, Came, Refusal, retry_after, send, unexplained};
use crate::{
    Error, Result,
    config::{self, Live, Settings},
    outgoing,
};

const DEFAULT_BASE_URL: &str = "https://graph.facebook.com";
/// Of July 2026. Meta keeps a version for about two years.
const DEFAULT_VERSION: &str = "v26.0";

/// A client of the Cloud API.
#[derive(Clone, Debug)]
pub struct WhatsApp {
    http: Client,
    base_url: String,
    version: String,
    account: Live<Option<Account>>,
}

/// The number that messages come from, and the token that may send from it.
struct Account {
    phone_number_id: String,
    token: SecretString,
}

/// A message from a registered template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// E.164.
    pub to: String,
    /// Our id of the message, which webhooks carry too.
    pub tag: String,
    /// The name that the template is registered by.
    pub name: String,
    /// `en` or `hi`.
    pub language: &'static str,
    /// Values of the body's `{{1}}`, `{{2}}` …, without line breaks.
    pub parameters: Vec<String>,
    /// What follows the registered address of the button, if the template has one.
    pub link: Option<String>,
}

impl WhatsApp {
    /// Reads `WHATSAPP_PHONE_NUMBER_ID`, `WHATSAPP_TOKEN`, `WHATSAPP_API_VERSION` and `WHATSAPP_BASE_URL`.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let account = settings.live(|values| {
            let Some(id) = values.optional(config::WHATSAPP_PHONE_NUMBER_ID)? else { return Ok(None) };
            let Some(token) = values.optional(config::WHATSAPP_TOKEN)? else { return Ok(None) };
            Ok(Some(Account::new(&id, &token)))
        })?;
        let base_url = config::optional(config::WHATSAPP_BASE_URL);
        let version = config::optional(config::WHATSAPP_API_VERSION);
        Self::with(
            base_url.as_deref().unwrap_or(DEFAULT_BASE_URL),
            version.as_deref().unwrap_or(DEFAULT_VERSION),
            account,
        )
    }

    /// A client of one account; without one the channel is off.
    pub fn new(base_url: &str, account: Option<(&str, &str)>) -> Result<Self, config::Error> {
        let account = account.map(|(phone_number_id, token)| Account::new(phone_number_id, token));
        Self::with(base_url, DEFAULT_VERSION, Live::fixed(account))
    }

    fn with(base_url: &str, version: &str, account: Live<Option<Account>>) -> Result<Self, config::Error> {
        Ok(Self {
            http: outgoing::client().map_err(|_| config::WHATSAPP_BASE_URL.invalid())?,
            base_url: base_url.trim().trim_end_matches('/').to_owned(),
            version: version.trim().to_owned(),
            account,
        })
    }

    pub fn is_on(&self) -> Result<bool> {
        Ok(self.account.get()?.is_some())
    }

    /// Sends a message, once.
    pub async fn send(&self, message: &Template) -> Result<Answer> {
        let account: Arc<Option<Account>> = self.account.get()?;
        let Some(Account { phone_number_id, token }) = account.as_ref() else {
            return Err(Error::Unset(config::WHATSAPP_TOKEN.missing()));
        };
        let address = format!("{}/{}/{phone_number_id}/messages", self.base_url, self.version);
        let request = self.http.post(address).bearer_auth(token.expose_secret()).json(&body(message));
        Ok(match send(request).await {
            Came::Whole(status, headers, body) => read(status, retry_after(&headers), &body),
            Came::Not(answer) => answer,
        })
    }
}

impl Account {
    fn new(phone_number_id: &str, token: &str) -> Self {
        Self { phone_number_id: phone_number_id.trim().to_owned(), token: token.trim().into() }
    }
}

fn body(message: &Template) -> Value {
    let texts: Vec<Value> = message.parameters.iter().map(|text| json!({ "type": "text", "text": text })).collect();
    let mut components = Vec::new();
    if !texts.is_empty() {
        components.push(json!({ "type": "body", "parameters": texts }));
    }
    if let Some(link) = &message.link {
        let text = json!([{ "type": "text", "text": link }]);
        components.push(json!({ "type": "button", "sub_type": "url", "index": "0", "parameters": text }));
    }
    json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.to.trim_start_matches('+'),
        "type": "template",
        "biz_opaque_callback_data": message.tag,
        "template": { "name": message.name, "language": { "code": message.language }, "components": components },
    })
}

#[derive(Deserialize)]
struct Sent {
    messages: Vec<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Failed {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    code: i64,
}

fn read(status: StatusCode, after: Option<Duration>, body: &[u8]) -> Answer {
    if status.is_success() {
        let id = serde_json::from_slice::<Sent>(body).ok().and_then(|sent| sent.messages.into_iter().next());
        return match id {
            Some(Id { id }) => Answer::Accepted(id),
            None => Answer::Unknown("an answer that cannot be read".to_owned()),
        };
    }
    match serde_json::from_slice::<Failed>(body) {
        Ok(Failed { error: Fault { code } }) => classify(code, after),
        Err(_) => unexplained(status, after),
    }
}

/// By Meta's list: <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>. An answer with a code
/// says that nothing was sent.
fn classify(code: i64, after: Option<Duration>) -> Answer {
    let reason = format!("code {code}");
    match code {
        // Token, permissions, account, unpaid bill.
        0 | 3 | 10 | 190 | 200..=299 | 368 | 131_005 | 131_031 | 131_042 => Answer::Stopped(reason),
        131_026 => Answer::Refused(Refusal::NotReachable, reason),
        132_000..=132_099 => Answer::Refused(Refusal::Template, reason),
        // Rates, and failures of Meta's own.
        1 | 2 | 4 | 80_007 | 130_429 | 131_000 | 131_016 | 131_048 | 131_056 | 131_057 | 133_016 => {
            Answer::Later { after, reason }
        }
        _ => Answer::Refused(Refusal::Other, reason),
    }
}

/// Whether a failure that a webhook reports means that the number is not on WhatsApp.
pub(super) const fn is_not_reachable(code: i64) -> bool {
    code == 131_026
}
