//! Mail by Amazon SES v2, through the AWS SDK without retries: a retry after a lost answer sends a mail twice.

use std::{error::Error as _, sync::Arc};

use aws_sdk_sesv2::{
    Client, Config,
    config::{BehaviorVersion, SharedCredentialsProvider, retry::RetryConfig, timeout::TimeoutConfig},
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::send_email::{SendEmailError, builders::SendEmailFluentBuilder},
    primitives::Blob,
    types::{self, Body, Content, Destination, EmailContent, MessageHeader, MessageTag},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::sync::OnceCell;

use super::answer::{Answer, Refusal, lost};
use crate::{
    Error, Result,
    config::{self, Aws, Live, Settings},
};

/// The tag that events of SES carry: our id of the message.
const TAG: &str = "message";
const UTF_8: &str = "UTF-8";

/// A client of Amazon SES.
#[derive(Clone, Debug)]
pub struct Ses {
    base_url: Option<String>,
    sender: Live<Option<Sender>>,
    /// `None` reads them from the environment.
    aws: Option<Aws>,
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
        Ok(Self { base_url: config::optional(config::SES_BASE_URL), sender, aws: None, client: Arc::default() })
    }

    /// A client at another address that sends from this one, with these credentials; without an address to send from the
    /// channel is off.
    pub fn new(base_url: &str, from: Option<&str>, aws: Aws) -> Self {
        let sender = from.map(|from| Sender { from: from.to_owned(), reply_to: None, configuration_set: None });
        Self {
            base_url: Some(base_url.to_owned()),
            sender: Live::fixed(sender),
            aws: Some(aws),
            client: Arc::default(),
        }
    }

    pub fn is_on(&self) -> Result<bool> {
        Ok(self.sender.get()?.is_some())
    }

    /// Sends a mail, once.
    pub async fn send(&self, mail: &Mail) -> Result<Answer> {
        let sender = self.sender.get()?;
        let Some(sender) = sender.as_ref() else { return Err(Error::Unset(config::SES_FROM.missing())) };
        let call = call(self.client().await, sender, mail).map_err(Error::internal)?;
        Ok(match call.send().await {
            Ok(sent) => match sent.message_id() {
                Some(id) => Answer::Accepted(id.to_owned()),
                None => Answer::Unknown("an answer that cannot be read".to_owned()),
            },
            Err(error) => classify(&error),
        })
    }

    /// Nothing of the SDK is touched before the first mail.
    async fn client(&self) -> &Client {
        let make = || async {
            let aws = self.aws.clone().unwrap_or_else(Aws::from_env);
            let mut made = Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .retry_config(RetryConfig::disabled())
                // The HTTP client has its own timeouts.
                .timeout_config(TimeoutConfig::disabled())
                .http_client(config::http_client());
            made.set_region(aws.region);
            made.set_endpoint_url(self.base_url.clone());
            made.set_credentials_provider(aws.credentials.map(SharedCredentialsProvider::new));
            Client::from_conf(made.build())
        };
        self.client.get_or_init(make).await
    }
}

fn call(client: &Client, sender: &Sender, mail: &Mail) -> Result<SendEmailFluentBuilder, BuildError> {
    let text = |text: &str| Content::builder().data(text).charset(UTF_8).build();
    let body = Body::builder().text(text(&mail.text)?).html(text(&mail.html)?).build();
    let mut message = types::Message::builder().subject(text(&mail.subject)?).body(body);
    for (name, value) in &mail.headers {
        message = message.headers(MessageHeader::builder().name(name).value(value).build()?);
    }
    for file in &mail.attachments {
        let attachment = types::Attachment::builder()
            .file_name(&file.name)
            .content_type(&file.content_type)
            .raw_content(Blob::new(file.content.clone()))
            .build()?;
        message = message.attachments(attachment);
    }
    Ok(client
        .send_email()
        .from_email_address(&sender.from)
        .destination(Destination::builder().to_addresses(&mail.to).build())
        .set_reply_to_addresses(sender.reply_to.clone().map(|address| vec![address]))
        .set_configuration_set_name(sender.configuration_set.clone())
        .email_tags(MessageTag::builder().name(TAG).value(&mail.tag).build()?)
        .content(EmailContent::builder().simple(message.build()).build()))
}

fn classify(error: &SdkError<SendEmailError, HttpResponse>) -> Answer {
    match error {
        // Without region or credentials: nothing was written.
        SdkError::ConstructionFailure(_) => Answer::Stopped("no region or no credentials of AWS".to_owned()),
        SdkError::DispatchFailure(failure) => {
            let mut source = failure.as_connector_error().and_then(|error| error.source());
            while let Some(error) = source {
                if let Some(error) = error.downcast_ref::<reqwest::Error>() {
                    return lost(error);
                }
                source = error.source();
            }
            match failure.as_connector_error() {
                // A request that could not be built or signed.
                Some(error) if error.is_other() || error.is_user() => {
                    Answer::Stopped("no region or no credentials of AWS".to_owned())
                }
                _ => Answer::Unknown("the connection was lost".to_owned()),
            }
        }
        SdkError::ServiceError(refusal) => {
            let (code, status) = (refusal.err().code().unwrap_or_default(), refusal.raw().status().as_u16());
            refused(code, status)
        }
        _ => Answer::Unknown("an answer that cannot be read".to_owned()),
    }
}

/// By the error types of the operation `SendEmail`, and those that all AWS services share.
fn refused(code: &str, status: u16) -> Answer {
    let reason = if code.is_empty() { format!("status {status}") } else { code.to_owned() };
    match (code, status) {
        (_, ..=399) => Answer::Unknown("an answer that cannot be read".to_owned()),
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
