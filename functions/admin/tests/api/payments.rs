//! Payments: the list, one payment, what does not match, and refunds.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::{ids::RefundId, payments::refunds, payments::settle, razorpay};
use sqlx::{PgConnection, PgPool};

use crate::{
    World,
    browser::{Browser, input},
};

/// Applies what Razorpay tells of a payment of a booking's order.
pub(crate) async fn tell(world: &World, booking: i64, id: &str, status: &str, more: &Value) {
    let order = format!("order_of_{booking}");
    sqlx::query(
        "insert into payments (booking_id, method, amount_paise, receipt, order_id, actor)
        select id, 'razorpay', total_paise, 'receipt_' || $2, $2, 'razorpay' from bookings where id = $1
        on conflict do nothing",
    )
    .bind(booking)
    .bind(&order)
    .execute(&world.pool)
    .await
    .unwrap();
    let mut payment = json!({
        "id": id, "order_id": order, "amount": 39_000, "currency": "INR", "status": status, "method": "upi",
        "vpa": "payer@bank", "email": "payer@example.com", "contact": "+919000090000"
    });
    payment.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let payment: razorpay::Payment = serde_json::from_value(payment).unwrap();
    let settle = async |connection: &mut PgConnection| settle(connection, &order, &[payment], &[]).await;
    world.database().transaction(settle).await.unwrap();
}

pub(crate) async fn cancel(world: &World, booking: i64) {
    let cancel = "update bookings set booking_status = 'cancelled' where id = $1";
    sqlx::query(cancel).bind(booking).execute(&world.pool).await.unwrap();
}

/// A booking whose second payment is queued for refund, which Razorpay refuses; returns the booking.
pub(crate) async fn failed_refund(world: &World) -> i64 {
    let booking = world.booked("10:00").await;
    tell(world, booking, "pay_1", "captured", &json!({})).await;
    tell(world, booking, "pay_2", "captured", &json!({})).await;
    let refund: i64 = sqlx::query_scalar("select id from refunds").fetch_one(&world.pool).await.unwrap();
    let give_up = async |connection: &mut PgConnection| refunds::give_up(connection, RefundId(refund)).await;
    world.database().transaction(give_up).await.unwrap();
    booking
}

/// Amount, state, way, reason and actor of each refund.
pub(crate) async fn refunds_of(world: &World) -> Value {
    let all = "select coalesce(json_agg(json_build_array(amount_paise, state, by_hand, reason, actor) order by id), '[]') from refunds";
    sqlx::query_scalar(all).fetch_one(&world.pool).await.unwrap()
}

pub(crate) async fn count(world: &World, table: &str) -> i64 {
    let count = match table {
        "refunds" => "select count(*) from refunds",
        "outbox" => "select count(*) from outbox where kind = 'refund'",
        _ => "select count(*) from accepted_mismatches",
    };
    sqlx::query_scalar(count).fetch_one(&world.pool).await.unwrap()
}

/// The path of the page that settles the only mismatch of a kind, and its subject.
pub(crate) async fn subject(world: &World, view: &str) -> i64 {
    let id = match view {
        "failed_refund" => "select refund_id from money_failed_refunds",
        "not_given_back" => "select capture_id from money_not_given_back",
        "misfit" => "select capture_id from money_misfits",
        "dispute" => "select dispute_row_id from money_disputes",
        "unmatched" => "select entry_id from money_unmatched",
        _ => "select booking_id from money_paid_without_capture",
    };
    sqlx::query_scalar(id).fetch_one(&world.pool).await.unwrap()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_file_says_what_was_received_given_back_and_kept(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let (online, cash) = (world.booked("10:00").await, world.booked("11:00").await);
    tell(&world, online, "pay_1", "captured", &json!({ "fee": 920 })).await;
    world.pay_cash(cash).await;
    let page = owner.get(&format!("/admin/bookings/{online}/refund/?amount=100")).await;
    let fields = [
        ("amount", "100.00"),
        ("reason", "Late"),
        ("shown", &input(&page, "shown")),
        ("form_key", &input(&page, "form_key")),
    ];
    assert_eq!(owner.submit(&format!("/admin/bookings/{online}/refund/"), &fields).await.status, 303);
    sqlx::query("update payments set created_at = '2026-11-02 04:30Z'").execute(&world.pool).await.unwrap();
    sqlx::query("update captures set captured_at = '2026-11-02 04:31Z'").execute(&world.pool).await.unwrap();
    let references: Vec<String> =
        sqlx::query_scalar("select reference from bookings order by id").fetch_all(&world.pool).await.unwrap();
    let file = owner.get("/admin/payments.csv?sort=id").await;
    let rows = [
        "ID,Booking,Amount,Currency,State,Method,Created,Received on,Received,Given back,Kept".to_owned(),
        format!(
            "1,{},390.00,INR,Paid,Online,2026-11-02 10:00:00,2026-11-02 10:01:00,390.00,100.00,290.00",
            references[0]
        ),
        format!("2,{},390.00,INR,Paid,Cash,2026-11-02 10:00:00,2026-11-02 10:01:00,390.00,0.00,390.00", references[1]),
    ];
    assert_eq!(file.text.trim_start_matches('\u{feff}').lines().collect::<Vec<_>>(), rows);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn scopes_filters_and_search_choose_payments(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let (paid, failed, cash) = (world.booked("10:00").await, world.booked("11:00").await, world.booked("12:00").await);
    tell(&world, paid, "pay_Abc1", "captured", &json!({})).await;
    tell(&world, failed, "pay_Xyz2", "failed", &json!({ "error_description": "Declined" })).await;
    world.pay_cash(cash).await;
    let reference: String = sqlx::query_scalar("select reference from bookings where id = $1")
        .bind(failed)
        .fetch_one(&world.pool)
        .await
        .unwrap();
    let spelt = reference.replace('-', "").to_lowercase();
    for (query, ids) in [
        ("", vec![1, 2, 3]),
        ("scope=failed", vec![2]),
        ("scope=cash", vec![3]),
        ("scope=online", vec![1, 2]),
        ("state=settled&method=razorpay", vec![1]),
        ("q=pay_abc1", vec![1]),
        ("q=xyz", vec![2]),
        ("q=order_of_1", vec![1]),
        (&format!("q={spelt}"), vec![2]),
        ("captured_from=2020-01-01", vec![1, 3]),
        ("captured_to=2020-01-01", vec![]),
        ("created_to=2020-01-01", vec![]),
    ] {
        let file = owner.get(&format!("/admin/payments.csv?sort=id&{query}")).await;
        let found: Vec<i64> =
            file.text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
        assert_eq!(found, ids, "{query}");
    }
    let file = owner.get(&format!("/admin/payments.csv?q={cash}&method=cash")).await;
    assert_eq!(file.text.lines().count(), 2, "by the number of the booking: {}", file.text);
    let page = owner.get("/admin/payments/?scope=failed").await;
    for part in [
        "All <span class=\"count\">3</span>",
        "Needs attention <span class=\"count\">0</span>",
        "Failed <span class=\"count\">1</span>",
        "Cash <span class=\"count\">1</span>",
        "Online <span class=\"count\">2</span>",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(page.text.contains(r#"<input type="hidden" name="scope" value="failed">"#), "{}", page.text);
    let page = owner.get("/admin/payments/?scope=attention").await;
    assert!(page.text.contains("Money and bookings match. There is nothing to do."), "{}", page.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_payment_explains_itself_and_names_no_address_of_the_payer(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    let booking = world.booked("10:00").await;
    let declined = json!({ "method": "card", "card": { "network": "Visa", "last4": "1007" }, "error_description": "<script>Declined" });
    tell(&world, booking, "pay_1", "failed", &declined).await;
    tell(&world, booking, "pay_2", "captured", &json!({ "fee": 920 })).await;
    let page = mechanic.get("/admin/payments/1/").await;
    for part in [
        "Card · Visa",
        "&lt;script&gt;Declined",
        "UPI",
        "₹9.20",
        "order_of_1",
        "receipt_order_of_1",
        "data-copy",
        "John &lt;script&gt;",
        "Attempts to pay",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    for secret in ["payer@", "+9190000", "1007", "<script>Declined", "Ask Razorpay now"] {
        assert!(!page.text.contains(secret), "{secret}");
    }
    assert_eq!(mechanic.submit("/admin/payments/1/ask/", &[]).await.status, 403);
    let page = owner.submitted("/admin/payments/1/ask/", &[]).await;
    assert!(page.text.contains("Razorpay will be asked within a minute"), "{}", page.text);
    let is_asked = "select ask_at > checked_at from payments";
    assert!(sqlx::query_scalar::<_, bool>(is_asked).fetch_one(&world.pool).await.unwrap());
    assert_eq!(owner.submit("/admin/payments/99/ask/", &[]).await.status, 404);
    assert_eq!(owner.get("/admin/payments/99/").await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_refund_shows_where_the_money_goes_and_is_made_once(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.booked("10:00").await;
    tell(&world, booking, "pay_1", "captured", &json!({})).await;
    let path = format!("/admin/bookings/{booking}/refund/");
    let page = owner.get(&path).await;
    assert!(page.text.contains("₹390.00 to the UPI payment of"), "{}", page.text);
    assert_eq!(input(&page, "amount"), "390.00", "all that is left");
    for (amount, sentence) in [
        ("390.01", "At most 390.00 can be refunded."),
        ("0.99", "Razorpay gives nothing back below 1.00."),
        ("much", "A valid amount"),
    ] {
        let page = owner.get(&format!("{path}?amount={amount}")).await;
        assert!(page.text.contains(sentence) && !page.text.contains("What goes back"), "{}", page.text);
    }
    let page = owner.get(&format!("{path}?amount=100")).await;
    let (key, shown) = (input(&page, "form_key"), input(&page, "shown"));
    let fields =
        |reason| [("amount", "100.00"), ("shown", shown.as_str()), ("form_key", key.as_str()), ("reason", reason)];
    let page = owner.submit(&path, &fields(" ")).await;
    assert!(page.status == 400 && page.text.contains("This field may not be blank."), "{}", page.text);
    let fields = fields("Scratched");
    let answers = join_all((0..6).map(|_| owner.submit(&path, &fields))).await;
    for answer in answers {
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, format!("/admin/bookings/{booking}/?done=refunded").as_str())
        );
    }
    let user: i64 = sqlx::query_scalar("select id from users").fetch_one(&world.pool).await.unwrap();
    assert_eq!(refunds_of(&world).await, json!([[10_000, "queued", null, "Scratched", format!("staff:user-{user}")]]));
    assert_eq!(count(&world, "outbox").await, 1);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_refund_of_cash_is_handed_out_and_leaves_the_drawer(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.booked("10:00").await;
    world.pay_cash(booking).await;
    tell(&world, booking, "pay_1", "captured", &json!({ "method": "card" })).await;
    let give_up = async |connection: &mut PgConnection| refunds::give_up(connection, RefundId(1)).await;
    world.database().transaction(give_up).await.unwrap();
    let path = format!("/admin/bookings/{booking}/refund/");
    let page = owner.get(&format!("{path}?amount=500")).await;
    for part in ["₹390.00 to the card payment of", "₹110.00 in cash: hand it out", "Refund ₹500.00", "₹780.00"]
    {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let fields = [
        ("amount", "500.00"),
        ("shown", &input(&page, "shown")),
        ("form_key", &input(&page, "form_key")),
        ("reason", "Sorry"),
    ];
    assert_eq!(owner.submit(&path, &fields).await.status, 303);
    let moved = "select json_agg(amount_paise order by id) from cash_movements";
    let moved: Value = sqlx::query_scalar(moved).fetch_one(&world.pool).await.unwrap();
    assert_eq!(moved, json!([39_000, -11_000]));
    assert_eq!(owner.get("/admin/bookings/99/refund/").await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_refund_that_would_go_elsewhere_than_shown_is_not_made(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    failed_refund(&world).await;
    let page = owner.get("/admin/bookings/1/refund/?amount=500").await;
    assert!(
        page.text.contains("₹390.00 to the UPI payment") && page.text.contains("₹110.00 to the UPI payment"),
        "{}",
        page.text
    );
    let shown = input(&page, "shown");
    sqlx::query("update captures set refunded_paise = 5000 where id = 2").execute(&world.pool).await.unwrap();
    let fields =
        [("amount", "500.00"), ("shown", &shown), ("form_key", &input(&page, "form_key")), ("reason", "Sorry")];
    let page = owner.submit("/admin/bookings/1/refund/", &fields).await;
    assert_eq!(page.status, 409, "{}", page.text);
    for part in
        ["Nothing was refunded: where the money goes has changed.", "₹340.00 to the UPI payment", "₹160.00 to", "Sorry"]
    {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert_eq!(count(&world, "refunds").await, 1);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn giving_money_back_needs_a_fresh_proof(pool: PgPool) {
    let world = World::new(pool).await;
    let owner: Browser = world.owner().await;
    failed_refund(&world).await;
    let age = "update panel_sessions set created_at = now() - interval '15 minutes 1 second'";
    sqlx::query(age).execute(&world.pool).await.unwrap();
    for path in ["/admin/payments/settle/again/", "/admin/payments/settle/by-hand/", "/admin/bookings/1/refund/"] {
        let answer = owner.submit(path, &[("kind", "failed_refund"), ("subject", "1")]).await;
        assert!(answer.status == 303 && answer.header("location").contains("again=true"), "{path}");
    }
    assert_eq!(count(&world, "refunds").await, 1);
}
