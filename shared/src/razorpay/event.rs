//! The body of a webhook.

use serde::Deserialize;
use serde_json::Value;

use super::{Dispute, Payment, Refund};

/// An event. All of its parts may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// `payment.captured`, `order.paid`, `refund.processed` …
    #[serde(default)]
    pub event: String,
    /// The entities of the event, as they were at its time.
    #[serde(default)]
    pub payload: Payload,
    /// Whether a text held the character NUL, which Razorpay does not send. It is replaced, because Postgres stores none.
    #[serde(skip)]
    pub had_nul: bool,
}

/// The entities of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Payload {
    #[serde(default, deserialize_with = "unwrapped")]
    pub payment: Option<Payment>,
    #[serde(default, deserialize_with = "unwrapped")]
    pub refund: Option<Refund>,
    #[serde(default, deserialize_with = "unwrapped")]
    pub dispute: Option<Dispute>,
}

/// The wrapper of each entity.
#[derive(Deserialize)]
struct Wrapped<T> {
    entity: T,
}

fn unwrapped<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Wrapped<T>>::deserialize(deserializer)?.map(|wrapped| wrapped.entity))
}

impl Event {
    /// Reads a body; `None` if it is no event as far as we know.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut body: Value = serde_json::from_slice(body).ok()?;
        let had_nul = replace_nul(&mut body);
        let event = body.is_object().then(|| serde_json::from_value(body).ok()).flatten()?;
        Some(Self { had_nul, ..event })
    }
}

/// Replaces NUL in all texts; `true` if there was one.
fn replace_nul(value: &mut Value) -> bool {
    match value {
        Value::String(text) if text.contains('\0') => {
            *text = text.replace('\0', "\u{fffd}");
            true
        }
        Value::Array(values) => values.iter_mut().map(replace_nul).filter(|found| *found).count() > 0,
        Value::Object(members) => members.values_mut().map(replace_nul).filter(|found| *found).count() > 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Event;

    #[test]
    fn nul_is_replaced_wherever_it_is() {
        let body = json!({ "event": "payment.captured", "payload": { "payment": { "entity": {
            "id": "pay_\0", "amount": 1, "currency": "INR", "status": "captured", "order_id": "order_1"
        } } } });
        let event = Event::read(body.to_string().as_bytes()).unwrap();
        assert!(event.had_nul);
        assert_eq!(event.payload.payment.unwrap().id, "pay_\u{fffd}");
        assert!(!Event::read(b"{}").unwrap().had_nul);
        assert_eq!(Event::read(b"[]"), None);
    }
}
