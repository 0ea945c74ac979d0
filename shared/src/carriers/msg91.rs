//! SMS by MSG91's flow API: templates that are registered with the operators (DLT), with variables.
//!
//! The form of calls and answers is from <https://docs.msg91.com/sms/send-sms>, not tried against the service: what is not
//! understood counts as unknown or refused, never as sent.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Came, Refusal, retry_after, send, unexplained},
    is_same,
};
use crate::{
    Error, Result,
    config::{self, Live, Settings},
    outgoing,
};

const DEFAULT_BASE_URL: &str = "https://control.msg91.com";

/// A client of MSG91.
#[derive(Clone, Debug)]
pub struct Msg91 {
    http: Client,
    base_url: String,
    account: Live<Option<Account>>,
}

struct Account {
    auth_key: SecretString,
    /// Ids of registered templates by our names of them, such as `booking_confirmed.en`.
    templates: BTreeMap<String, String>,
}

impl Msg91 {
    /// Reads `MSG91_AUTH_KEY`, `MSG91_TEMPLATES` and `MSG91_BASE_URL`.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let account = settings.live(|values| {
            let Some(key) = values.optional(config::MSG91_AUTH_KEY)? else { return Ok(None) };
            let templates = values.optional(config::MSG91_TEMPLATES)?.unwrap_or_default();
            let templates = parse(&templates).ok_or(config::MSG91_TEMPLATES.invalid())?;
            Ok(Some(Account { auth_key: key.trim().into(), templates }))
        })?;
        let base_url = config::optional(config::MSG91_BASE_URL);
        Self::with(base_url.as_deref().unwrap_or(DEFAULT_BASE_URL), account)
    }

    /// A client of one account: its key, and its templates as in `MSG91_TEMPLATES`. Without an account the channel is off.
    pub fn new(base_url: &str, account: Option<(&str, &str)>) -> Result<Self, config::Error> {
        let account = match account {
            Some((key, templates)) => {
                let templates = parse(templates).ok_or(config::MSG91_TEMPLATES.invalid())?;
                Some(Account { auth_key: key.into(), templates })
            }
            None => None,
        };
        Self::with(base_url, Live::fixed(account))
    }

    fn with(base_url: &str, account: Live<Option<Account>>) -> Result<Self, config::Error> {
        Ok(Self {
            http: outgoing::client().map_err(|_| config::MSG91_BASE_URL.invalid())?,
            base_url: base_url.trim().trim_end_matches('/').to_owned(),
            account,
        })
    }

    pub fn is_on(&self) -> Result<bool> {
        Ok(self.account.get()?.is_some())
    }

    /// Sends an SMS from a template that we call `name`, once. `tag` is our id of the message, which reports may carry.
    pub async fn send(&self, to: &str, tag: &str, name: &str, variables: &[String]) -> Result<Answer> {
        let account: Arc<Option<Account>> = self.account.get()?;
        let Some(Account { auth_key, templates }) = account.as_ref() else {
            return Err(Error::Unset(config::MSG91_AUTH_KEY.missing()));
        };
        let Some(template_id) = templates.get(name) else {
            return Ok(Answer::Refused(Refusal::NoTemplate, format!("no template id for {name}")));
        };
        let mut recipient = Map::new();
        recipient.insert("mobiles".to_owned(), json!(to.trim_start_matches('+')));
        recipient.insert("CRQID".to_owned(), json!(tag));
        for (index, value) in variables.iter().enumerate() {
            recipient.insert(format!("VAR{}", index + 1), json!(value));
        }
        let request = self
            .http
            .post(format!("{}/api/v5/flow", self.base_url))
            .header("authkey", auth_key.expose_secret())
            .json(&json!({ "template_id": template_id, "recipients": [recipient] }));
        Ok(match send(request).await {
            Came::Whole(status, headers, body) => read(status, retry_after(&headers), &body),
            Came::Not(answer) => answer,
        })
    }
}

/// `name:id` pairs, separated by commas.
fn parse(text: &str) -> Option<BTreeMap<String, String>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once(':').map(|(name, id)| (name.trim().to_owned(), id.trim().to_owned()))).collect()
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

fn read(status: StatusCode, after: Option<Duration>, body: &[u8]) -> Answer {
    let Ok(Body { kind, message }) = serde_json::from_slice(body) else {
        return if status.is_success() {
            Answer::Unknown("an answer that cannot be read".to_owned())
        } else {
            unexplained(status, after)
        };
    };
    match kind.as_str() {
        "success" if status.is_success() && !message.is_empty() => Answer::Accepted(message),
        "error" => refusal(status, after, &message),
        _ => Answer::Unknown("an answer that cannot be read".to_owned()),
    }
}

/// MSG91 explains errors in words alone. They are read tolerantly, and not kept: they may repeat the number.
fn refusal(status: StatusCode, after: Option<Duration>, message: &str) -> Answer {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() || says(&["too many", "try again"]) {
        Answer::Later { after, reason: format!("status {}", status.as_u16()) }
    } else if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        || says(&["auth", "balance", "credit", "whitelist", "suspended", "blocked account"])
    {
        Answer::Stopped("the key, the account or its balance".to_owned())
    } else if says(&["template", "flow"]) {
        Answer::Refused(Refusal::Template, "the template".to_owned())
    } else {
        Answer::Refused(Refusal::Other, format!("status {}", status.as_u16()))
    }
}

/// The secret that the webhook of delivery reports carries, because MSG91 does not sign them.
#[derive(Clone, Debug)]
pub struct ReportSecret(Live<Option<SecretString>>);

impl ReportSecret {
    /// Reads `MSG91_WEBHOOK_SECRET`; without it every report is refused.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        settings
            .live(|values| Ok(values.optional(config::MSG91_WEBHOOK_SECRET)?.map(|secret| secret.trim().into())))
            .map(Self)
    }

    pub fn new(secret: &str) -> Self {
        Self(Live::fixed(Some(SecretString::from(secret))))
    }

    pub async fn is(&self, given: &str) -> Result<bool> {
        let by = |secret: &Option<SecretString>| secret.as_ref().is_some_and(|secret| is_same(secret, given));
        let known = self.0.get()?;
        Ok(by(&known) || self.0.instead_of(&known).await.is_some_and(|newer| by(&newer)))
    }
}

/// What MSG91 reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// What became of an SMS: MSG91's id, ours if it is told, and the result.
    Delivery { id: String, tag: Option<String>, reported: Reported },
    /// A person wrote back: digits with the country code, and the text.
    Inbound { from: String, text: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    Delivered,
    /// It will never be delivered.
    Failed,
    /// Still on its way.
    Underway,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reports {
    Listed(Vec<Value>),
    Wrapped { data: Vec<Value> },
    One(Value),
}

/// Reads the reports of one call, in the forms that are known: `[{requestId, CRQID, report: [{status}]}]`, also below
/// `data`, and `{sender, message}` of a reply. What has another form is passed over.
pub fn reports(body: &[u8]) -> Vec<Report> {
    let items = match serde_json::from_slice(body) {
        Ok(Reports::Listed(items) | Reports::Wrapped { data: items }) => items,
        Ok(Reports::One(item)) => vec![item],
        Err(_) => Vec::new(),
    };
    items.iter().flat_map(report).collect()
}

fn report(item: &Value) -> Vec<Report> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let member = |item: &Value, names: &[&str]| names.iter().find_map(|name| item.get(name).and_then(text));
    if let Some(id) = member(item, &["requestId", "request_id"]) {
        let tag = member(item, &["CRQID", "crqid"]);
        let listed = item.get("report").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![item.clone()]);
        let status = |entry: &Value| member(entry, &["status"]).unwrap_or_default();
        return listed
            .iter()
            .map(|entry| Report::Delivery { id: id.clone(), tag: tag.clone(), reported: reported(&status(entry)) })
            .collect();
    }
    match (member(item, &["sender", "mobile", "from"]), member(item, &["message", "content", "text"])) {
        (Some(from), Some(text)) => vec![Report::Inbound { from, text }],
        _ => Vec::new(),
    }
}

/// 1 is delivered; 2, 9, 16, 17, 25 and 26 are failed, rejected, blocked or do-not-disturb (as MSG91 lists them).
fn reported(status: &str) -> Reported {
    match status.to_lowercase().as_str() {
        "1" | "delivered" => Reported::Delivered,
        "2" | "9" | "16" | "17" | "25" | "26" | "failed" | "rejected" | "blocked" | "undelivered" => Reported::Failed,
        _ => Reported::Underway,
    }
}
