//! The secrets that the function's variables name, read from AWS Secrets Manager.

use std::{collections::BTreeMap, time::Duration};

use lambda_http::http::{StatusCode, header};
use reqwest::Client;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    aws::{Aws, Unsigned, error_code},
    values::Secret,
};
use crate::outgoing;

/// The pauses before a call is repeated, at most: each is cut by chance, so that environments that started together part.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

/// The secrets of a function. Nothing is made for the calls before the first one.
pub(super) struct Secrets {
    /// Which there are, by the variable that names them.
    pub(super) ids: BTreeMap<&'static str, String>,
    /// `None` reads it from the environment.
    pub(super) aws: Option<Aws>,
    pub(super) caller: OnceCell<Caller>,
}

/// What calls need.
pub(super) struct Caller {
    client: Client,
    aws: Aws,
}

/// Why a secret was not read, without any of its contents.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("Secrets Manager did not answer in time")]
    Timeout,
    #[error("Secrets Manager could not be called: {0}")]
    Unreachable(&'static str),
    #[error("Secrets Manager could not be called: {0}")]
    Unsigned(#[from] Unsigned),
    #[error("Secrets Manager answered {1}")]
    Refused(StatusCode, String),
    #[error("it is no JSON object")]
    NotAnObject,
}

impl Secrets {
    /// Reads all of them at once, each within the limit.
    pub(super) async fn read(&self, limit: Duration) -> Vec<(&'static str, Result<Secret, Failure>)> {
        let reads = self.ids.iter().map(|(name, id)| async move {
            let read = tokio::time::timeout(limit, self.read_one(id)).await;
            (*name, read.unwrap_or(Err(Failure::Timeout)))
        });
        futures::future::join_all(reads).await
    }

    async fn read_one(&self, id: &str) -> Result<Secret, Failure> {
        let make = || async {
            let client = outgoing::client().map_err(|_| Failure::Unreachable("no client"))?;
            Ok::<_, Failure>(Caller { client, aws: self.aws.clone().unwrap_or_else(Aws::from_env) })
        };
        let caller = self.caller.get_or_try_init(make).await?;
        for pause in PAUSES {
            match caller.get_secret_value(id).await {
                Err(failure) if failure.may_pass() => tokio::time::sleep(some_of(pause)).await,
                known => return known,
            }
        }
        caller.get_secret_value(id).await
    }
}

impl Caller {
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
    async fn get_secret_value(&self, id: &str) -> Result<Secret, Failure> {
        let request = self
            .client
            .post(self.aws.address("secretsmanager")?)
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", "secretsmanager.GetSecretValue")
            .body(json!({ "SecretId": id }).to_string());
        let response = self.aws.signed("secretsmanager", request)?.send().await.map_err(|error| lost(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| lost(&error))?;
        if !status.is_success() {
            let code = error_code(None, &body).unwrap_or_else(|| "an error without a code".to_owned());
            return Err(Failure::Refused(status, code));
        }
        let unreadable = |_| Failure::Refused(status, "what cannot be read".to_owned());
        let found: Found = serde_json::from_slice(&body).map_err(unreadable)?;
        parse(&found.secret_string).ok_or(Failure::NotAnObject)
    }
}

impl Failure {
    /// Whether the same call may succeed a moment later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Timeout | Self::Unreachable(_) => true,
            Self::Refused(status, code) => status.is_server_error() || code.starts_with("Throttl"),
            Self::Unsigned(_) | Self::NotAnObject => false,
        }
    }
}

/// The answer to a read. A secret of bytes has no text.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    #[serde(default)]
    secret_string: String,
}

fn lost(error: &reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable("no connection") }
}

/// A random part of a pause.
fn some_of(pause: Duration) -> Duration {
    let mut chance = [u8::MAX];
    // Without chance the whole pause.
    let _ = getrandom::fill(&mut chance);
    pause * u32::from(chance[0]) / u32::from(u8::MAX)
}

/// The texts of a JSON object; what else is in it is passed over.
fn parse(json: &str) -> Option<Secret> {
    let Ok(Value::Object(fields)) = serde_json::from_str(json) else { return None };
    let text = |(key, value)| match value {
        Value::String(text) => Some((key, SecretString::from(text))),
        _ => None,
    };
    Some(fields.into_iter().filter_map(text).collect())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::parse;

    #[test]
    fn only_the_texts_of_a_json_object_count() {
        let secret = parse(r#"{"username": "shop", "port": 5432, "password": "p\"w", "none": null}"#).unwrap();
        let texts: Vec<_> = secret.iter().map(|(key, value)| (key.as_str(), value.expose_secret())).collect();
        assert_eq!(texts, [("password", "p\"w"), ("username", "shop")]);
        for text in ["", "hunter2", "\"hunter2\"", "[\"hunter2\"]", "{\"password\": ", "null"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
