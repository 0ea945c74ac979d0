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
    disputes: Vec<Dispute>,
    unmatched: i64,
    misfits: Vec<i64>,
    events: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Dispute {
    dispute_id: String,
    gateway_payment_id: String,
    status: String,
    deducted_paise: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Capture {
    id: i64,
    gateway_payment_id: Option<String>,
    state: String,
    amount_paise: i64,
    pays_booking: bool,
    refunded_paise: i64,
    fits: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Refund {
    id: i64,
    capture_id: i64,
    state: String,
    amount_paise: i64,
    refund_id: Option<String>,
    by_hand: Option<String>,
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
        // Disputes by this Razorpay's payments, because one may be told before its payment.
        let payments: Vec<String> =
            world.razorpay.payments().iter().map(|payment| payment["id"].as_str().unwrap().to_owned()).collect();
        let books: Value = sqlx::query_scalar(
            "select json_build_object('booking_status', booking_status, 'payment_status', payment_status,
                'captures', (select coalesce(json_agg(captures order by id), '[]') from captures
                    where booking_id = bookings.id),
                'refunds', (select coalesce(json_agg(refunds order by id), '[]') from refunds
                    where booking_id = bookings.id),
                'disputes', (select coalesce(json_agg(disputes order by id), '[]') from disputes
                    where gateway_payment_id = any($2)),
                'unmatched', (select count(*) from unmatched_entries where booking_id = bookings.id),
                'misfits', (select coalesce(json_agg(capture_id order by capture_id), '[]') from money_misfits
                    where booking_id = bookings.id),
                'events', (select coalesce(json_agg(event order by id), '[]') from booking_events
                    where booking_id = bookings.id))
            from bookings where id = $1",
        )
        .bind(booking)
        .bind(payments)
        .fetch_one(&world.pool)
        .await
        .unwrap();
        serde_json::from_value(books).unwrap()
    }

    /// Holds after every round: no state moves back, nothing counts twice, and refunds do not exceed payments.
    pub(super) fn check_since(&self, before: &Self, world: &World) -> Result<(), TestCaseError> {
        // A booking that was refunded in full can be paid again.
        let is_paid_again = before.payment_status == "refunded" && self.payment_status == "completed";
        prop_assert!(is_paid_again || rank(&self.payment_status) >= rank(&before.payment_status), "{:#?}", self);
        for capture in &before.captures {
            let now = self.captures.iter().find(|now| now.id == capture.id).unwrap();
            prop_assert!(capture_rank(&now.state) >= capture_rank(&capture.state), "{:#?}", self);
            let is_back = now.refunded_paise == now.amount_paise;
            prop_assert!(now.pays_booking || !capture.pays_booking || is_back, "{:#?}", self);
        }
        for refund in &before.refunds {
            let now = self.refunds.iter().find(|now| now.id == refund.id).unwrap();
            prop_assert!(may_follow(refund, now), "{:?} became {:?}", refund, now);
        }
        let paid = self.count("paid");
        let is_paid = self.payment_status != "pending";
        prop_assert_eq!(paid > 0, is_paid, "{:#?}", self);
        let given_back = self.captures.iter().filter(|capture| capture.refunded_paise == capture.amount_paise).count();
        prop_assert!(paid <= 1 + given_back, "paid again without a whole refund: {:#?}", self);
        prop_assert_eq!(self.captures.iter().filter(|capture| capture.pays_booking).count(), usize::from(is_paid));
        for capture in &self.captures {
            let back: i64 = self.refunds_of(capture, |refund| refund.state == "processed");
            prop_assert!(
                // The same money may be given back by hand and in the dashboard.
                back.min(capture.amount_paise) <= capture.refunded_paise
                    && capture.refunded_paise <= capture.amount_paise,
                "{:#?}",
                self
            );
        }
        prop_assert!(world.razorpay.orders().len() <= 1 + paid, "more orders than were needed");
        Ok(())
    }

    fn count(&self, event: &str) -> usize {
        self.events.iter().filter(|other| *other == event).count()
    }

    fn refunds_of(&self, capture: &Capture, which: impl Fn(&Refund) -> bool) -> i64 {
        let refunds = self.refunds.iter().filter(|refund| refund.capture_id == capture.id && which(refund));
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
                let is_at_razorpay = |refund: &Refund| refund.state == "processed" && refund.by_hand.is_none();
                let back = self.refunds_of(capture, is_at_razorpay);
                Some((capture.gateway_payment_id.clone()?, (capture.amount_paise, back)))
            })
            .collect();
        prop_assert_eq!(&written, &captured, "captured and refunded: here, and at Razorpay; {:#?}", self);
        for capture in &self.captures {
            let back = self.refunds_of(capture, |refund| refund.state == "processed").min(capture.amount_paise);
            prop_assert_eq!(capture.refunded_paise, back, "{:#?}", self);
            let left = capture.amount_paise - back;
            let must_go_back = capture.state == "captured"
                && capture.gateway_payment_id.is_some()
                && (capture.fits || capture.pays_booking)
                && (!capture.pays_booking || self.booking_status == "cancelled");
            // Razorpay gives nothing back below 1.00.
            prop_assert!(!must_go_back || left < 100, "owed: {:#?}", self);
            if capture.state == "captured" && !capture.fits && !capture.pays_booking && left > 0 {
                prop_assert!(self.misfits.contains(&capture.id), "a misfit that is not listed: {:#?}", self);
            }
        }
        self.compare_disputes(world)?;
        prop_assert_eq!(self.unmatched, 0, "{:#?}", self);
        prop_assert!(self.refunds.iter().all(|refund| ["processed", "failed"].contains(&refund.state.as_str())));
        let paying = self.captures.iter().find(|capture| capture.pays_booking);
        let expected = match paying {
            None => "pending",
            Some(capture) if capture.refunded_paise == capture.amount_paise => "refunded",
            Some(_) => "completed",
        };
        prop_assert_eq!(&self.payment_status, expected, "{:#?}", self);
        let has_fitting = self.captures.iter().any(|capture| capture.state == "captured" && capture.fits);
        prop_assert!(!has_fitting || paying.is_some(), "money that pays nothing: {:#?}", self);
        let misfits = self.captures.iter().filter(|capture| capture.state == "captured" && !capture.fits).count();
        prop_assert_eq!(self.count("payment_mismatch"), misfits, "{:#?}", self);
        Ok(())
    }

    fn compare_disputes(&self, world: &World) -> Result<(), TestCaseError> {
        let told: BTreeMap<String, (String, i64)> = world
            .razorpay
            .disputes()
            .iter()
            .map(|dispute| {
                let text = |name: &str| dispute[name].as_str().unwrap().to_owned();
                (text("id"), (text("status"), number(dispute, "amount_deducted")))
            })
            .collect();
        let written: BTreeMap<String, (String, i64)> = self
            .disputes
            .iter()
            .map(|dispute| (dispute.dispute_id.clone(), (dispute.status.clone(), dispute.deducted_paise)))
            .collect();
        prop_assert_eq!(&written, &told, "disputes: here, and at Razorpay; {:#?}", self);
        let ended = told.values().filter(|(status, _)| status != "open").count();
        prop_assert_eq!((self.count("disputed"), self.count("dispute_ended")), (told.len(), ended), "{:#?}", self);
        Ok(())
    }
}
