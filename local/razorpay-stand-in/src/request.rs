//! A parsed call, as the endpoints read it.

use axum::{
    body,
    http::{HeaderMap, header::AUTHORIZATION},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{
    KEY_ID, KEY_SECRET,
    answer::{Refusal, Result},
};

const BODY_LIMIT: usize = 1024 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Map<String, Value>,
    /// The header `X-Refund-Idempotency`.
    pub(crate) idempotency_key: Option<String>,
    /// Whether the body was a form, in which numbers are strings.
    pub(crate) is_form: bool,
    query: Vec<(String, String)>,
    authorization: String,
}

impl Request {
    /// Reads the whole call. The body is JSON or a form; an empty one counts as `{}`.
    pub(crate) async fn read(request: axum::extract::Request) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let bytes = body::to_bytes(body, BODY_LIMIT).await.map_err(|error| Refusal::unreadable(&error.to_string()))?;
        // `curl -d` sends JSON with the content type of a form too.
        let is_form = header(&parts.headers, "content-type").is_some_and(|form| form.contains("form-urlencoded"))
            && !bytes.starts_with(b"{");
        let body = match (bytes.is_empty(), is_form) {
            (true, _) => Map::new(),
            (false, true) => form(&bytes),
            (false, false) => {
                serde_json::from_slice(&bytes).map_err(|error| Refusal::unreadable(&error.to_string()))?
            }
        };
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            body,
            idempotency_key: header(&parts.headers, "x-refund-idempotency"),
            is_form,
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            authorization: header(&parts.headers, AUTHORIZATION.as_str()).unwrap_or_default(),
        })
    }

    pub(crate) fn only_reads(&self) -> bool {
        self.method == "GET"
    }

    /// A query parameter; an empty one counts as absent.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str()).filter(|it| !it.is_empty())
    }

    /// Whether the query expands this member. The Node SDK writes `expand[expand[]][]`.
    pub(crate) fn expands(&self, name: &str) -> bool {
        self.query.iter().any(|(found, value)| found.starts_with("expand[") && value == name)
    }

    /// Whether the caller has the API key. The scheme is case-sensitive.
    pub(crate) fn is_authenticated(&self) -> bool {
        let encoded = self.authorization.strip_prefix("Basic ").unwrap_or_default();
        STANDARD.decode(encoded).is_ok_and(|decoded| decoded == format!("{KEY_ID}:{KEY_SECRET}").as_bytes())
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// A form as JSON: `notes[city]=Pune` is a member of `notes`.
fn form(bytes: &[u8]) -> Map<String, Value> {
    let mut body = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        let names: Vec<_> = name.split('[').map(|part| part.trim_end_matches(']')).collect();
        insert(&mut body, &names, value.into_owned());
    }
    body
}

fn insert(object: &mut Map<String, Value>, names: &[&str], value: String) {
    match names {
        [] => {}
        [name] => {
            object.insert((*name).to_owned(), value.into());
        }
        [name, inner @ ..] => {
            let member = object.entry(*name).or_insert_with(|| Map::new().into());
            if let Some(member) = member.as_object_mut() {
                insert(member, inner, value);
            }
        }
    }
}
