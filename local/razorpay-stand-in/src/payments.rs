//! The endpoints of payments, and the payment as JSON.

use serde_json::{Value, json};

use crate::{
    answer::Result, attempt::Attempt, collections, entities::Entity, orders::update_notes, random, request::Request,
    state::State,
};

pub(crate) fn list(state: &State, request: &Request) -> Result {
    Ok(collections::of(collections::page(request, state.payments.newest())?))
}

pub(crate) fn show(state: &State, id: &str) -> Result {
    Ok(state.payments.find(id)?.json().clone())
}

/// Changes the notes, the only member that can change.
pub(crate) fn update(state: &mut State, request: &Request, id: &str) -> Result {
    update_notes(state.payments.find_mut(id)?, request)
}

/// A payment that the bank has not answered yet. Amount and currency are the order's unless the attempt overrides them.
pub(crate) fn new(state: &State, order: &Entity, attempt: &Attempt) -> Entity {
    let method = attempt.method.as_deref().unwrap_or("upi");
    let by = |wanted: &str, value: &str| if method == wanted { value.into() } else { Value::Null };
    let fee = if attempt.customer_bears_fee { fee_and_tax(order.number("amount")).0 } else { 0 };
    let notes = attempt.notes.as_ref().filter(|notes| notes.as_object().is_some_and(|notes| !notes.is_empty()));
    let mut payment = Entity::new(json!({
        "id": random::id("pay_"),
        "entity": "payment",
        "amount": attempt.amount.unwrap_or_else(|| order.number("amount") + fee),
        "currency": attempt.currency.as_deref().unwrap_or_else(|| order.text("currency")),
        "status": "created",
        "order_id": order.text("id"),
        "invoice_id": null,
        "international": false,
        "method": method,
        "amount_refunded": 0,
        "refund_status": null,
        "captured": false,
        "description": null,
        "card_id": null,
        "bank": by("netbanking", "HDFC"),
        "wallet": by("wallet", "mobikwik"),
        "vpa": by("upi", "success@razorpay"),
        "email": attempt.email.as_deref().unwrap_or("customer@example.com"),
        "contact": attempt.contact.as_deref().unwrap_or("+919000090000"),
        "notes": notes.cloned().unwrap_or_else(|| json!([])),
        "fee": null,
        "tax": null,
        "error_code": null,
        "error_description": null,
        "error_source": null,
        "error_step": null,
        "error_reason": null,
        "acquirer_data": acquirer_data(method),
        "created_at": state.timestamp(),
    }));
    if attempt.customer_bears_fee {
        payment.set([("fee_bearer", "customer".into())]);
    }
    match method {
        "upi" => payment.set([("upi", json!({"vpa": "success@razorpay"}))]),
        "card" => {
            let card = card();
            payment.set([("card_id", card.get("id").cloned().unwrap_or_default()), ("card", card)]);
        }
        _ => {}
    }
    payment
}

/// A fee of 2 %, and a tax of 18 % of it, which the returned fee includes. Reproduces most published samples.
pub(crate) fn fee_and_tax(amount: i64) -> (i64, i64) {
    let fee = amount * 2 / 100;
    let tax = fee * 18 / 100;
    (fee + tax, tax)
}

/// The bank's references, by method. Their members exist from the start, null until the payment is authorized.
fn acquirer_data(method: &str) -> Value {
    match method {
        "upi" => json!({"rrn": null}),
        "card" => json!({"auth_code": null}),
        "netbanking" => json!({"bank_transaction_id": null}),
        "wallet" => json!({"transaction_id": null}),
        _ => json!({}),
    }
}

/// The bank's references for an authorized payment.
pub(crate) fn acknowledged(payment: &Entity) -> Value {
    let mut data = acquirer_data(payment.text("method"));
    for value in data.as_object_mut().into_iter().flat_map(|data| data.values_mut()) {
        *value = random::digits::<12>().into();
    }
    data
}

fn card() -> Value {
    json!({
        "id": random::id("card_"),
        "entity": "card",
        "name": "",
        "last4": "1007",
        "network": "Visa",
        "type": "credit",
        "issuer": null,
        "international": false,
        "emi": false,
        "sub_type": "consumer",
        "token_iin": null,
    })
}
