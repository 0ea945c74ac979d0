//! Settings: those of an account's dashboard, and those of webhook delivery.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::WEBHOOK_SECRET;

/// The settings of the account. They can change while the stand-in runs; over HTTP by `POST /_settings` with the
/// members to change, where a duration is a number of milliseconds and its name ends in `_ms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Settings {
    /// Where webhooks are delivered. Without it they are only recorded.
    pub webhook_url: Option<String>,
    /// Signs the webhooks of new events; retries of older ones keep their signature. If empty, nothing is signed.
    pub webhook_secret: String,
    /// The timeout of an endpoint: 5 seconds, as documented.
    #[serde(rename = "webhook_timeout_ms", with = "milliseconds")]
    pub webhook_timeout: Duration,
    /// The pause after each failed attempt; after the last a webhook is given up. Razorpay's own ladder takes a day.
    #[serde(rename = "webhook_retries_ms", with = "ladder")]
    pub webhook_retries: Vec<Duration>,
    /// How many times an accepted webhook is delivered.
    pub webhook_copies: usize,
    /// Whether the webhooks of one call are sent in reverse order.
    pub webhooks_reversed: bool,
    /// Whether a second order may have the receipt of another.
    pub receipts: ReceiptPolicy,
    /// Whether unknown members of a call are refused. Perhaps not every account enforces it.
    pub refuses_extra_fields: bool,
    /// The largest amount of an order: five lakh rupees. Accounts differ.
    pub max_amount: i64,
    /// How long a refund is pending. If zero, it is processed in the answer to its creation, as is common at Razorpay.
    #[serde(rename = "refund_delay_ms", with = "milliseconds")]
    pub refund_delay: Duration,
    /// Whether a failed refund lowers the payment's `amount_refunded`, so that it can be retried. What Razorpay does is
    /// not known.
    pub failed_refunds_give_back: bool,
    /// Whether the balance suffices for refunds.
    pub has_balance: bool,
    /// How long an authorized payment waits for its capture before it is refunded: 3 days.
    #[serde(rename = "capture_window_ms", with = "milliseconds")]
    pub capture_window: Duration,
    /// The status for wrong credentials: 401, as users report; the documentation says 400.
    pub unauthenticated_status: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            webhook_url: None,
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            webhook_timeout: Duration::from_secs(5),
            webhook_retries: [200, 500, 1_000, 2_000, 5_000, 10_000].map(Duration::from_millis).to_vec(),
            webhook_copies: 1,
            webhooks_reversed: false,
            receipts: ReceiptPolicy::Lenient,
            refuses_extra_fields: true,
            max_amount: 50_000_000,
            refund_delay: Duration::ZERO,
            failed_refunds_give_back: true,
            has_balance: true,
            capture_window: Duration::from_hours(72),
            unauthenticated_status: 401,
        }
    }
}

/// Whether a second order may have the receipt of another. The references contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptPolicy {
    /// Both orders have it.
    Lenient,
    /// The call is refused.
    Unique,
}

/// A duration as a number of milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// Durations as numbers of milliseconds.
mod ladder {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(steps: &[Duration], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(steps.iter().map(|step| u64::try_from(step.as_millis()).unwrap_or(u64::MAX)))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
        Ok(Vec::<u64>::deserialize(deserializer)?.into_iter().map(Duration::from_millis).collect())
    }
}
