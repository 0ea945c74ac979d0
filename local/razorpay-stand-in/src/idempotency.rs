//! Idempotency keys of refunds. They are kept until a test clears them; how long Razorpay keeps them is not known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    answer::{Refusal, Result},
    request::Request,
};

/// The keys of created refunds. A refused refund can be retried with the same key; that is a guess.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Keys(BTreeMap<String, Used>);

#[derive(Debug, Serialize, Deserialize)]
struct Used {
    payment_id: String,
    body: Map<String, Value>,
    refund_id: String,
}

impl Keys {
    /// The refund that was created with this key. The key must not come with another payment or body.
    pub(crate) fn refund(
        &self,
        key: Option<&str>,
        payment_id: &str,
        body: &Map<String, Value>,
    ) -> Result<Option<&str>> {
        let Some(used) = key.and_then(|key| self.0.get(key)) else { return Ok(None) };
        if used.payment_id == payment_id && used.body == *body {
            Ok(Some(&used.refund_id))
        } else {
            Err(Refusal::key_used())
        }
    }

    /// Records the refund that was created with a key.
    pub(crate) fn add(&mut self, key: Option<&str>, payment_id: &str, body: &Map<String, Value>, refund_id: &str) {
        if let Some(key) = key {
            let used = Used { payment_id: payment_id.to_owned(), body: body.clone(), refund_id: refund_id.to_owned() };
            self.0.insert(key.to_owned(), used);
        }
    }
}

/// The key of a call, validated.
pub(crate) fn key(request: &Request) -> Result<Option<&str>> {
    let Some(key) = request.idempotency_key.as_deref() else { return Ok(None) };
    if key.len() < 10 {
        return Err(Refusal::key_too_short());
    }
    if !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err(Refusal::key_characters());
    }
    Ok(Some(key))
}
