//! Steps that may happen to a booking and its money.

use proptest::{prelude::*, sample::Index};
use razorpay_stand_in::{DisputeOutcome, Outcome};
use shared::bookings::Actor;

/// One step. An index chooses among the checkouts or webhooks that exist by then.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Order,
    Checkout(Outcome),
    CheckoutAgain(Outcome),
    BankSays(Index, Outcome),
    Verify(Index),
    Webhook(Index),
    AllWebhooks {
        reversed: bool,
    },
    Reconcile,
    DeliverOutbox,
    Cancel(Actor),
    NextStatus,
    TakeCash,
    Refund {
        part: bool,
    },
    RefundInDashboard {
        part: bool,
    },
    /// Leaves a rest that Razorpay cannot give back, or all.
    RefundByHand {
        part: bool,
    },
    /// A payment of another amount than the order's, or larger by the fee that the customer bears.
    Misfit(Misfit),
    AcceptMisfit,
    Dispute(Index),
    EndDispute(Index, DisputeOutcome),
    RefundsTakeTime,
    TimePasses,
    Trouble(Call, Index, Trouble),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Misfit {
    Less,
    More,
    ByFee,
}

/// A call to Razorpay.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Orders,
    PaymentsOfOrder,
    Payment,
    Capture,
    Refund,
    Refunds,
}

/// The fault of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Closed,
    AnswerLost,
    ServerError,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let outcome =
        || prop::sample::select(vec![Outcome::Created, Outcome::Authorized, Outcome::Captured, Outcome::Failed]);
    let call = prop::sample::select(vec![
        Call::Orders,
        Call::PaymentsOfOrder,
        Call::Payment,
        Call::Capture,
        Call::Refund,
        Call::Refunds,
    ]);
    let dispute_outcome = prop::sample::select(vec![DisputeOutcome::Won, DisputeOutcome::Lost, DisputeOutcome::Closed]);
    let trouble = prop::sample::select(vec![Trouble::Closed, Trouble::AnswerLost, Trouble::ServerError]);
    prop_oneof![
        4 => Just(Step::Order),
        5 => outcome().prop_map(Step::Checkout),
        2 => outcome().prop_map(Step::CheckoutAgain),
        3 => (any::<Index>(), outcome()).prop_map(|(payment, outcome)| Step::BankSays(payment, outcome)),
        4 => any::<Index>().prop_map(Step::Verify),
        5 => any::<Index>().prop_map(Step::Webhook),
        2 => any::<bool>().prop_map(|reversed| Step::AllWebhooks { reversed }),
        4 => Just(Step::Reconcile),
        4 => Just(Step::DeliverOutbox),
        1 => Just(Step::Cancel(Actor::Customer)),
        1 => Just(Step::Cancel(Actor::Staff("desk".to_owned()))),
        1 => Just(Step::NextStatus),
        1 => Just(Step::TakeCash),
        3 => any::<bool>().prop_map(|part| Step::Refund { part }),
        1 => any::<bool>().prop_map(|part| Step::RefundInDashboard { part }),
        2 => any::<bool>().prop_map(|part| Step::RefundByHand { part }),
        2 => prop::sample::select(vec![Misfit::Less, Misfit::More, Misfit::ByFee]).prop_map(Step::Misfit),
        1 => Just(Step::AcceptMisfit),
        1 => any::<Index>().prop_map(Step::Dispute),
        1 => (any::<Index>(), dispute_outcome).prop_map(|(dispute, outcome)| Step::EndDispute(dispute, outcome)),
        1 => Just(Step::RefundsTakeTime),
        3 => Just(Step::TimePasses),
        4 => (call, any::<Index>(), trouble).prop_map(|(call, index, trouble)| Step::Trouble(call, index, trouble)),
    ]
}
