//! The steps of a refund, and their effect on its payment.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    agenda::Task,
    answer::{Refusal, Result},
    entities::Entity,
    random,
    state::State,
    webhooks::Event,
};

/// How a refund ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundOutcome {
    /// The money is on its way to the customer.
    Processed,
    /// The bank rejected it.
    Failed,
}

/// The optional members of a refund.
pub(crate) struct About<'a> {
    pub(crate) notes: Value,
    pub(crate) receipt: Option<&'a str>,
    pub(crate) speed: &'a str,
}

/// A pending refund.
pub(crate) fn entity(state: &State, payment: &Entity, amount: i64, about: &About<'_>) -> Entity {
    Entity::new(json!({
        "id": random::id("rfnd_"),
        "entity": "refund",
        "amount": amount,
        "currency": payment.text("currency"),
        "payment_id": payment.text("id"),
        "notes": &about.notes,
        "receipt": about.receipt,
        "acquirer_data": {"arn": null},
        "created_at": state.timestamp(),
        "batch_id": null,
        "status": "pending",
        "speed_processed": if about.speed == "optimum" { "instant" } else { "normal" },
        "speed_requested": about.speed,
    }))
}

/// Adds a new refund, and its amount to its payment's `amount_refunded`.
pub(crate) fn begin(state: &mut State, refund: Entity) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(payment) = state.payments.get_mut(refund.text("payment_id")) {
        set_refunded(payment, payment.number("amount_refunded") + refund.number("amount"));
        events.push(Event::of_refund("refund.created", &refund, payment));
    }
    state.refunds.add(refund);
    events
}

/// Ends a pending refund with this outcome, or as Razorpay's test mode would.
pub(crate) fn finish(state: &mut State, id: &str, outcome: Option<RefundOutcome>) -> Vec<Event> {
    let Some(refund) = state.refunds.get_mut(id).filter(|refund| refund.text("status") == "pending") else {
        return Vec::new();
    };
    let amount = refund.number("amount");
    let Some(payment) = state.payments.get_mut(refund.text("payment_id")) else { return Vec::new() };
    match outcome.unwrap_or_else(|| usual_outcome(amount)) {
        RefundOutcome::Processed => {
            let arn = random::digits::<14>();
            refund.set([("status", "processed".into()), ("acquirer_data", json!({"arn": arn}))]);
            vec![Event::of_refund("refund.processed", refund, payment)]
        }
        RefundOutcome::Failed => {
            refund.set([("status", "failed".into()), ("speed_processed", Value::Null)]);
            // Published samples of this event still show the amount as refunded.
            let event = Event::of_refund("refund.failed", refund, payment);
            if state.settings.failed_refunds_give_back {
                set_refunded(payment, payment.number("amount_refunded") - amount);
            }
            vec![event]
        }
    }
}

/// Ends a pending refund with this outcome.
pub(crate) fn decide(state: &mut State, id: &str, outcome: RefundOutcome) -> Result {
    let refund = state.refunds.find(id)?;
    if refund.text("status") != "pending" {
        return Err(Refusal::own(400, format!("The refund is {} already", refund.text("status"))));
    }
    let events = finish(state, id, Some(outcome));
    state.announce(events);
    Ok(state.refunds.find(id)?.json().clone())
}

/// Refunds an authorized payment that was never captured. `captured` stays false, unlike after other refunds.
pub(crate) fn give_back(state: &mut State, id: &str) -> Vec<Event> {
    let Some(payment) = state.payments.get(id).filter(|payment| payment.text("status") == "authorized") else {
        return Vec::new();
    };
    let about = About { notes: json!([]), receipt: None, speed: "normal" };
    let refund = entity(state, payment, payment.number("amount"), &about);
    let refund_id = refund.text("id").to_owned();
    let mut events = begin(state, refund);
    events.extend(finish(state, &refund_id, Some(RefundOutcome::Processed)));
    events
}

/// The outcome of a refund that no hook decides: one amount fails, as in Razorpay's test mode.
pub(crate) fn usual_outcome(amount: i64) -> RefundOutcome {
    if amount == 2468 { RefundOutcome::Failed } else { RefundOutcome::Processed }
}

fn set_refunded(payment: &mut Entity, refunded: i64) {
    let status = if refunded >= payment.number("amount") {
        "refunded"
    } else if payment.flag("captured") {
        "captured"
    } else {
        "authorized"
    };
    let refund_status = match refunded {
        0 => Value::Null,
        _ if status == "refunded" => "full".into(),
        _ => "partial".into(),
    };
    payment.set([("amount_refunded", refunded.into()), ("refund_status", refund_status), ("status", status.into())]);
}

impl State {
    /// Advances the clock and runs the tasks that are due then.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.do_what_is_due();
    }

    /// Runs the due tasks.
    pub(crate) fn do_what_is_due(&mut self) {
        while let Some(task) = self.agenda.take(self.clock.now()) {
            let events = match task {
                Task::FinishRefund(id) => finish(self, &id, None),
                Task::GiveBack(id) => give_back(self, &id),
            };
            self.announce(events);
        }
    }
}
