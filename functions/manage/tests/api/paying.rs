//! Paying a booking by its link, on the page of Razorpay's stand-in.

use razorpay_stand_in::Outcome;
use serde_json::json;
use shared::bookings::links::Scope;
use sqlx::PgPool;

use crate::{World, input};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_is_paid_on_razorpay_s_page_which_leads_back(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Pay).await;
    let page = world.client.submit(&format!("{link}pay/"), &[]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let action = format!("action=\"{}/v1/checkout/embedded\"", world.razorpay.url());
    assert!(page.text.contains(&action), "{}", page.text);
    let policy = page.header("content-security-policy").to_owned();
    assert!(
        policy.ends_with(&format!("form-action 'self' {} https://*.razorpay.com", world.razorpay.url())),
        "{policy}"
    );
    let order_id = input(&page, "order_id");
    assert_eq!(input(&page, "amount"), "39000");
    assert_eq!(input(&page, "key_id"), razorpay_stand_in::KEY_ID);
    assert_eq!(input(&page, "callback_url"), format!("http://api.example{link}paid/"));
    let again = world.client.submit(&format!("{link}pay/"), &[]).await;
    assert_eq!(input(&again, "order_id"), order_id, "one order, however often it is asked for");
    assert_eq!(world.value::<i64>("select count(*) from payments").await, 1);

    // Razorpay's page is another site, and its form says so.
    let from_razorpay = world.client.with("Sec-Fetch-Site", "cross-site").with("Origin", "https://api.razorpay.com");
    let checkout = world.razorpay.checkout(&order_id, Outcome::Captured);
    let (paid, forged) = (
        [
            ("razorpay_order_id", checkout.order_id.as_str()),
            ("razorpay_payment_id", &checkout.payment_id),
            ("razorpay_signature", &checkout.signature),
        ],
        [
            ("razorpay_order_id", checkout.order_id.as_str()),
            ("razorpay_payment_id", &checkout.payment_id),
            ("razorpay_signature", "00"),
        ],
    );
    let path = format!("{link}paid/");
    for fields in [&forged[..], &[("error[code]", "BAD_REQUEST_ERROR")], &[]] {
        let unpaid = from_razorpay.submit(&path, fields).await;
        assert_eq!((unpaid.status, unpaid.header("location")), (303, format!("{link}?done=unpaid").as_str()));
        let page = world.client.get(unpaid.header("location")).await;
        assert!(page.text.contains("The payment has not arrived."), "{}", page.text);
    }
    let typed = world.client.get(&format!("{link}?done=paid")).await;
    assert!(typed.text.contains("The payment has not arrived."), "the address of a page proves no payment");
    assert_eq!(world.state().await[4], "pending");
    for _ in 0..2 {
        let back = from_razorpay.submit(&path, &paid).await;
        assert_eq!(
            (back.status, back.header("location")),
            (303, format!("{link}?done=paid").as_str()),
            "{}",
            back.text
        );
    }
    assert_eq!(world.state().await[4], "completed");
    assert_eq!(world.events().await, json!(["created", "paid"]));
    let page = world.client.get(&format!("{link}?done=paid")).await;
    assert!(page.text.contains("The payment has arrived.") && !page.text.contains("/pay/\""), "{}", page.text);
    assert_eq!(world.client.submit(&format!("{link}pay/"), &[]).await.status, 303, "there is nothing left to pay");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn nothing_is_paid_while_online_payment_is_disabled_or_the_booking_cancelled(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let disabled = world.changed(|app| app.payments.are_enabled = false);
    let page = disabled.get(&link).await;
    assert!(
        page.text.contains("Pay at the shop when the work is done") && !page.text.contains("/pay/"),
        "{}",
        page.text
    );
    let refused = disabled.submit(&format!("{link}pay/"), &[]).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("Online payment is not available just now."), "{}", refused.text);
    world.run("update bookings set booking_status = 'cancelled'").await;
    assert_eq!(world.client.submit(&format!("{link}pay/"), &[]).await.status, 303);
    assert_eq!(world.value::<i64>("select count(*) from payments").await, 0);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_cancelled_booking_that_was_paid_by_its_link_is_queued_for_refund(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let page = world.client.submit(&format!("{link}pay/"), &[]).await;
    assert_eq!(input(&page, "prefill[contact]"), crate::PHONE);
    let checkout = world.razorpay.checkout(&input(&page, "order_id"), Outcome::Captured);
    let fields = [
        ("razorpay_order_id", checkout.order_id.as_str()),
        ("razorpay_payment_id", &checkout.payment_id),
        ("razorpay_signature", &checkout.signature),
    ];
    assert_eq!(world.client.submit(&format!("{link}paid/"), &fields).await.status, 303);
    let page = world.client.get(&format!("{link}cancel/")).await;
    assert!(page.text.contains("What you paid online goes back to you"), "{}", page.text);
    let version = input(&page, "version");
    assert_eq!(world.client.submit(&format!("{link}cancel/"), &[("version", &version)]).await.status, 303);
    let queued = "select sum(amount_paise)::bigint from refunds where state = 'queued'";
    assert_eq!(world.value::<i64>(queued).await, 39_000);
}
