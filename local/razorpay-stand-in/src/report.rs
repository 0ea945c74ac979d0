//! The settlement report. Everything counts as settled on the day on which it was made, at midnight of India.

use chrono::{DateTime, Datelike, FixedOffset};
use serde_json::{Value, json};

use crate::{
    answer::{Refusal, Result},
    collections,
    entities::Entity,
    request::Request,
    state::State,
};

/// India's distance to UTC in seconds.
const INDIA: i32 = 5 * 3600 + 1800;

/// The entries of a month, or of a day of it, oldest first.
pub(crate) fn combined(state: &State, request: &Request) -> Result {
    let number =
        |name: &str| request.query(name).map(|text| text.parse::<i64>().map_err(|_| Refusal::not_an_integer(name)));
    let year = number("year").transpose()?.ok_or_else(|| Refusal::required("year"))?;
    let month = number("month").transpose()?.ok_or_else(|| Refusal::required("month"))?;
    if !(1..=12).contains(&month) {
        return Err(Refusal::invalid_month());
    }
    let day = number("day").transpose()?;
    let count = number("count").transpose()?.unwrap_or(10).clamp(1, 1000);
    let skip = number("skip").transpose()?.unwrap_or_default().max(0);
    let is_asked_for = |entity: &&Entity| {
        let date = FixedOffset::east_opt(INDIA)
            .zip(DateTime::from_timestamp(entity.number("created_at"), 0))
            .map(|(india, at)| at.with_timezone(&india));
        date.is_some_and(|date| {
            i64::from(date.year()) == year
                && i64::from(date.month()) == month
                && day.is_none_or(|day| i64::from(date.day()) == day)
        })
    };
    let payments = state.payments.oldest().filter(|payment| payment.flag("captured")).filter(is_asked_for).map(payment);
    let refunds = state.refunds.oldest().filter(|refund| is_counted(state, refund)).filter(is_asked_for).map(refund);
    let lost =
        state.disputes.oldest().filter(|dispute| dispute.text("status") == "lost").filter(is_asked_for).map(lost);
    let entries = payments.chain(refunds).chain(lost);
    let (skip, count) = (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(count).unwrap_or_default());
    Ok(collections::collection(&entries.skip(skip).take(count).collect::<Vec<_>>()))
}

/// The release of an authorized payment moves no money.
fn is_counted(state: &State, refund: &Entity) -> bool {
    let payment = state.payments.get(refund.text("payment_id"));
    refund.text("status") == "processed" && payment.is_some_and(|payment| payment.flag("captured"))
}

fn entry(entity: &Entity, kind: &str, debit: i64, credit: i64, more: &[(&str, Value)]) -> Value {
    let mut entry = json!({
        "entity_id": entity.text("id"),
        "type": kind,
        "debit": debit,
        "credit": credit,
        "amount": entity.number("amount"),
        "currency": entity.text("currency"),
        "fee": 0,
        "tax": 0,
        "on_hold": false,
        "settled": true,
        "created_at": entity.number("created_at"),
        "settled_at": entity.number("created_at"),
        "settlement_id": "setl_Local000000000",
        "description": null,
        "notes": "[]",
        "payment_id": null,
        "order_id": null,
        "order_receipt": null,
        "dispute_id": null,
    });
    if let Some(entry) = entry.as_object_mut() {
        entry.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    entry
}

fn payment(payment: &Entity) -> Value {
    let fee = payment.number("fee");
    let more = [
        ("order_id", payment.text("order_id").into()),
        ("fee", fee.into()),
        ("tax", payment.number("tax").into()),
        ("method", payment.text("method").into()),
    ];
    entry(payment, "payment", 0, payment.number("amount") - fee, &more)
}

fn refund(refund: &Entity) -> Value {
    entry(refund, "refund", refund.number("amount"), 0, &[("payment_id", refund.text("payment_id").into())])
}

fn lost(dispute: &Entity) -> Value {
    let own = dispute.text("id").trim_start_matches("disp_");
    let more = [
        ("entity_id", format!("adj_{own}").into()),
        ("payment_id", dispute.text("payment_id").into()),
        ("dispute_id", dispute.text("id").into()),
    ];
    entry(dispute, "adjustment", dispute.number("amount"), 0, &more)
}
