//! How a payment moves: authorized, captured, failed. What each step announces is its snapshot at that moment.

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

/// Captures an authorized payment, whole or not at all.
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
    // Older SDKs send none.
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

/// Whether an order is paid.
pub(crate) fn is_paid(state: &State, order_id: &str) -> bool {
    state.orders.get(order_id).is_some_and(|order| order.text("status") == "paid")
}

/// The bank agrees. It can do so long after it seemed to refuse.
pub(crate) fn authorize(state: &mut State, id: &str) -> Vec<Event> {
    let expires = state.clock.after(state.settings.capture_window);
    let Some(payment) = state.payments.get_mut(id) else { return Vec::new() };
    let acquirer_data = payments::acknowledged(payment);
    payment.set([("status", "authorized".into()), ("acquirer_data", acquirer_data)]);
    payment.set(NO_ERROR.map(|name| (name, Value::Null)));
    state.agenda.add(expires, Task::GiveBack(id.to_owned()));
    vec![Event::of_payment("payment.authorized", payment)]
}

/// The money is taken, and perhaps the order is paid.
pub(crate) fn capture(state: &mut State, id: &str) -> Vec<Event> {
    let Some(payment) = state.payments.get_mut(id) else { return Vec::new() };
    let amount = payment.number("amount");
    let (fee, tax) = fee_and_tax(amount);
    payment.set([("status", "captured".into()), ("captured", true.into()), ("fee", fee.into()), ("tax", tax.into())]);
    let mut events = vec![Event::of_payment("payment.captured", payment)];
    if let Some(order) = state.orders.get_mut(payment.text("order_id"))
        && is_paid_by(order, amount)
    {
        events.push(Event::order_paid(payment, order));
    }
    events
}

/// Adds an amount to what is paid of an order, and tells whether that was the last of it.
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

/// The bank refuses, or nobody hears from it.
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

/// What checkout tells the browser about a failed payment.
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

/// Two per cent, and 18 per cent of them as tax, which the fee includes. It reproduces most published samples.
fn fee_and_tax(amount: i64) -> (i64, i64) {
    let fee = amount * 2 / 100;
    let tax = fee * 18 / 100;
    (fee + tax, tax)
}
