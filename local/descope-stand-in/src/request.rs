//! A call as the endpoints read it.

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

/// A call: where to, by whom, with what.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    query: Vec<(String, String)>,
    bearer: Vec<String>,
}

impl Request {
    /// Reads the whole call. A body that is not JSON is refused, an empty one counts as `{}`.
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

    /// Whether the call cannot change anything. A refresh by GET can: it may rotate the token.
    pub(crate) fn only_reads(&self) -> bool {
        self.method == "GET" && self.path != "/v1/auth/refresh"
    }

    /// A member of the query. A bare `+` means a space in a query; no id or address has a space in it, and phone
    /// numbers that nobody encoded begin with `+`.
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

    /// The token in whose name the call is made.
    pub(crate) fn token(&self) -> Result<&str> {
        self.bearer.get(1).map(String::as_str).ok_or_else(|| Reason::InvalidToken.because("The token is missing"))
    }

    /// The first member of the body with one of these names.
    pub(crate) fn member(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.body.get(name)).filter(|value| !value.is_null())
    }

    /// A text of the body, empty if absent.
    pub(crate) fn text(&self, names: &[&str]) -> &str {
        self.member(names).and_then(Value::as_str).unwrap_or_default()
    }

    /// A text of the body that must not be empty.
    pub(crate) fn required(&self, names: &[&str]) -> Result<&str> {
        match self.text(names) {
            "" => Err(Reason::MissingArgument.because(format!("The {} argument is missing", names.join(" or ")))),
            text => Ok(text),
        }
    }

    /// A flag of the body, if given.
    pub(crate) fn flag(&self, names: &[&str]) -> Option<bool> {
        self.member(names).and_then(Value::as_bool)
    }

    /// A list of texts of the body, if given.
    pub(crate) fn list(&self, names: &[&str]) -> Option<Vec<String>> {
        let list = self.member(names)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// The login id of the body.
    pub(crate) fn login_id(&self) -> Result<&str> {
        self.required(&["loginId", "identifier"])
    }

    /// The login options of the body.
    pub(crate) fn login_options(&self) -> Value {
        self.member(&["loginOptions"]).cloned().unwrap_or_default()
    }
}

/// The parts of the bearer value: project id, then perhaps a token or a key. Neither has a `:` in it.
fn bearer(parts: &Parts) -> Vec<String> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let value = header.strip_prefix("Bearer ").unwrap_or_default().trim();
    value.split(':').map(str::to_owned).collect()
}
