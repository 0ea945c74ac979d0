//! The endpoints of refunds.

use crate::{
    agenda::Task,
    answer::{Refusal, Result},
    collections,
    entities::Entity,
    idempotency,
    orders::{LEAST, update_notes},
    request::Request,
    returns::{self, RefundOutcome},
    state::State,
    webhooks::Event,
};

const MEMBERS: &[&str] = &["amount", "speed", "notes", "receipt", "reverse_all"];

/// Refunds a captured payment, or part of it.
pub(crate) fn create(state: &mut State, request: &Request, payment_id: &str) -> Result {
    let key = idempotency::key(request)?;
    if let Some(refund_id) = state.keys.refund(key, payment_id, &request.body)? {
        return show(state, refund_id, None);
    }
    let refund = new(state, request, payment_id)?;
    let (id, amount) = (refund.text("id").to_owned(), refund.number("amount"));
    let mut events = returns::begin(state, refund);
    // A failing refund is pending first: no report shows a failed one in the answer to its creation.
    if state.settings.refund_delay.is_zero() && returns::usual_outcome(amount) == RefundOutcome::Processed {
        // The snapshot in `refund.created` may already be processed.
        let finished = returns::finish(state, &id, None);
        events = created(state, &id).into_iter().chain(finished).collect();
    } else {
        state.agenda.add(state.clock.after(state.settings.refund_delay), Task::FinishRefund(id.clone()));
    }
    state.keys.add(key, payment_id, &request.body, &id);
    state.announce(events);
    show(state, &id, None)
}

fn created(state: &State, id: &str) -> Option<Event> {
    let refund = state.refunds.get(id)?;
    Some(Event::of_refund("refund.created", refund, state.payments.get(refund.text("payment_id"))?))
}

fn new(state: &State, request: &Request, payment_id: &str) -> Result<Entity> {
    request.expect_only(MEMBERS)?;
    let payment = state.payments.find(payment_id)?;
    if !matches!(payment.text("status"), "captured" | "refunded") {
        return Err(Refusal::not_captured());
    }
    let left = payment.number("amount") - payment.number("amount_refunded");
    let amount = request.integer("amount")?;
    if left <= 0 {
        return Err(Refusal::fully_refunded());
    }
    if amount.is_some_and(|amount| amount < LEAST) {
        return Err(Refusal::refund_too_small());
    }
    if amount.is_some_and(|amount| amount > left) {
        return Err(Refusal::refund_too_large());
    }
    if !state.settings.has_balance {
        return Err(Refusal::no_balance());
    }
    let speed = request.text("speed")?.unwrap_or("normal");
    if !matches!(speed, "normal" | "optimum") {
        return Err(Refusal::invalid("speed"));
    }
    let about = returns::About { notes: request.notes()?, receipt: request.text("receipt")?, speed };
    Ok(returns::entity(state, payment, amount.unwrap_or(left), &about))
}

/// Lists refunds: all, or those of a payment.
pub(crate) fn list(state: &State, request: &Request, payment_id: Option<&str>) -> Result {
    if let Some(id) = payment_id {
        state.payments.find(id)?;
    }
    let is_asked_for = |refund: &&Entity| payment_id.is_none_or(|id| refund.text("payment_id") == id);
    Ok(collections::of(collections::page(request, state.refunds.newest().filter(is_asked_for))?))
}

/// Shows a refund; with a `payment_id` only one of that payment.
pub(crate) fn show(state: &State, id: &str, payment_id: Option<&str>) -> Result {
    if let Some(payment_id) = payment_id {
        state.payments.find(payment_id)?;
    }
    let refund = state.refunds.find(id)?;
    if payment_id.is_some_and(|payment_id| refund.text("payment_id") != payment_id) {
        return Err(Refusal::unknown_id());
    }
    Ok(refund.json().clone())
}

/// Changes the notes, the only member that can change.
pub(crate) fn update(state: &mut State, request: &Request, id: &str) -> Result {
    update_notes(state.refunds.find_mut(id)?, request)
}
