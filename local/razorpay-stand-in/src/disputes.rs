//! Disputes: the customer's bank wants a payment back.

use serde::Deserialize;
use serde_json::json;

use crate::{
    answer::{Refusal, Result},
    entities::Entity,
    random,
    state::State,
    webhooks::Event,
};

/// The seconds that the shop has to answer: a week.
const TIME_TO_RESPOND: i64 = 7 * 24 * 3600;

/// How a dispute ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeOutcome {
    Won,
    /// The amount is taken from the balance.
    Lost,
    Closed,
}

impl DisputeOutcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Closed => "closed",
        }
    }
}

/// Opens a dispute over a captured payment, or over a part of it.
pub(crate) fn open(state: &mut State, payment_id: &str, amount: Option<i64>) -> Result {
    let payment = state.payments.find(payment_id)?;
    if !payment.flag("captured") {
        return Err(Refusal::not_captured());
    }
    let now = state.timestamp();
    let dispute = Entity::new(json!({
        "id": random::id("disp_"),
        "entity": "dispute",
        "payment_id": payment_id,
        "amount": amount.unwrap_or_else(|| payment.number("amount")),
        "currency": payment.text("currency"),
        "amount_deducted": 0,
        "reason_code": "goods_or_services_not_received",
        "respond_by": now + TIME_TO_RESPOND,
        "status": "open",
        "phase": "chargeback",
        "evidence": {},
        "created_at": now,
    }));
    let json = dispute.json().clone();
    let event = Event::of_dispute("payment.dispute.created", &dispute, payment);
    state.disputes.add(dispute);
    state.announce(vec![event]);
    Ok(json)
}

/// Ends an open dispute.
pub(crate) fn end(state: &mut State, id: &str, outcome: DisputeOutcome) -> Result {
    let dispute = state.disputes.find_mut(id)?;
    if dispute.text("status") != "open" {
        return Err(Refusal::own(400, format!("The dispute is {} already", dispute.text("status"))));
    }
    let deducted = if outcome == DisputeOutcome::Lost { dispute.number("amount") } else { 0 };
    dispute.set([("status", outcome.as_str().into()), ("amount_deducted", deducted.into())]);
    let json = dispute.json().clone();
    if let Some(payment) = state.payments.get(dispute.text("payment_id")) {
        let event = Event::of_dispute(&format!("payment.dispute.{}", outcome.as_str()), dispute, payment);
        state.announce(vec![event]);
    }
    Ok(json)
}
