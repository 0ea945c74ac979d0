//! The fields of a form that a browser sent.

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
};
use lambda_http::http::header;
use serde_json::Value;
use shared::{
    Error, Result,
    http::{BODY_LIMIT, Fields, Read},
};

/// A form, read as a body of the API is.
pub(crate) struct Form<T>(pub(crate) T);

impl<S: Send + Sync, T: Read> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_form = content_type.unwrap_or_default().starts_with("application/x-www-form-urlencoded");
        let bytes = to_bytes(request.into_body(), BODY_LIMIT).await.map_err(|_| Error::PayloadTooLarge)?;
        if !is_form && !bytes.is_empty() {
            return Err(Error::UnsupportedMediaType);
        }
        let pairs = form_urlencoded::parse(&bytes).into_owned();
        let mut fields = Fields::new(pairs.map(|(name, value)| (name, Value::String(value))).collect());
        let read = T::read(&mut fields);
        match read {
            Some(read) if fields.faults.is_empty() => Ok(Self(read)),
            _ => Err(Error::Validation(fields.faults)),
        }
    }
}
