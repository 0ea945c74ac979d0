//! Money that does not match: given back again, by hand, or left as it is.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::{payments::refunds, razorpay};
use sqlx::{PgConnection, PgPool};

use crate::{
    World,
    browser::input,
    payments::{cancel, count, failed_refund, refunds_of, subject, tell},
};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_failed_refund_is_made_again_once_however_often_it_is_asked_for(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    failed_refund(&world).await;
    let list = owner.get("/admin/payments/?scope=attention").await;
    for part in [
        "A refund has failed",
        "Needs attention <span class=\"count\">2</span>",
        "Refund ₹390.00 again",
        "John &lt;script&gt;",
    ] {
        assert!(list.text.contains(part), "{part}: {}", list.text);
    }
    let subject = subject(&world, "failed_refund").await.to_string();
    let keys: Vec<String> = (0..8).map(|number| format!("{number:032}")).collect();
    let send = async |key: &String| {
        let fields = [("kind", "failed_refund"), ("subject", subject.as_str()), ("form_key", key.as_str())];
        owner.submit("/admin/payments/settle/again/", &fields).await
    };
    let answers = join_all(keys.iter().map(send)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1, "one of many people");
    for answer in answers.iter().filter(|answer| answer.status != 303) {
        assert_eq!(answer.status, 409);
        assert!(answer.text.contains("Another user has settled this meanwhile. Nothing was done."), "{}", answer.text);
    }
    let states: Value =
        sqlx::query_scalar("select json_agg(json_build_array(amount_paise, state) order by id) from refunds")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!(states, json!([[39_000, "failed"], [39_000, "queued"]]));
    let list = owner.get("/admin/payments/?scope=attention").await;
    assert!(list.text.contains("Needs attention <span class=\"count\">0</span>"), "{}", list.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn money_given_back_by_hand_is_noted_and_never_more_than_was_paid(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.booked("10:00").await;
    tell(&world, booking, "pay_1", "captured", &json!({})).await;
    cancel(&world, booking).await;
    let id = subject(&world, "not_given_back").await;
    let page = owner.get(&format!("/admin/payments/settle/?kind=not_given_back&subject={id}")).await;
    assert!(page.text.contains("At most ₹390.00."), "{}", page.text);
    let (id, path) = (id.to_string(), "/admin/payments/settle/by-hand/");
    let send = async |amount: &str, by: &str, proof: &str, key: char| {
        let key = key.to_string().repeat(32);
        let fields = [
            ("kind", "not_given_back"),
            ("subject", &id),
            ("amount", amount),
            ("by", by),
            ("proof", proof),
            ("form_key", &key),
        ];
        owner.submit(path, &fields).await
    };
    for (amount, by, proof, sentence) in [
        ("390.01", "cash", "Signed", "At most 390.00 can be given back."),
        ("1.00", "stamps", "Signed", "Choose cash or a bank transfer."),
        ("1.00", "cash", " ", "This field may not be blank."),
        ("", "cash", "Kept text", "This field may not be blank."),
    ] {
        let page = send(amount, by, proof, 'a').await;
        assert!(page.status == 400 && page.text.contains(sentence), "{} {}", page.status, page.text);
        assert_eq!(input(&page, "proof"), proof);
    }
    let answer = send("90.00", "transfer", "UTR 123", 'b').await;
    assert_eq!((answer.status, answer.header("location")), (303, "/admin/payments/1/?done=by-hand"));
    assert_eq!(send("90.00", "transfer", "UTR 123", 'b').await.status, 303, "sent twice");
    let page = owner.get("/admin/payments/1/?done=by-hand").await;
    for part in ["Noted. The amount counts as given back.", "By hand, bank transfer", "UTR 123", "₹300.00"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    // Many at once for the rest: together no more than what is left.
    let amounts = join_all("cdefghij".chars().map(|key| send("100.00", "cash", "Signed", key))).await;
    assert_eq!(amounts.iter().filter(|answer| answer.status == 303).count(), 3);
    let facts: Value = sqlx::query_scalar(
        "select json_build_array((select refunded_paise from captures), (select payment_status from bookings),
            (select sum(amount_paise) from cash_movements), (select count(*) from outbox where kind = 'refund'),
            (select json_agg(event order by id) from booking_events where event <> 'created'))",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    let events =
        ["paid"].into_iter().chain(["refund_requested", "refunded"].into_iter().cycle().take(8)).collect::<Vec<_>>();
    assert_eq!(facts, json!([39_000, "refunded", -30_000, 0, events]));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_refund_that_razorpay_reports_after_one_by_hand_is_counted_up_to_the_payment(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.booked("10:00").await;
    tell(&world, booking, "pay_1", "captured", &json!({})).await;
    cancel(&world, booking).await;
    let id = subject(&world, "not_given_back").await.to_string();
    let fields = [
        ("kind", "not_given_back"),
        ("subject", id.as_str()),
        ("amount", "390.00"),
        ("by", "cash"),
        ("proof", "Signed"),
        ("form_key", "0123456789abcdef0123456789abcdef"),
    ];
    assert_eq!(owner.submit("/admin/payments/settle/by-hand/", &fields).await.status, 303);
    let told: razorpay::Refund = serde_json::from_value(json!({
        "id": "rfnd_1", "payment_id": "pay_1", "amount": 39_000, "status": "processed", "receipt": null
    }))
    .unwrap();
    let record = async |connection: &mut PgConnection| refunds::record(connection, &told).await;
    assert_eq!(world.database().transaction(record).await.unwrap(), refunds::Told::News);
    let refunded: i64 = sqlx::query_scalar("select refunded_paise from captures").fetch_one(&world.pool).await.unwrap();
    assert_eq!((refunded, count(&world, "refunds").await), (39_000, 2));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_mismatch_is_left_as_it_is_with_a_reason_and_by_name(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    failed_refund(&world).await;
    let list = mechanic.get("/admin/payments/?scope=attention").await;
    assert!(list.text.contains("A refund has failed") && !list.text.contains("settle/"), "{}", list.text);
    assert!(!list.text.contains("Download CSV"), "staff may not have the file");
    for kind in ["failed_refund", "not_given_back"] {
        let id = subject(&world, kind).await.to_string();
        let fields = |reason| {
            [
                ("kind", kind),
                ("subject", id.as_str()),
                ("reason", reason),
                ("form_key", "0123456789abcdef0123456789abcdef"),
            ]
        };
        assert_eq!(mechanic.submit("/admin/payments/settle/accept/", &fields("x")).await.status, 403);
        assert_eq!(owner.submit("/admin/payments/settle/accept/", &fields("")).await.status, 400);
        let page = owner.submitted("/admin/payments/settle/accept/", &fields("Agreed <b>by phone")).await;
        assert!(
            page.text.contains("Left as it is.") && page.text.contains("Agreed &lt;b&gt;by phone"),
            "{}",
            page.text
        );
        let again = [
            ("kind", kind),
            ("subject", id.as_str()),
            ("reason", "Another"),
            ("form_key", "1123456789abcdef0123456789abcdef"),
        ];
        assert_eq!(owner.submit("/admin/payments/settle/accept/", &again).await.status, 303, "the first reason stays");
    }
    assert_eq!(count(&world, "accepted").await, 2);
    let compared = shared::payments::mismatches::count(&world.pool).await.unwrap();
    assert_eq!((compared.failed_refunds, compared.not_given_back), (0, 0));
    let page = owner.get("/admin/payments/settle/?kind=failed_refund&subject=1").await;
    assert!(page.text.contains("There is nothing to settle here."), "{}", page.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_paid_without_money_can_only_be_left_as_it_is(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.booked("10:00").await;
    sqlx::query("update bookings set payment_status = 'completed'").execute(&world.pool).await.unwrap();
    let page = owner.get(&format!("/admin/payments/settle/?kind=paid_without_money&subject={booking}")).await;
    assert!(page.text.contains("no money is recorded") && !page.text.contains("Refund again"), "{}", page.text);
    let id = booking.to_string();
    let fields = [
        ("kind", "paid_without_money"),
        ("subject", &id),
        ("reason", "Paid by cheque"),
        ("form_key", &input(&page, "form_key")),
    ];
    let answer = owner.submit("/admin/payments/settle/accept/", &fields).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/admin/payments/?scope=attention&done=accepted"));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_refund_that_is_no_longer_tried_is_given_up_and_made_again(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.booked("10:00").await;
    tell(&world, booking, "pay_1", "captured", &json!({})).await;
    tell(&world, booking, "pay_2", "captured", &json!({})).await;
    sqlx::query("update refunds set created_at = now() - interval '9 days'").execute(&world.pool).await.unwrap();
    let page = owner.get("/admin/payments/settle/?kind=failed_refund&subject=1").await;
    assert!(page.text.contains("has not taken this refund so far"), "{}", page.text);
    let fields = [("kind", "failed_refund"), ("subject", "1"), ("why", ""), ("form_key", &input(&page, "form_key"))];
    assert_eq!(owner.submit("/admin/payments/settle/again/", &fields).await.status, 303);
    let user: i64 = sqlx::query_scalar("select id from users").fetch_one(&world.pool).await.unwrap();
    assert_eq!(
        refunds_of(&world).await,
        json!([
            [39_000, "failed", null, "paid twice", "system"],
            [39_000, "queued", null, "refunded again", format!("staff:user-{user}")],
        ])
    );
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn misfits_disputes_and_what_has_no_row_are_listed_and_settled(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.booked("10:00").await;
    tell(&world, booking, "pay_1", "captured", &json!({ "amount": 40_000 })).await;
    sqlx::raw_sql(
        "insert into disputes (dispute_id, gateway_payment_id, amount_paise, status, respond_by)
        values ('disp_1', 'pay_1', 40000, 'open', '2026-12-05 06:30Z');
        insert into unmatched_entries (entity_id, kind, amount_paise, reason) values ('pay_9', 'payment', 100, 'elsewhere')",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let list = owner.get("/admin/payments/?scope=attention").await;
    for part in [
        "Needs attention <span class=\"count\">3</span>",
        "This payment does not fit its order",
        "Refund ₹400.00",
        "The customer's bank wants this payment back",
        "Answer by",
        "pay_9: elsewhere",
    ] {
        assert!(list.text.contains(part), "{part}: {}", list.text);
    }
    let settle = async |kind: &str, act: &str, key: char| {
        let (id, key) = (subject(&world, kind).await.to_string(), key.to_string().repeat(32));
        let fields = [("kind", kind), ("subject", &id), ("reason", "Agreed"), ("why", "x"), ("form_key", &key)];
        owner.submit(&format!("/admin/payments/settle/{act}/"), &fields).await.status
    };
    assert_eq!(settle("dispute", "again", 'a').await, 404, "the dispute gives it back");
    for (kind, key) in [("dispute", 'b'), ("unmatched", 'c'), ("misfit", 'd')] {
        assert_eq!(settle(kind, "accept", key).await, 303, "{kind}");
    }
    let facts: Value = sqlx::query_scalar(
        "select json_build_array((select payment_status from bookings), (select pays_booking from captures),
            (select count(*) from accepted_mismatches))",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(facts, json!(["completed", true, 3]));
    let list = owner.get("/admin/payments/?scope=attention").await;
    assert!(list.text.contains("Needs attention <span class=\"count\">0</span>"), "{}", list.text);
}
