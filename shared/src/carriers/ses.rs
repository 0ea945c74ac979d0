//! Mail by Amazon SES v2. No call is repeated: a retry after a lost answer sends a mail twice.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::http::{HeaderValue, StatusCode};
use reqwest::Client;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::answer::{Answer, Came, Refusal, send};
use crate::{
    Error, Result,
    config::{self, Aws, Live, Settings, error_code},
    outgoing,
};

/// The tag that events of SES carry: our id of the message.
const TAG: &str = "message";
/// The header with the type of an error.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// A client of Amazon SES.
#[derive(Clone, Debug)]
pub struct Ses {
    sender: Live<Option<Sender>>,
    aws: Aws,
    client: Arc<OnceCell<Client>>,
}

/// Who mails come from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sender {
    from: String,
    reply_to: Option<String>,
    configuration_set: Option<String>,
}

/// A mail to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    /// Our id of the message, which events of SES carry too. ASCII letters, digits, `-` and `_`.
    pub tag: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<Attachment>,
}

/// A file of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    /// With its parameters, such as `text/calendar; method=REQUEST; charset=utf-8`.
    pub content_type: String,
    pub content: Vec<u8>,
}

impl Ses {
    /// Reads `SES_FROM`, `SES_REPLY_TO`, `SES_CONFIGURATION_SET` and `SES_BASE_URL`; region and credentials are those of
    /// the function's role.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let sender = settings.live(|values| {
            let Some(from) = values.optional(config::SES_FROM)? else { return Ok(None) };
            let reply_to = values.optional(config::SES_REPLY_TO)?;
            let configuration_set = values.optional(config::SES_CONFIGURATION_SET)?;
            Ok(Some(Sender { from, reply_to, configuration_set }))
        })?;
        let aws = Aws::from_env();
        let aws = match config::optional(config::SES_BASE_URL) {
            Some(url) => aws.at(url),
            None => aws,
        };
        Ok(Self { sender, aws, client: Arc::default() })
    }

    /// A client that sends from this address; without one the channel is off.
    pub fn new(aws: Aws, from: Option<&str>) -> Self {
        let sender = from.map(|from| Sender { from: from.to_owned(), reply_to: None, configuration_set: None });
        Self { sender: Live::fixed(sender), aws, client: Arc::default() }
    }

    pub fn is_on(&self) -> Result<bool> {
        Ok(self.sender.get()?.is_some())
    }

    /// Sends a mail, once.
    /// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
    pub async fn send(&self, mail: &Mail) -> Result<Answer> {
        let sender = self.sender.get()?;
        let Some(sender) = sender.as_ref() else { return Err(Error::Unset(config::SES_FROM.missing())) };
        let client = self.client.get_or_try_init(|| async { outgoing::client() }).await.map_err(Error::internal)?;
        let signed = self.aws.address("email").and_then(|address| {
            let request = client.post(format!("{address}/v2/email/outbound-emails"));
            self.aws.signed("ses", request.json(&SendEmail::new(sender, mail)))
        });
        // Nothing was written.
        let Ok(request) = signed else { return Ok(Answer::Stopped("no region or no credentials of AWS".to_owned())) };
        Ok(match send(request).await {
            Came::Whole(status, headers, body) => read(status, headers.get(ERROR_TYPE), &body),
            Came::Not(answer) => answer,
        })
    }
}

/// The body of the operation `SendEmail`, as far as we use it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail<'a> {
    from_email_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_addresses: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set_name: Option<&'a str>,
    destination: Value,
    email_tags: Value,
    content: Value,
}

impl<'a> SendEmail<'a> {
    fn new(sender: &'a Sender, mail: &Mail) -> Self {
        let text = |text: &str| json!({ "Data": text, "Charset": "UTF-8" });
        let header = |(name, value): &(String, String)| json!({ "Name": name, "Value": value });
        let attachment = |file: &Attachment| {
            let content = STANDARD.encode(&file.content);
            json!({ "FileName": file.name, "ContentType": file.content_type, "RawContent": content })
        };
        Self {
            from_email_address: &sender.from,
            reply_to_addresses: sender.reply_to.as_deref().map(|address| [address]),
            configuration_set_name: sender.configuration_set.as_deref(),
            destination: json!({ "ToAddresses": [mail.to] }),
            email_tags: json!([{ "Name": TAG, "Value": mail.tag }]),
            content: json!({ "Simple": {
                "Subject": text(&mail.subject),
                "Body": { "Text": text(&mail.text), "Html": text(&mail.html) },
                "Headers": mail.headers.iter().map(header).collect::<Vec<_>>(),
                "Attachments": mail.attachments.iter().map(attachment).collect::<Vec<_>>(),
            } }),
        }
    }
}

/// By the error types of the operation `SendEmail`, and those that all AWS services share.
fn read(status: StatusCode, error: Option<&HeaderValue>, body: &[u8]) -> Answer {
    let unreadable = || Answer::Unknown("an answer that cannot be read".to_owned());
    if status.is_success() {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let id = sent.get("MessageId").and_then(Value::as_str);
        return id.map_or_else(unreadable, |id| Answer::Accepted(id.to_owned()));
    }
    let (code, status) = (error_code(error, body).unwrap_or_default(), status.as_u16());
    let reason = if code.is_empty() { format!("status {status}") } else { code.clone() };
    match (code.as_str(), status) {
        (_, ..=399) => unreadable(),
        ("TooManyRequestsException" | "LimitExceededException" | "ThrottlingException", _) | (_, 429 | 503) => {
            Answer::Later { after: None, reason }
        }
        ("AccountSuspendedException" | "SendingPausedException", _) | (_, 401 | 403) => Answer::Stopped(reason),
        // An answer without a code is that of a gateway, which may have passed the mail on.
        ("", 500..) | (_, 504) => Answer::Unknown(reason),
        (_, 500..) => Answer::Later { after: None, reason },
        _ => Answer::Refused(Refusal::Other, reason),
    }
}
