//! The steps of a payment: authorized, captured, failed. Each step's webhook holds the payment as of that step.

use serde_json::{Value, json};

use crate::{
    agenda::Task,
    answer::{Refusal, Result},
    entities::Entity,
    payments,
    request::Request,
    state::State,
    webhooks::Event,
};

/// Captures an authorized payment. There are no partial captures.
pub(crate) fn create(state: &mut State, request: &Request, id: &str) -> Result {
    request.expect_only(&["amount", "currency"])?;
    let payment = state.payments.find(id)?;
    let amount = request.integer("amount")?.ok_or_else(|| Refusal::required("amount"))?;
    match payment.text("status") {
        "authorized" => {}
        "captured" => return Err(Refusal::captured_already()),
        "refunded" if payment.flag("captured") => return Err(Refusal::captured_already()),
        _ => return Err(Refusal::not_authorized()),
    }
    if amount != payment.number("amount") {
        return Err(Refusal::wrong_capture_amount());
    }
    // Older SDKs send no currency.
    if request.text("currency")?.is_some_and(|currency| currency != payment.text("currency")) {
        return Err(Refusal::wrong_capture_currency());
    }
    if is_paid(state, payment.text("order_id")) {
        return Err(Refusal::order_paid());
    }
    let events = capture(state, id);
    state.announce(events);
    payments::show(state, id)
}

pub(crate) fn is_paid(state: &State, order_id: &str) -> bool {
    state.orders.get(order_id).is_some_and(|order| order.text("status") == "paid")
}

/// Authorizes a payment, also a failed one: a bank can authorize late.
pub(crate) fn authorize(state: &mut State, id: &str) -> Vec<Event> {
    let expires = state.clock.after(state.settings.capture_window);
    let Some(payment) = state.payments.get_mut(id) else { return Vec::new() };
    let acquirer_data = payments::acknowledged(payment);
    payment.set([("status", "authorized".into()), ("acquirer_data", acquirer_data)]);
    payment.set(NO_ERROR.map(|name| (name, Value::Null)));
    state.agenda.add(expires, Task::GiveBack(id.to_owned()));
    vec![Event::of_payment("payment.authorized", payment)]
}

/// Captures a payment, which may complete its order.
pub(crate) fn capture(state: &mut State, id: &str) -> Vec<Event> {
    let Some(payment) = state.payments.get_mut(id) else { return Vec::new() };
    let order = state.orders.get_mut(payment.text("order_id"));
    // A fee that the customer bears is added to the order's amount.
    let amount = match &order {
        Some(order) if payment.text("fee_bearer") == "customer" => order.number("amount"),
        _ => payment.number("amount"),
    };
    let (fee, tax) = payments::fee_and_tax(amount);
    payment.set([("status", "captured".into()), ("captured", true.into()), ("fee", fee.into()), ("tax", tax.into())]);
    let mut events = vec![Event::of_payment("payment.captured", payment)];
    if let Some(order) = order
        && is_paid_by(order, amount)
    {
        events.push(Event::order_paid(payment, order));
    }
    events
}

/// Adds an amount to the `amount_paid` of an order; `true` if that completes it.
fn is_paid_by(order: &mut Entity, amount: i64) -> bool {
    if order.text("status") == "paid" {
        return false;
    }
    let paid = order.number("amount_paid") + amount;
    let due = (order.number("amount") - paid).max(0);
    let status = if due == 0 { "paid" } else { "attempted" };
    order.set([("amount_paid", paid.into()), ("amount_due", due.into()), ("status", status.into())]);
    due == 0
}

/// Fails a payment: the bank declined it or did not answer.
pub(crate) fn fail(state: &mut State, id: &str, reason: &str) -> Vec<Event> {
    let Some(payment) = state.payments.get_mut(id) else { return Vec::new() };
    payment.set([
        ("status", "failed".into()),
        ("error_code", "BAD_REQUEST_ERROR".into()),
        ("error_description", "Payment failed".into()),
        ("error_source", "gateway".into()),
        ("error_step", "payment_response".into()),
        ("error_reason", reason.into()),
    ]);
    vec![Event::of_payment("payment.failed", payment)]
}

/// The error that checkout gives to the browser for a failed payment.
pub(crate) fn error_of(payment: &Entity) -> Value {
    let member = |name: &str| payment.json().get(name).cloned().unwrap_or_default();
    json!({
        "code": member("error_code"),
        "description": member("error_description"),
        "source": member("error_source"),
        "step": member("error_step"),
        "reason": member("error_reason"),
        "metadata": {"order_id": member("order_id"), "payment_id": member("id")},
    })
}

const NO_ERROR: [&str; 5] = ["error_code", "error_description", "error_source", "error_step", "error_reason"];
