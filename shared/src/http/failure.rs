//! Responses of failures: a handler returns an [`Error`], the outermost layer renders it as JSON.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use lambda_http::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::error;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    database::Lost,
    error::{Code, Error},
};

/// The error that a response carries to [`render`].
#[derive(Clone)]
struct Failure(Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.code().status().into_response();
        response.extensions_mut().insert(Failure(Arc::new(self)));
        response
    }
}

/// The part of the link to Postgres that is broken, if that is why the request failed.
pub(super) fn lost(response: &Response) -> Option<Lost> {
    let Failure(error) = response.extensions().get()?;
    match &**error {
        // The request may have waited for a connection that never answers.
        Error::Deadline => Some(Lost::Pool),
        Error::Database(error) => Lost::of(error),
        _ => None,
    }
}

/// How a function answers, beyond what its handlers write.
#[derive(Clone, Copy, Debug)]
pub enum Answers {
    /// Failures have the contract's body.
    Json,
    /// The same, but `error` is the sentence: what the apps show first of an answer without an envelope.
    Flat,
    /// Failures are HTML pages for people.
    Pages {
        /// Writes the page of a failure.
        failure: fn(&Error) -> String,
        /// Headers of every answer that does not set them itself.
        headers: &'static [(&'static str, &'static str)],
    },
}

/// Writes the body and headers of a failure into its response, and logs it once if it is a server error. Headers that
/// are already set, such as `Allow`, stay.
pub(super) fn render(response: &mut Response, answers: Answers) {
    let Some(Failure(error)) = response.extensions_mut().remove() else { return };
    let code = error.code();
    if code.status().is_server_error() {
        error!(code = json!(code).as_str(), source = error.source_for_log(), "request failed");
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Error::Throttled { retry_after_seconds } = &*error {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_seconds));
    }
    *response.body_mut() = match answers {
        Answers::Json | Answers::Flat => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if code.status() == StatusCode::UNAUTHORIZED {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            let body = ErrorBody::new(code, error.to_string(), error.details());
            let bytes = match answers {
                Answers::Flat => serde_json::to_vec(&FlatErrorBody::from(body)),
                _ => serde_json::to_vec(&body),
            };
            Body::from(bytes.unwrap_or_default())
        }
        Answers::Pages { failure, .. } => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            Body::from(failure(&error))
        }
    };
}

/// The body of every failure.
#[derive(Debug, Serialize)]
pub struct ErrorBody {
    /// Always `true`.
    error: bool,
    message: String,
    status_code: u16,
    code: Code,
    /// Its form depends on `code`.
    details: Value,
    /// `message` again, for clients of the former service.
    detail: String,
}

impl ErrorBody {
    pub fn new(code: Code, message: String, details: Value) -> Self {
        Self { error: true, status_code: code.status().as_u16(), code, details, detail: message.clone(), message }
    }
}

/// The body of every failure below `/api/auth/`.
#[derive(Debug, Serialize)]
pub struct FlatErrorBody {
    /// `message` again.
    error: String,
    #[serde(flatten)]
    rest: Rest,
}

/// [`ErrorBody`] without `error`.
#[derive(Debug, Serialize)]
struct Rest {
    message: String,
    status_code: u16,
    code: Code,
    details: Value,
    detail: String,
}

impl From<ErrorBody> for FlatErrorBody {
    fn from(body: ErrorBody) -> Self {
        let ErrorBody { error: _, message, status_code, code, details, detail } = body;
        Self { error: message.clone(), rest: Rest { message, status_code, code, details, detail } }
    }
}

/// A union discriminated by `code`, so that a program that has compared the code knows the form of `details`.
impl PartialSchema for ErrorBody {
    fn schema() -> RefOr<Schema> {
        union("", &json!({ "type": "boolean", "enum": [true] }))
    }
}

impl PartialSchema for FlatErrorBody {
    fn schema() -> RefOr<Schema> {
        union("Auth", &json!({ "type": "string", "description": "`message` again." }))
    }
}

/// The forms of a failure's body, with these titles and this schema of `error`.
fn union(titles: &str, error: &Value) -> RefOr<Schema> {
    let sentences = json!({ "type": "array", "items": { "type": "string" } });
    let fields = json!({
        "type": "object", "additionalProperties": sentences,
        "description": "Sentences by field.",
    });
    let start = json!({
        "type": "object", "required": ["date", "time"],
        "properties": {
            "date": { "type": "string", "format": "date" },
            "time": { "type": "string", "pattern": r"^\d{2}:\d{2}:\d{2}$" },
        },
    });
    let starts = json!({
        "type": "object", "required": ["available"],
        "properties": { "available": { "type": "array", "items": start } },
        "description": "The free starts nearest to the one that was asked for, nearest first, on the shop's clock.",
    });
    let allowed = json!({
        "type": "object", "required": ["allowed"],
        "properties": { "allowed": { "type": "array", "items": { "$ref": "#/components/schemas/BookingStatus" } } },
        "description": "The statuses that may follow the present one.",
    });
    let nothing = json!({ "type": "object", "maxProperties": 0 });
    let special = [Code::ValidationError, Code::Conflict, Code::SlotFull, Code::IllegalTransition];
    let others: Vec<Code> = Code::ALL.into_iter().filter(|code| !special.contains(code)).collect();
    let schema = json!({
        "description": "Why a request failed. Decide by `code`; `message` is a sentence that can be shown.",
        "oneOf": [
            form(&format!("{titles}FieldErrors"), error, &[Code::ValidationError, Code::Conflict], &fields),
            form(&format!("{titles}SlotFullError"), error, &[Code::SlotFull], &starts),
            form(&format!("{titles}IllegalTransitionError"), error, &[Code::IllegalTransition], &allowed),
            form(&format!("{titles}OtherError"), error, &others, &nothing),
        ],
    });
    serde_json::from_value(schema).unwrap_or_else(|_| Schema::default().into())
}

impl ToSchema for ErrorBody {
    fn name() -> Cow<'static, str> {
        "ErrorBody".into()
    }
}

impl ToSchema for FlatErrorBody {
    fn name() -> Cow<'static, str> {
        "AuthErrorBody".into()
    }
}

fn form(title: &str, error: &Value, codes: &[Code], details: &Value) -> Value {
    let statuses: std::collections::BTreeSet<u16> = codes.iter().map(|code| code.status().as_u16()).collect();
    json!({
        "title": title, "type": "object",
        "required": ["error", "message", "status_code", "code", "details", "detail"],
        "properties": {
            "error": error,
            "message": { "type": "string", "description": "A sentence that can be shown." },
            "status_code": { "type": "integer", "enum": statuses },
            "code": { "type": "string", "enum": codes },
            "details": details,
            "detail": { "type": "string", "description": "`message` again, for clients of the former service." },
        },
    })
}
