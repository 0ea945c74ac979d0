//! The endpoints of orders.

use serde_json::{Value, json};

use crate::{
    answer::{Refusal, Result},
    collections,
    entities::Entity,
    random,
    request::Request,
    settings::ReceiptPolicy,
    state::State,
};

/// The minimum amount of an order or a refund.
pub(crate) const LEAST: i64 = 100;

const RECEIPT_LENGTH: usize = 40;

/// Members of other products are accepted and ignored.
const MEMBERS: &[&str] = &[
    "amount",
    "bank_account",
    "currency",
    "customer_id",
    "first_payment_min_amount",
    "method",
    "notes",
    "offer_id",
    "partial_payment",
    "payment",
    "payment_capture",
    "receipt",
    "token",
    "transfers",
    "unique_receipt",
];

pub(crate) fn create(state: &mut State, request: &Request) -> Result {
    if state.settings.refuses_extra_fields {
        request.expect_only(MEMBERS)?;
    }
    let amount = request.integer("amount")?.ok_or_else(|| Refusal::required("amount"))?;
    if amount < LEAST {
        return Err(Refusal::order_too_small());
    }
    if amount > state.settings.max_amount {
        return Err(Refusal::too_large());
    }
    let currency = request.text("currency")?.ok_or_else(|| Refusal::required("currency"))?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Refusal::currency());
    }
    let receipt = request.text("receipt")?;
    if receipt.is_some_and(|receipt| receipt.chars().count() > RECEIPT_LENGTH) {
        return Err(Refusal::receipt_too_long());
    }
    let notes = request.notes()?;
    let is_manual = is_manual(request)?;
    let wants_same = request.flag("unique_receipt") == Some(true);
    if (wants_same || state.settings.receipts == ReceiptPolicy::Unique)
        && let Some(existing) = receipt.and_then(|receipt| with_receipt(state, receipt))
    {
        let refusal = Refusal::receipt_used(existing.text("id"));
        return if wants_same { Ok(existing.json().clone()) } else { Err(refusal) };
    }
    let id = random::id("order_");
    let order = json!({
        "id": id,
        "entity": "order",
        "amount": amount,
        "amount_paid": 0,
        "amount_due": amount,
        "currency": currency,
        "receipt": receipt,
        "offer_id": null,
        "status": "created",
        "attempts": 0,
        "notes": notes,
        "created_at": state.timestamp(),
    });
    state.orders.add(Entity::new(order.clone()));
    if is_manual {
        state.manual_orders.insert(id);
    }
    Ok(order)
}

/// Whether capture is manual: by `payment.capture`, or by the older `payment_capture`.
fn is_manual(request: &Request) -> Result<bool> {
    match request.member("payment").and_then(|payment| payment.get("capture")) {
        None => Ok(request.flag("payment_capture") == Some(false)),
        Some(Value::String(capture)) if capture == "automatic" => Ok(false),
        Some(Value::String(capture)) if capture == "manual" => Ok(true),
        Some(_) => Err(Refusal::invalid("payment.capture")),
    }
}

fn with_receipt<'a>(state: &'a State, receipt: &str) -> Option<&'a Entity> {
    state.orders.newest().find(|order| order.text("receipt") == receipt)
}

pub(crate) fn list(state: &State, request: &Request) -> Result {
    let receipt = request.query("receipt");
    let authorized = request.query("authorized").map(|flag| flag == "1" || flag == "true");
    let is_asked_for = |order: &&Entity| {
        receipt.is_none_or(|receipt| order.text("receipt") == receipt)
            && authorized.is_none_or(|authorized| has_authorized_payment(state, order.text("id")) == authorized)
    };
    let page = collections::page(request, state.orders.newest().filter(is_asked_for))?;
    if !request.expands("payments") {
        return Ok(collections::of(page));
    }
    let with_payments = |order: &Entity| {
        let mut order = order.clone();
        let payments = collections::of(payments_of(state, order.text("id")));
        order.set([("payments", payments)]);
        order.json().clone()
    };
    Ok(collections::collection(&page.into_iter().map(with_payments).collect::<Vec<_>>()))
}

pub(crate) fn show(state: &State, id: &str) -> Result {
    Ok(state.orders.find(id)?.json().clone())
}

/// Changes the notes, the only member that can change.
pub(crate) fn update(state: &mut State, request: &Request, id: &str) -> Result {
    update_notes(state.orders.find_mut(id)?, request)
}

/// Lists all payments of an order, failed ones too.
pub(crate) fn payments(state: &State, id: &str) -> Result {
    state.orders.find(id)?;
    Ok(collections::of(payments_of(state, id)))
}

/// The payments of an order, newest first; that Razorpay lists them so is a guess.
pub(crate) fn payments_of<'a>(state: &'a State, id: &str) -> impl Iterator<Item = &'a Entity> {
    state.payments.newest().filter(move |payment| payment.text("order_id") == id)
}

pub(crate) fn has_authorized_payment(state: &State, id: &str) -> bool {
    payments_of(state, id).any(|payment| payment.text("status") == "authorized")
}

pub(crate) fn update_notes(entity: &mut Entity, request: &Request) -> Result {
    request.expect_only(&["notes"])?;
    request.member("notes").ok_or_else(|| Refusal::required("notes"))?;
    entity.set([("notes", request.notes()?)]);
    Ok(entity.json().clone())
}
