//! Verification: a payment reported by the browser counts only if Razorpay confirms it.

use razorpay_stand_in::{Checkout, Outcome};
use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;

use crate::{CREATE, World};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_can_be_verified_repeatedly(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Authorized);
    for _ in 0..3 {
        let answer = world.verify(&checkout).await;
        assert_eq!(
            (answer.status, &answer.body["data"]),
            (200, &json!({ "booking_id": 1, "payment_status": "completed" }))
        );
    }
    assert_eq!(world.razorpay.payment(&checkout.payment_id).unwrap()["status"], "captured");
    assert_eq!(world.facts().await, json!(["completed", "razorpay", 75010, 0, ["paid"]]));
    let paid = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((paid.status, &paid.body["code"]), (409, &json!("ALREADY_PAID")));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unsigned_or_unconfirmed_payment_pays_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let good = world.razorpay.checkout(&order, Outcome::Captured);
    let with = |order_id: &str, payment_id: &str, signature: &str| Checkout {
        order_id: order_id.to_owned(),
        payment_id: payment_id.to_owned(),
        signature: signature.to_owned(),
    };
    let unknown = world.verify(&with("order_none", &good.payment_id, &good.signature)).await;
    assert_eq!((unknown.status, &unknown.body["message"]), (404, &json!("Payment record not found")));
    let signed =
        |payment: &str| razorpay_stand_in::sign(razorpay_stand_in::KEY_SECRET, format!("{order}|{payment}").as_bytes());
    for forged in [
        with(&order, &good.payment_id, &good.signature.replace('a', "b").replace('1', "2")),
        with(&order, &good.payment_id, "x"),
        with(&order, "pay_another000000", &good.signature),
        with(&order, "pay_unknown000000", &signed("pay_unknown000000")),
    ] {
        let answer = world.verify(&forged).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("INVALID_SIGNATURE")), "{}", answer.text);
        assert_eq!(answer.body["message"], "Invalid payment signature");
    }
    world.razorpay.change_payment(&good.payment_id, |payment| payment["amount"] = json!(100));
    for _ in 0..2 {
        let answer = world.verify(&good).await;
        assert_eq!((answer.status, &answer.body["code"]), (409, &json!("PAYMENT_MISMATCH")), "another amount");
    }
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, ["payment_mismatch"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_pays_only_the_order_that_it_was_made_for(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.book().await;
    let other = world.client.post(CREATE, &json!({ "booking_id": 2 })).await;
    let other = other.body["data"]["order_id"].as_str().unwrap();
    let paid = world.razorpay.checkout(other, Outcome::Captured);
    // Even a valid signature is not enough: Razorpay must confirm the payment for this order.
    let signature =
        razorpay_stand_in::sign(razorpay_stand_in::KEY_SECRET, format!("{order}|{}", paid.payment_id).as_bytes());
    for signature in [signature, paid.signature.clone()] {
        let swapped = Checkout { order_id: order.clone(), payment_id: paid.payment_id.clone(), signature };
        assert_eq!(world.verify(&swapped).await.body["code"], "INVALID_SIGNATURE");
    }
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, []]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_failed_or_unfinished_payment_is_not_verified(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    for outcome in [Outcome::Failed, Outcome::Created] {
        let checkout = world.razorpay.checkout(&order, outcome);
        let signature = razorpay_stand_in::sign(
            razorpay_stand_in::KEY_SECRET,
            format!("{order}|{}", checkout.payment_id).as_bytes(),
        );
        let answer = world.verify(&Checkout { signature, ..checkout }).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("INVALID_SIGNATURE")), "{outcome:?}");
    }
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, []]));
}
