//! Webhooks: events, their bodies and headers, and their deliveries.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{ACCOUNT_ID, entities::Entity, random, settings::Settings, signature::sign};

/// How many webhooks are kept; beyond that the oldest is dropped unless its delivery is pending.
const CAPACITY: usize = 1000;

/// An event to announce.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    name: String,
    contains: Vec<String>,
    payload: Value,
}

impl Event {
    /// Any event, even one that Razorpay does not have.
    pub(crate) fn new(name: &str, payload: &Map<String, Value>) -> Self {
        let contains = payload.keys().cloned().collect();
        Self { name: name.to_owned(), contains, payload: payload.clone().into() }
    }

    fn of<const COUNT: usize>(name: &str, entities: [(&str, &Entity); COUNT]) -> Self {
        let contains = entities.map(|(kind, _)| kind.to_owned()).to_vec();
        let members = entities.map(|(kind, entity)| (kind.to_owned(), json!({"entity": entity.json()})));
        Self { name: name.to_owned(), contains, payload: Map::from_iter(members).into() }
    }

    pub(crate) fn of_payment(name: &str, payment: &Entity) -> Self {
        Self::of(name, [("payment", payment)])
    }

    pub(crate) fn order_paid(payment: &Entity, order: &Entity) -> Self {
        Self::of("order.paid", [("payment", payment), ("order", order)])
    }

    pub(crate) fn of_dispute(name: &str, dispute: &Entity, payment: &Entity) -> Self {
        Self::of(name, [("payment", payment), ("dispute", dispute)])
    }

    pub(crate) fn of_refund(name: &str, refund: &Entity, payment: &Entity) -> Self {
        Self::of(name, [("refund", refund), ("payment", payment)])
    }
}

/// A webhook as it is sent, the same on every attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Identifies repeated deliveries of an event. It is in a header only.
    pub event_id: String,
    /// The name of the event, such as `payment.captured`.
    pub event: String,
    /// The exact bytes that are signed.
    pub body: String,
    pub headers: Vec<(String, String)>,
    /// When it happened, by the stand-in's clock.
    pub created_at: DateTime<Utc>,
    /// The attempts to deliver it, oldest first.
    pub deliveries: Vec<Delivery>,
    /// When the next attempt is due, if any. Kept during an attempt, so that a restart repeats it.
    pub next_try: Option<DateTime<Utc>>,
    /// The call that caused it: webhooks of one call are delivered in sequence.
    batch: u64,
    failures: usize,
    #[serde(skip)]
    is_on_its_way: bool,
    /// Whether another delivery was requested during an attempt.
    #[serde(skip)]
    is_asked_again: bool,
}

impl Webhook {
    fn new(event: Event, now: DateTime<Utc>, batch: u64, settings: &Settings) -> Self {
        let body = json!({
            "entity": "event",
            "account_id": ACCOUNT_ID,
            "event": event.name,
            "contains": event.contains,
            "payload": event.payload,
            "created_at": now.timestamp(),
        });
        let mut webhook = Self {
            event_id: random::id(""),
            event: event.name,
            body: body.to_string(),
            headers: Vec::new(),
            created_at: now,
            deliveries: Vec::new(),
            next_try: settings.webhook_url.is_some().then_some(now),
            batch,
            failures: 0,
            is_on_its_way: false,
            is_asked_again: false,
        };
        webhook.sign(&settings.webhook_secret);
        webhook
    }

    fn sign(&mut self, secret: &str) {
        let mut headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("User-Agent", "Razorpay-Webhook/v1".to_owned()),
            ("Request-Id", self.event_id.clone()),
            ("x-razorpay-event-id", self.event_id.clone()),
        ];
        if !secret.is_empty() {
            headers.push(("X-Razorpay-Signature", sign(secret, self.body.as_bytes())));
        }
        self.headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    }

    /// A header by its case-insensitive name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    fn is_pending(&self) -> bool {
        self.next_try.is_some()
    }
}

/// An attempt to deliver a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// When it ended, by the stand-in's clock.
    pub at: DateTime<Utc>,
    /// The endpoint's answer, if it gave one.
    pub status: Option<u16>,
    /// Why there is no answer.
    pub error: Option<String>,
}

impl Delivery {
    /// Whether the endpoint accepted the webhook. A redirect counts as a failure.
    pub fn is_done(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// All webhooks, in the order in which they are sent.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Post {
    webhooks: VecDeque<Webhook>,
    batches: u64,
}

impl Post {
    /// Records the events of one call.
    pub(crate) fn add(&mut self, mut events: Vec<Event>, now: DateTime<Utc>, settings: &Settings) {
        if settings.webhooks_reversed {
            events.reverse();
        }
        self.batches += 1;
        for event in events {
            if self.webhooks.len() >= CAPACITY && self.webhooks.front().is_some_and(|oldest| !oldest.is_pending()) {
                self.webhooks.pop_front();
            }
            self.webhooks.push_back(Webhook::new(event, now, self.batches, settings));
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.iter()
    }

    /// When the next attempt is due.
    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        self.webhooks.iter().filter(|webhook| !webhook.is_on_its_way).filter_map(|webhook| webhook.next_try).min()
    }

    /// Whether a delivery is pending or under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.webhooks.iter().any(Webhook::is_pending)
    }

    /// Takes the due webhooks, grouped by call.
    pub(crate) fn take_due(&mut self, now: DateTime<Utc>) -> Vec<Vec<Webhook>> {
        let mut due: Vec<Vec<Webhook>> = Vec::new();
        let is_due = |webhook: &&mut Webhook| !webhook.is_on_its_way && webhook.next_try.is_some_and(|at| at <= now);
        for webhook in self.webhooks.iter_mut().filter(is_due) {
            webhook.is_on_its_way = true;
            match due.last_mut() {
                Some(batch) if batch.last().is_some_and(|last| last.batch == webhook.batch) => {
                    batch.push(webhook.clone());
                }
                _ => due.push(vec![webhook.clone()]),
            }
        }
        due
    }

    /// Records deliveries. After a failure it schedules the next step of the ladder, if any.
    pub(crate) fn note(&mut self, event_id: &str, deliveries: Vec<Delivery>, now: DateTime<Utc>, settings: &Settings) {
        let Some(webhook) = self.webhooks.iter_mut().find(|webhook| webhook.event_id == event_id) else { return };
        webhook.is_on_its_way = false;
        if std::mem::take(&mut webhook.is_asked_again) {
            webhook.deliveries.extend(deliveries);
            return;
        }
        webhook.next_try = None;
        if !deliveries.iter().any(Delivery::is_done) {
            webhook.next_try = settings.webhook_retries.get(webhook.failures).map(|wait| now + *wait);
            webhook.failures += 1;
        }
        webhook.deliveries.extend(deliveries);
    }

    /// Schedules one webhook or all again, signed with the current secret; returns how many.
    pub(crate) fn again(&mut self, event_id: Option<&str>, now: DateTime<Utc>, settings: &Settings) -> usize {
        let is_meant = |webhook: &&mut Webhook| event_id.is_none_or(|event_id| webhook.event_id == event_id);
        let mut count = 0;
        for webhook in self.webhooks.iter_mut().filter(is_meant) {
            webhook.sign(&settings.webhook_secret);
            webhook.next_try = Some(now);
            webhook.failures = 0;
            webhook.is_asked_again = webhook.is_on_its_way;
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use serde_json::Map;

    use super::{Delivery, Event, Post};
    use crate::settings::Settings;

    #[test]
    fn a_redelivery_requested_during_an_attempt_follows_it() {
        let (mut post, now) = (Post::default(), Utc::now());
        let settings = Settings { webhook_url: Some("http://127.0.0.1:9/".to_owned()), ..Settings::default() };
        post.add(vec![Event::new("payment.captured", &Map::new())], now, &settings);
        let id = post.take_due(now)[0][0].event_id.clone();
        assert_eq!(post.again(Some(&id), now, &settings), 1);
        let done = Delivery { at: now, status: Some(200), error: None };
        post.note(&id, vec![done.clone()], now, &settings);
        assert_eq!(post.take_due(now).len(), 1);
        post.note(&id, vec![done], now, &settings);
        assert!(!post.is_busy());
    }
}
