//! The rows of a payment's page: attempts, refunds, reports of Razorpay, and what was left as it is.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use serde::Deserialize;
use shared::payments::{
    mismatches::Kind,
    states::{ByHand, CaptureState, RefundState},
};

use super::words;
use crate::kit::cell::{moment_text, rupees};

#[derive(Deserialize)]
pub(super) struct Attempt {
    pub(super) state: CaptureState,
    pub(super) amount: i64,
    pub(super) refunded: i64,
    pub(super) created: NaiveDateTime,
    pub(super) captured: Option<NaiveDateTime>,
    pub(super) number: Option<String>,
    pub(super) means: Option<String>,
    pub(super) bank: Option<String>,
    pub(super) fee: Option<i64>,
    pub(super) failure: Option<String>,
    pub(super) fits: bool,
    pub(super) currency: String,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) state: RefundState,
    pub(super) amount: i64,
    pub(super) created: NaiveDateTime,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) by_hand: Option<ByHand>,
    pub(super) is_cash: bool,
    pub(super) number: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) event: String,
    pub(super) at: NaiveDateTime,
    pub(super) number: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Accepted {
    pub(super) kind: Kind,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) at: NaiveDateTime,
}

impl Attempt {
    pub(super) fn row(&self, is_online: bool) -> Markup {
        let means =
            if is_online { words::means(self.means.as_deref(), self.bank.as_deref()) } else { "Cash".to_owned() };
        html! {
            tr {
                td data-label="State" { (words::attempt(self.state).markup()) }
                td data-label="When" { (moment_text(self.captured.unwrap_or(self.created))) }
                td data-label="Means" { (means) }
                td.num data-label="Amount" {
                    @if self.currency != "INR" { (self.currency) " " }
                    (rupees(self.amount.into()))
                    @if !self.fits { " " span.tag.warning { "Another amount" } }
                }
                td.num data-label="Fee" { @if let Some(fee) = self.fee { (rupees(fee.into())) } }
                td data-label="Why it failed" { (self.failure.as_deref().unwrap_or_default()) }
                td data-label="Number" { @if let Some(id) = &self.number { (number(id)) } }
            }
        }
    }
}

impl Refund {
    pub(super) fn row(&self) -> Markup {
        let way = match self.by_hand {
            Some(ByHand::Transfer) => "By hand, bank transfer",
            Some(ByHand::Cash) => "By hand, cash",
            None if self.is_cash => "Cash",
            None => "By Razorpay",
        };
        html! {
            tr {
                td data-label="State" { (words::refund(self.state).markup()) }
                td data-label="When" { (moment_text(self.created)) }
                td.num data-label="Amount" { (rupees(self.amount.into())) }
                td data-label="Way" { (way) }
                td data-label="Reason" { (self.reason) }
                td data-label="By" { (words::by(&self.by)) }
                td data-label="Number" { @if let Some(id) = &self.number { (number(id)) } }
            }
        }
    }
}

impl Accepted {
    pub(super) fn what(&self) -> &'static str {
        words::mismatch(self.kind, false)
    }
}

/// A number of Razorpay's; the script adds a button that copies it.
pub(super) fn number(id: &str) -> Markup {
    html! { span.number data-copy { code { (id) } } }
}
