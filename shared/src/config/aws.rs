//! Calls to services of AWS, signed with the role of the function.
//!
//! AWS's own library signs them. Its SDK is not used: for the two operations that we need it was a ninth of a function's
//! code, which every cold start ran through before the first secret was known.

use std::{fmt, time::SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::identity::Identity;
use lambda_http::http::{HeaderName, HeaderValue};
use reqwest::{Body, RequestBuilder};
use serde_json::Value;

use super::{AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, optional};

/// Region, credentials and address of the services of AWS.
#[derive(Clone)]
pub struct Aws {
    region: Option<String>,
    credentials: Option<Identity>,
    /// One address for all services instead of that of each.
    endpoint: Option<String>,
}

/// A request that was not signed, and so not sent.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no region or no credentials of AWS")]
pub(crate) struct Unsigned;

impl Aws {
    /// Reads `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, which Lambda sets, and
    /// `AWS_ENDPOINT_URL`.
    pub fn from_env() -> Self {
        let credentials = match (optional(AWS_ACCESS_KEY_ID), optional(AWS_SECRET_ACCESS_KEY)) {
            (Some(id), Some(secret)) => Some(identity(id, secret, optional(AWS_SESSION_TOKEN))),
            _ => None,
        };
        Self { region: optional(AWS_REGION), credentials, endpoint: optional(AWS_ENDPOINT_URL) }
    }

    /// What a stand-in at this address takes.
    pub fn local(endpoint: impl Into<String>) -> Self {
        Self {
            region: Some("ap-south-1".to_owned()),
            credentials: Some(identity("local".to_owned(), "local".to_owned(), None)),
            endpoint: Some(endpoint.into()),
        }
    }

    /// The same at another address.
    pub(crate) fn at(self, endpoint: String) -> Self {
        Self { endpoint: Some(endpoint), ..self }
    }

    /// The address of a service, by the first label of its name in each region.
    pub(crate) fn address(&self, label: &str) -> Result<String, Unsigned> {
        match (&self.endpoint, &self.region) {
            (Some(endpoint), _) => Ok(endpoint.trim_end_matches('/').to_owned()),
            (None, Some(region)) => Ok(format!("https://{label}.{region}.amazonaws.com")),
            (None, None) => Err(Unsigned),
        }
    }

    /// Signs a request to a service by Signature Version 4: its method, address, headers and body.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
    pub(crate) fn signed(&self, service: &str, request: RequestBuilder) -> Result<RequestBuilder, Unsigned> {
        let (Some(region), Some(identity)) = (&self.region, &self.credentials) else { return Err(Unsigned) };
        let (client, request) = request.build_split();
        let mut request = request.map_err(|_| Unsigned)?;
        let scope = v4::SigningParams::builder().region(region).name(service).identity(identity);
        let scope = scope.time(SystemTime::now()).settings(SigningSettings::default()).build().map_err(|_| Unsigned)?;
        let headers = request.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = SignableBody::Bytes(request.body().and_then(Body::as_bytes).unwrap_or_default());
        let (method, url) = (request.method().as_str(), request.url().as_str());
        let (signature, _) = SignableRequest::new(method, url, headers, body)
            .and_then(|request| sign(request, &scope.into()))
            .map_err(|_| Unsigned)?
            .into_parts();
        for (name, value) in signature.headers() {
            let mut value = HeaderValue::from_str(value).map_err(|_| Unsigned)?;
            value.set_sensitive(true);
            request.headers_mut().insert(HeaderName::try_from(name).map_err(|_| Unsigned)?, value);
        }
        Ok(RequestBuilder::from_parts(client, request))
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Aws").field("region", &self.region).finish_non_exhaustive()
    }
}

fn identity(id: String, secret: String, token: Option<String>) -> Identity {
    Credentials::new(id, secret, token, None, "environment").into()
}

/// The code of an error: `__type` in the body, after a namespace and before a URL that some services add.
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>
pub(crate) fn error_code(header: Option<&HeaderValue>, body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let sent = header.and_then(|header| header.to_str().ok());
    let code = sent.or_else(|| body.get("__type")?.as_str()).or_else(|| body.get("code")?.as_str())?;
    let code = code.split_once(':').map_or(code, |(code, _)| code);
    Some(code.rsplit_once('#').map_or(code, |(_, code)| code).to_owned())
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::error_code;

    #[test]
    fn the_code_of_an_error_is_read_wherever_a_service_puts_it() {
        for (header, body) in [
            (None, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#),
            (None, r#"{"__type":"com.amazonaws.secretsmanager#ThrottlingException"}"#),
            (None, r#"{"code":"ThrottlingException"}"#),
            (Some("ThrottlingException:http://internal.amazon.com/coral/"), "{}"),
            (Some("aws.protocoltests.restjson#ThrottlingException:http://x/"), ""),
        ] {
            let header = header.map(HeaderValue::from_static);
            let code = error_code(header.as_ref(), body.as_bytes());
            assert_eq!(code.as_deref(), Some("ThrottlingException"), "{header:?} {body}");
        }
        assert_eq!(error_code(None, b"<html>"), None);
    }
}
