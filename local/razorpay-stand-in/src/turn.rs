//! A call with an idempotency key, while it is in progress.

use std::sync::Arc;

use stand_in::Shared;

use crate::{
    answer::{Refusal, Result},
    request::Request,
    state::State,
};

/// Holds the key of a call until the call has taken effect, which a fault may delay.
#[derive(Debug)]
pub(crate) struct Turn {
    shared: Arc<Shared<State>>,
    key: Option<String>,
}

impl Turn {
    /// Refuses a call whose key is held by a concurrent one.
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
