//! Keys that make a repeated refund the same refund. They are kept until a test has them forgotten; how long
//! Razorpay keeps them is not known.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stand_in::Shared;

use crate::{
    answer::{Refusal, Result},
    request::Request,
    state::State,
};

/// The keys of refunds that were made. One that was refused may be tried again by the same key; that is a guess.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Keys(BTreeMap<String, Used>);

#[derive(Debug, Serialize, Deserialize)]
struct Used {
    payment_id: String,
    body: Map<String, Value>,
    refund_id: String,
}

impl Keys {
    /// The refund that was made by this key.
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

    /// Notes which refund was made by a key.
    pub(crate) fn add(&mut self, key: Option<&str>, payment_id: &str, body: &Map<String, Value>, refund_id: &str) {
        if let Some(key) = key {
            let used = Used { payment_id: payment_id.to_owned(), body: body.clone(), refund_id: refund_id.to_owned() };
            self.0.insert(key.to_owned(), used);
        }
    }
}

/// The key of a call, if it is one.
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

/// Holds the key of a call while it is answered, which a fault may draw out.
#[derive(Debug)]
pub(crate) struct Turn {
    shared: Arc<Shared<State>>,
    key: Option<String>,
}

impl Turn {
    /// Refuses a call whose key another one holds.
    pub(crate) fn take(shared: &Arc<Shared<State>>, request: &Request) -> Result<Self> {
        let key = request.idempotency_key.clone();
        if let Some(key) = &key
            && !shared.look().keys_in_progress.insert(key.clone())
        {
            return Err(Refusal::key_in_progress());
        }
        Ok(Self { shared: Arc::clone(shared), key })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.shared.look().keys_in_progress.remove(key);
        }
    }
}
