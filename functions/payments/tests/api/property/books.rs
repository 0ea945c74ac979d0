//! Our records of a booking's money, compared with Razorpay's.

use std::collections::BTreeMap;

use proptest::{prelude::*, test_runner::TestCaseError};
use serde::Deserialize;
use serde_json::Value;

use crate::World;

/// All records of a booking's money.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Books {
    booking_status: String,
    payment_status: String,
    captures: Vec<Capture>,
    refunds: Vec<Refund>,
    events: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Capture {
    id: i64,
    gateway_payment_id: Option<String>,
    state: String,
    amount_paise: i64,
    pays_booking: bool,
    refunded_paise: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Refund {
    id: i64,
    capture_id: i64,
    state: String,
    amount_paise: i64,
    refund_id: Option<String>,
}

/// The order of payment states; a state never moves back.
fn rank(state: &str) -> usize {
    ["pending", "completed", "refunded"].iter().position(|other| *other == state).unwrap()
}

fn capture_rank(state: &str) -> usize {
    ["failed", "authorized", "captured"].iter().position(|other| *other == state).unwrap()
}

/// Razorpay may still make a refund that was given up here; no other state moves back.
fn may_follow(before: &Refund, after: &Refund) -> bool {
    match (before.state.as_str(), after.state.as_str()) {
        (before, after) if before == after => true,
        ("queued", _) | ("pending", "processed" | "failed") => true,
        ("failed", "pending" | "processed") => before.refund_id.is_none(),
        _ => false,
    }
}

fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap()
}

impl Books {
    pub(super) async fn of(world: &World, booking: i64) -> Self {
        let books: Value = sqlx::query_scalar(
            "select json_build_object('booking_status', booking_status, 'payment_status', payment_status,
                'captures', (select coalesce(json_agg(captures order by id), '[]') from captures
                    where booking_id = bookings.id),
                'refunds', (select coalesce(json_agg(refunds order by id), '[]') from refunds
                    where booking_id = bookings.id),
                'events', (select coalesce(json_agg(event order by id), '[]') from booking_events
                    where booking_id = bookings.id))
            from bookings where id = $1",
        )
        .bind(booking)
        .fetch_one(&world.pool)
        .await
        .unwrap();
        serde_json::from_value(books).unwrap()
    }

    /// Holds after every round: no state moves back, nothing counts twice, and refunds do not exceed payments.
    pub(super) fn check_since(&self, before: &Self, world: &World) -> Result<(), TestCaseError> {
        prop_assert!(rank(&self.payment_status) >= rank(&before.payment_status), "{:#?}", self);
        for capture in &before.captures {
            let now = self.captures.iter().find(|now| now.id == capture.id).unwrap();
            prop_assert!(capture_rank(&now.state) >= capture_rank(&capture.state), "{:#?}", self);
            prop_assert!(now.pays_booking || !capture.pays_booking, "{:#?}", self);
        }
        for refund in &before.refunds {
            let now = self.refunds.iter().find(|now| now.id == refund.id).unwrap();
            prop_assert!(may_follow(refund, now), "{:?} became {:?}", refund, now);
        }
        let paid = self.events.iter().filter(|event| *event == "paid").count();
        let is_paid = self.payment_status != "pending";
        prop_assert_eq!(paid, usize::from(is_paid), "{:#?}", self);
        prop_assert_eq!(self.captures.iter().filter(|capture| capture.pays_booking).count(), usize::from(is_paid));
        for capture in &self.captures {
            let back: i64 = self.refunds_of(capture, |state| state == "processed");
            prop_assert!(
                back <= capture.refunded_paise && capture.refunded_paise <= capture.amount_paise,
                "{:#?}",
                self
            );
        }
        prop_assert!(world.razorpay.orders().len() <= 1, "more than one order at Razorpay");
        Ok(())
    }

    fn refunds_of(&self, capture: &Capture, which: impl Fn(&str) -> bool) -> i64 {
        let refunds = self.refunds.iter().filter(|refund| refund.capture_id == capture.id && which(&refund.state));
        refunds.map(|refund| refund.amount_paise).sum()
    }

    /// Holds at rest: Razorpay's captures and refunds equal our records, and no refund is owed.
    pub(super) fn compare(&self, world: &World) -> Result<(), TestCaseError> {
        let captured: BTreeMap<String, (i64, i64)> = world
            .razorpay
            .payments()
            .iter()
            .filter(|payment| payment["captured"] == true)
            .map(|payment| {
                let id = payment["id"].as_str().unwrap().to_owned();
                (id, (number(payment, "amount"), number(payment, "amount_refunded")))
            })
            .collect();
        let written: BTreeMap<String, (i64, i64)> = self
            .captures
            .iter()
            .filter(|capture| capture.state == "captured")
            .filter_map(|capture| {
                let back = self.refunds_of(capture, |state| state == "processed");
                Some((capture.gateway_payment_id.clone()?, (capture.amount_paise, back)))
            })
            .collect();
        prop_assert_eq!(&written, &captured, "captured and refunded: here, and at Razorpay; {:#?}", self);
        for capture in &self.captures {
            let back = self.refunds_of(capture, |state| state == "processed");
            prop_assert_eq!(capture.refunded_paise, back, "{:#?}", self);
            let must_go_back = capture.state == "captured"
                && capture.gateway_payment_id.is_some()
                && (!capture.pays_booking || self.booking_status == "cancelled");
            prop_assert!(!must_go_back || back == capture.amount_paise, "owed: {:#?}", self);
        }
        prop_assert!(self.refunds.iter().all(|refund| ["processed", "failed"].contains(&refund.state.as_str())));
        let paying = self.captures.iter().find(|capture| capture.pays_booking);
        let expected = match paying {
            None => "pending",
            Some(capture) if capture.refunded_paise == capture.amount_paise => "refunded",
            Some(_) => "completed",
        };
        prop_assert_eq!(&self.payment_status, expected, "{:#?}", self);
        prop_assert!(captured.is_empty() || paying.is_some(), "money that pays nothing: {:#?}", self);
        Ok(())
    }
}
