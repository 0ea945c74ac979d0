//! A parsed API call.

use axum::{
    body,
    http::{header::AUTHORIZATION, request::Parts},
};
use serde_json::{Map, Value};

use crate::{
    MANAGEMENT_KEY, PROJECT_ID,
    answer::{Reason, Result},
};

const BODY_LIMIT: usize = 1024 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    query: Vec<(String, String)>,
    bearer: Vec<String>,
}

impl Request {
    /// Reads the whole call. Refuses a body that is not JSON; an empty body counts as `{}`.
    pub(crate) async fn read(request: axum::extract::Request) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let body = body::to_bytes(body, BODY_LIMIT)
            .await
            .map_err(|error| Reason::BadRequest.because(format!("the body cannot be read: {error}")))?;
        let body = if body.is_empty() {
            Value::Object(Map::new())
        } else {
            serde_json::from_slice(&body)
                .map_err(|error| Reason::BadRequest.because(format!("the body is not JSON: {error}")))?
        };
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            body,
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            bearer: bearer(&parts),
        })
    }

    /// Whether the call cannot change the state. A refresh by GET can: it may rotate the token.
    pub(crate) fn only_reads(&self) -> bool {
        self.method == "GET" && self.path != "/v1/auth/refresh"
    }

    /// A query parameter. Restores a `+` that was decoded as a space: phone numbers may arrive without
    /// percent-encoding, and no id or address contains a space.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.replace(' ', "+"))
    }

    /// Refuses a caller of another project.
    pub(crate) fn expect_project(&self) -> Result<()> {
        if self.bearer.first().is_some_and(|project_id| project_id == PROJECT_ID) {
            return Ok(());
        }
        Err(Reason::Unauthorized.because("The authorization header is missing or names another project"))
    }

    /// Refuses a caller without the management key.
    pub(crate) fn expect_management(&self) -> Result<()> {
        self.expect_project()?;
        if self.bearer.get(1).is_some_and(|key| key == MANAGEMENT_KEY) {
            return Ok(());
        }
        Err(Reason::Unauthorized.because("The management key is missing or wrong"))
    }

    /// The token that authenticates the call.
    pub(crate) fn token(&self) -> Result<&str> {
        self.bearer.get(1).map(String::as_str).ok_or_else(|| Reason::InvalidToken.because("The token is missing"))
    }

    /// The first member of the body with one of these names.
    pub(crate) fn member(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.body.get(name)).filter(|value| !value.is_null())
    }

    /// A string member of the body; empty if absent.
    pub(crate) fn text(&self, names: &[&str]) -> &str {
        self.member(names).and_then(Value::as_str).unwrap_or_default()
    }

    /// A string member of the body, refused if empty.
    pub(crate) fn required(&self, names: &[&str]) -> Result<&str> {
        match self.text(names) {
            "" => Err(Reason::MissingArgument.because(format!("The {} argument is missing", names.join(" or ")))),
            text => Ok(text),
        }
    }

    /// A boolean member of the body.
    pub(crate) fn flag(&self, names: &[&str]) -> Option<bool> {
        self.member(names).and_then(Value::as_bool)
    }

    /// A member of the body that is a list of strings.
    pub(crate) fn list(&self, names: &[&str]) -> Option<Vec<String>> {
        let list = self.member(names)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    pub(crate) fn login_id(&self) -> Result<&str> {
        self.required(&["loginId", "identifier"])
    }

    pub(crate) fn login_options(&self) -> Value {
        self.member(&["loginOptions"]).cloned().unwrap_or_default()
    }
}

/// Splits the bearer value into the project id and an optional token or key. None of them contains a `:`.
fn bearer(parts: &Parts) -> Vec<String> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let value = header.strip_prefix("Bearer ").unwrap_or_default().trim();
    value.split(':').map(str::to_owned).collect()
}
