//! The stand-in's methods for tests, beside those that all stand-ins share.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};
use stand_in::Shared;

use crate::{
    Attempt, Checkout, DisputeOutcome, KEY_ID, KEY_SECRET, Outcome, RefundOutcome, Settings, Webhook, checkout,
    disputes, entities::Entity, idempotency::Keys, returns, sign, state::State, webhooks::Event,
};

/// Access to the state of a running stand-in.
#[derive(Debug)]
pub struct Razorpay {
    pub(crate) shared: Arc<Shared<State>>,
}

impl Razorpay {
    pub fn key_id(&self) -> &'static str {
        KEY_ID
    }

    pub fn key_secret(&self) -> &'static str {
        KEY_SECRET
    }

    /// Changes the settings, from the next call on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.shared.keep(|state| change(&mut state.settings));
    }

    /// Advances the stand-in's clock: pending refunds end, uncaptured payments are refunded and webhooks retried
    /// without waiting.
    pub fn advance(&self, by: Duration) {
        self.shared.keep(|state| state.advance(by));
    }

    /// Plays a customer who pays this order; returns what the browser gets.
    ///
    /// # Panics
    ///
    /// When Razorpay would refuse it: the order is unknown or paid.
    #[expect(clippy::panic, reason = "a test cannot go on without it")]
    pub fn checkout(&self, order_id: &str, outcome: Outcome) -> Checkout {
        let attempt = Attempt { order_id: order_id.to_owned(), outcome: Some(outcome), ..Attempt::default() };
        self.pay(&attempt).unwrap_or_else(|refusal| panic!("{order_id} cannot be paid: {refusal}"))
    }

    /// Plays an attempt to pay in every detail. The error is the text of Razorpay's refusal.
    pub fn pay(&self, attempt: &Attempt) -> Result<Checkout, String> {
        self.shared.keep(|state| checkout::pay(state, attempt)).map_err(|refusal| refusal.description().to_owned())
    }

    /// Moves a created, failed or authorized payment to another outcome, as a late answer of the bank. Sends webhooks.
    pub fn move_payment(&self, id: &str, outcome: Outcome) -> Result<Value, String> {
        self.shared
            .keep(|state| checkout::change(state, id, outcome, true))
            .map_err(|refusal| refusal.description().to_owned())
    }

    /// Ends a pending refund. Sends webhooks.
    pub fn end_refund(&self, id: &str, outcome: RefundOutcome) -> Result<Value, String> {
        self.shared
            .keep(|state| returns::decide(state, id, outcome))
            .map_err(|refusal| refusal.description().to_owned())
    }

    /// Opens a dispute over a captured payment, or over a part of it; returns it as webhooks show it. Sends a webhook.
    pub fn dispute(&self, payment_id: &str, amount: Option<i64>) -> Result<Value, String> {
        self.shared
            .keep(|state| disputes::open(state, payment_id, amount))
            .map_err(|refusal| refusal.description().to_owned())
    }

    /// Ends an open dispute. Sends a webhook.
    pub fn end_dispute(&self, id: &str, outcome: DisputeOutcome) -> Result<Value, String> {
        self.shared.keep(|state| disputes::end(state, id, outcome)).map_err(|refusal| refusal.description().to_owned())
    }

    /// All disputes, oldest first.
    pub fn disputes(&self) -> Vec<Value> {
        self.shared.look().disputes.oldest().map(Entity::json).cloned().collect()
    }

    /// The order with this id, as the API shows it.
    pub fn order(&self, id: &str) -> Option<Value> {
        self.shared.look().orders.get(id).map(|order| order.json().clone())
    }

    /// All orders, oldest first.
    pub fn orders(&self) -> Vec<Value> {
        self.shared.look().orders.oldest().map(Entity::json).cloned().collect()
    }

    /// The payment with this id, as the API shows it.
    pub fn payment(&self, id: &str) -> Option<Value> {
        self.shared.look().payments.get(id).map(|payment| payment.json().clone())
    }

    /// All payments, oldest first.
    pub fn payments(&self) -> Vec<Value> {
        self.shared.look().payments.oldest().map(Entity::json).cloned().collect()
    }

    /// The refund with this id, as the API shows it.
    pub fn refund(&self, id: &str) -> Option<Value> {
        self.shared.look().refunds.get(id).map(|refund| refund.json().clone())
    }

    /// All refunds, oldest first.
    pub fn refunds(&self) -> Vec<Value> {
        self.shared.look().refunds.oldest().map(Entity::json).cloned().collect()
    }

    /// Forgets the idempotency keys of all refunds, as Razorpay may after a while.
    pub fn forget_keys(&self) {
        self.shared.keep(|state| state.keys = Keys::default());
    }

    /// Edits the JSON of an order without any check. Does nothing if the id is unknown.
    pub fn change_order(&self, id: &str, change: impl FnOnce(&mut Value)) {
        self.shared.keep(|state| state.orders.get_mut(id).map(|order| change(order.json_mut())));
    }

    /// Edits the JSON of a payment without any check. Does nothing if the id is unknown.
    pub fn change_payment(&self, id: &str, change: impl FnOnce(&mut Value)) {
        self.shared.keep(|state| state.payments.get_mut(id).map(|payment| change(payment.json_mut())));
    }

    /// Edits the JSON of a refund without any check. Does nothing if the id is unknown.
    pub fn change_refund(&self, id: &str, change: impl FnOnce(&mut Value)) {
        self.shared.keep(|state| state.refunds.get_mut(id).map(|refund| change(refund.json_mut())));
    }

    /// All webhooks, in the order in which they are sent, delivered or not.
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.shared.look().post.all().cloned().collect()
    }

    /// Delivers webhooks to this URL from now on.
    pub fn deliver_to(&self, url: &str) {
        self.change(|settings| settings.webhook_url = Some(url.to_owned()));
    }

    /// Redelivers one recorded webhook, or all; returns how many.
    pub fn deliver_again(&self, event_id: Option<&str>) -> usize {
        self.shared.keep(|state| {
            let now = state.clock.now();
            state.post.again(event_id, now, &state.settings)
        })
    }

    /// Sends an event that the stand-in never causes itself, such as a dispute. `payload` is that of the envelope.
    pub fn announce(&self, event: &str, payload: &Map<String, Value>) {
        self.shared.keep(|state| state.announce(vec![Event::new(event, payload)]));
    }

    /// Waits until every webhook is delivered or given up, or there is no URL to deliver to.
    pub async fn all_delivered(&self) {
        let mut changes = self.shared.changes();
        let is_busy = |state: &State| state.settings.webhook_url.is_some() && state.post.is_busy();
        while is_busy(&self.shared.look()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// The signature of a webhook with this body, by the current secret.
    pub fn sign_webhook(&self, body: &[u8]) -> String {
        sign(&self.shared.look().settings.webhook_secret, body)
    }
}
