//! Checkout: plays the customer and builds the result that the browser gets.

use serde_json::{Value, json};

use crate::{
    KEY_SECRET,
    answer::{Refusal, Result},
    attempt::{Attempt, Outcome},
    capture::{authorize, capture, error_of, fail, is_paid},
    orders, payments, returns,
    signature::sign,
    state::State,
    webhooks::Event,
};

/// The result of checkout, as the browser gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    pub order_id: String,
    pub payment_id: String,
    /// Signs both ids. Empty if the payment failed or is unanswered, because there is no signature then.
    pub signature: String,
}

impl Checkout {
    fn new(order_id: &str, payment_id: &str, outcome: Outcome) -> Self {
        let signature = match outcome {
            Outcome::Authorized | Outcome::Captured => sign(KEY_SECRET, format!("{order_id}|{payment_id}").as_bytes()),
            Outcome::Created | Outcome::Failed => String::new(),
        };
        Self { order_id: order_id.to_owned(), payment_id: payment_id.to_owned(), signature }
    }

    /// The JSON that the browser's success handler gets, or its failure event.
    pub(crate) fn json(&self, state: &State) -> Value {
        let signature = Some(&self.signature).filter(|signature| !signature.is_empty());
        let mut answer = json!({
            "razorpay_order_id": self.order_id,
            "razorpay_payment_id": self.payment_id,
            "razorpay_signature": signature,
        });
        let failed = state.payments.get(&self.payment_id).filter(|payment| payment.text("status") == "failed");
        if let (Some(failed), Some(answer)) = (failed, answer.as_object_mut()) {
            answer.insert("error".to_owned(), error_of(failed));
        }
        answer
    }
}

/// Plays an attempt to pay an order.
pub(crate) fn pay(state: &mut State, attempt: &Attempt) -> Result<Checkout> {
    let order = state.orders.find(&attempt.order_id)?;
    let order_id = order.text("id").to_owned();
    if !attempt.second {
        if is_paid(state, &order_id) {
            return Err(Refusal::order_paid());
        }
        if orders::has_authorized_payment(state, &order_id) {
            return Err(Refusal::order_has_authorized_payment());
        }
    }
    let is_manual = state.manual_orders.contains(&order_id);
    let usual = if is_manual { Outcome::Authorized } else { Outcome::Captured };
    let outcome = attempt.outcome.unwrap_or(usual);
    let payment = payments::new(state, order, attempt);
    let id = payment.text("id").to_owned();
    state.payments.add(payment);
    if let Some(order) = state.orders.get_mut(&order_id) {
        order.set([("attempts", (order.number("attempts") + 1).into())]);
        if order.text("status") == "created" {
            order.set([("status", "attempted".into())]);
        }
    }
    let events = reach(state, &id, outcome, attempt.reason.as_deref());
    if attempt.webhooks {
        state.announce(events);
    }
    Ok(Checkout::new(&order_id, &id, outcome))
}

/// Moves a created, failed or authorized payment to another outcome: a bank may still answer days later.
pub(crate) fn change(state: &mut State, id: &str, outcome: Outcome, webhooks: bool) -> Result {
    let status = state.payments.find(id)?.text("status");
    if !matches!(status, "created" | "failed" | "authorized") {
        return Err(Refusal::own(400, format!("The payment is {status} already")));
    }
    let events = reach(state, id, outcome, None);
    if webhooks {
        state.announce(events);
    }
    payments::show(state, id)
}

/// Takes a payment through all steps to an outcome.
fn reach(state: &mut State, id: &str, outcome: Outcome, reason: Option<&str>) -> Vec<Event> {
    let payment = state.payments.get(id);
    let is_authorized = payment.is_some_and(|payment| payment.text("status") == "authorized");
    let pays_again = payment.is_some_and(|payment| is_paid(state, payment.text("order_id")));
    let mut events = Vec::new();
    match outcome {
        Outcome::Failed => events = fail(state, id, reason.unwrap_or("payment_failed")),
        Outcome::Authorized | Outcome::Captured if !is_authorized => events = authorize(state, id),
        Outcome::Created | Outcome::Authorized | Outcome::Captured => {}
    }
    if outcome == Outcome::Captured {
        events.extend(capture(state, id));
    } else if outcome == Outcome::Authorized && pays_again {
        events.extend(returns::give_back(state, id));
    }
    events
}
