//! What pages call the states and means of payments.

use shared::{
    bookings::status::PaymentMethod,
    payments::{
        mismatches::{Kind, Mismatch},
        states::{CaptureState, PaymentState, RefundState},
    },
};

use crate::kit::cell::{Cell, Tone};

pub(super) const fn method(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Cash => "Cash",
        PaymentMethod::Razorpay => "Online",
    }
}

pub(super) fn state(state: PaymentState) -> Cell {
    match state {
        PaymentState::Open => Cell::Tag(Tone::Quiet, "Open"),
        PaymentState::Settled => Cell::Tag(Tone::Good, "Paid"),
        PaymentState::Closed => Cell::Tag(Tone::Quiet, "Closed"),
    }
}

pub(super) fn attempt(state: CaptureState) -> Cell {
    match state {
        CaptureState::Failed => Cell::Tag(Tone::Bad, "Failed"),
        CaptureState::Authorized => Cell::Tag(Tone::Quiet, "Approved"),
        CaptureState::Captured => Cell::Tag(Tone::Good, "Received"),
    }
}

pub(super) fn refund(state: RefundState) -> Cell {
    match state {
        RefundState::Queued => Cell::Tag(Tone::Quiet, "To be sent"),
        RefundState::Pending => Cell::Tag(Tone::Quiet, "On its way"),
        RefundState::Processed => Cell::Tag(Tone::Good, "Given back"),
        RefundState::Failed => Cell::Tag(Tone::Bad, "Failed"),
    }
}

/// `UPI`, `Card · Visa`; `Online` if Razorpay has not told.
pub(super) fn means(means: Option<&str>, bank: Option<&str>) -> String {
    let means = match means {
        None => "Online",
        Some("upi") => "UPI",
        Some("card") => "Card",
        Some("netbanking") => "Net banking",
        Some("wallet") => "Wallet",
        Some("paylater") => "Pay later",
        Some("emi" | "cardless_emi") => "EMI",
        Some(other) => other,
    };
    bank.map_or_else(|| means.to_owned(), |bank| format!("{means} · {bank}"))
}

/// Who did something: a name as it is, else the actor in words.
pub(crate) fn by(actor: &str) -> &str {
    match actor {
        "customer" => "Customer",
        "razorpay" => "Razorpay",
        "system" => "Automatic",
        other => other.strip_prefix("staff:").unwrap_or(other),
    }
}

/// What does not match.
pub(super) fn mismatch(kind: Kind, is_stuck: bool) -> &'static str {
    match kind {
        Kind::PaidWithoutMoney => "Marked as paid, but no money is recorded",
        Kind::MoneyWithoutPaid => "Paid, but the booking is not marked as paid",
        Kind::NotGivenBack => "This money must go back, and it is not on its way",
        Kind::FailedRefund if is_stuck => "Razorpay has not taken this refund so far",
        Kind::FailedRefund => "A refund has failed",
        Kind::Misfit => "This payment does not fit its order",
        Kind::Dispute => "The customer's bank wants this payment back",
        Kind::Unmatched => "Razorpay tells of money that is not recorded here",
    }
}

/// What to do about it.
pub(super) fn advice(mismatch: &Mismatch) -> &'static str {
    match mismatch.kind {
        Kind::PaidWithoutMoney => {
            "Look for the money in Razorpay's dashboard and in the drawer. Then say here why the booking stays as it is."
        }
        Kind::MoneyWithoutPaid => {
            "Ask Razorpay on the page of the payment. If the money is there, give it back or keep it for this booking."
        }
        Kind::NotGivenBack => "Refund it again. If Razorpay cannot, give the money back at the shop and note it here.",
        Kind::FailedRefund if mismatch.is_stuck => {
            "It is tried every hour: most often Razorpay's balance is empty. To give the money back another way, ask Razorpay on the page of the payment first: the refund may have been made."
        }
        Kind::FailedRefund => {
            "Refund it again. If the customer's account cannot take it, give the money back at the shop and note it here."
        }
        Kind::Misfit => {
            "Its amount or currency is not that of the order. Refund it, or accept it: an amount in rupees then pays the booking."
        }
        Kind::Dispute => "Answer it in Razorpay's dashboard before the deadline, then note here what was answered.",
        Kind::Unmatched => "Compare it with Razorpay's dashboard, then note here what it is.",
    }
}
