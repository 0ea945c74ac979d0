//! The secrets that the function's variables name, read from AWS Secrets Manager by the AWS SDK.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_secretsmanager::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider},
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use lambda_http::http;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, optional, values::Secret,
};
use crate::outgoing;

/// The secrets of a function. Nothing of the SDK is touched before the first one is read.
pub(super) struct Secrets {
    /// Which there are, by the variable that names them.
    pub(super) ids: BTreeMap<&'static str, String>,
    /// Region, credentials and URL; `None` reads them from the environment.
    pub(super) aws: Option<Config>,
    pub(super) client: OnceCell<Client>,
}

/// Why a secret was not read, without any of its contents.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("Secrets Manager did not answer in time")]
    Timeout,
    #[error("Secrets Manager could not be called: {0}")]
    Unreachable(&'static str),
    #[error("Secrets Manager answered {0}")]
    Refused(String),
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
        let answer = self.client().await.get_secret_value().secret_id(id).send().await.map_err(failure)?;
        parse(answer.secret_string().unwrap_or_default()).ok_or(Failure::NotAnObject)
    }

    async fn client(&self) -> &Client {
        let make = || async {
            let config = self.aws.clone().unwrap_or_else(from_environment);
            Client::from_conf(config.to_builder().http_client(http_client()).build())
        };
        self.client.get_or_init(make).await
    }
}

/// Region and credentials as Lambda sets them. `aws-config` would bring the clients of STS and of metadata services into
/// every function, where Lambda has neither.
#[derive(Clone, Debug)]
pub struct Aws {
    pub region: Option<Region>,
    pub credentials: Option<Credentials>,
}

impl Aws {
    /// Reads `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    pub fn from_env() -> Self {
        let credentials = match (optional(AWS_ACCESS_KEY_ID), optional(AWS_SECRET_ACCESS_KEY)) {
            (Some(id), Some(secret)) => {
                Some(Credentials::new(id, secret, optional(AWS_SESSION_TOKEN), None, "environment"))
            }
            _ => None,
        };
        Self { region: optional(AWS_REGION).map(Region::new), credentials }
    }

    /// What a stand-in takes.
    pub fn local() -> Self {
        Self {
            region: Some(Region::from_static("ap-south-1")),
            credentials: Some(Credentials::new("local", "local", None, None, "local")),
        }
    }
}

fn from_environment() -> Config {
    let aws = Aws::from_env();
    let mut config = Config::builder().behavior_version(BehaviorVersion::v2026_01_12());
    config.set_region(aws.region);
    config.set_endpoint_url(optional(AWS_ENDPOINT_URL));
    config.set_credentials_provider(aws.credentials.map(SharedCredentialsProvider::new));
    config.build()
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

fn failure<E: ProvideErrorMetadata>(error: SdkError<E, HttpResponse>) -> Failure {
    match error {
        SdkError::TimeoutError(_) => Failure::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Failure::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_io() => Failure::Unreachable("no connection"),
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) => {
            Failure::Unreachable("no region or no credentials of AWS")
        }
        SdkError::ServiceError(refusal) => {
            let code = refusal.err().code().unwrap_or("an error without a code");
            Failure::Refused(code.to_owned())
        }
        _ => Failure::Refused("what cannot be read".to_owned()),
    }
}

/// The SDK's calls go out as all others do: with the same TLS and the same built-in authorities.
pub fn http_client() -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Outgoing(outgoing::client().ok()));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Outgoing(Option<reqwest::Client>);

impl HttpConnector for Outgoing {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let client = client.ok_or_else(|| ConnectorError::other("no client".into(), None))?;
            let other = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::other(error, None);
            let request = request.try_into_http1x().map_err(|error| other(error.into()))?;
            // Bodies of the API are texts, never streams.
            let request = request.map(|body| body.bytes().map(ToOwned::to_owned).unwrap_or_default());
            let request = reqwest::Request::try_from(request).map_err(|error| other(error.into()))?;
            let response = client.execute(request).await.map_err(sent)?;
            let mut answer = http::Response::builder().status(response.status());
            if let Some(headers) = answer.headers_mut() {
                headers.clone_from(response.headers());
            }
            let body = response.bytes().await.map_err(sent)?;
            let answer = answer.body(body.to_vec().into()).map_err(|error| other(error.into()))?;
            HttpResponse::try_from(answer).map_err(|error| other(error.into()))
        })
    }
}

/// What the SDK may repeat.
fn sent(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
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
