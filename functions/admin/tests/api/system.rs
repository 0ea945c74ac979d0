//! The state of what runs by itself.

use sqlx::PgPool;

use crate::{
    World,
    visits::{Visit, between, words},
};

async fn run(world: &World, sql: &str) {
    sqlx::raw_sql(sql).execute(&world.pool).await.unwrap();
}

const RUNS: &str = r#"insert into job_runs (job, started_at, ended_at, outcome) values
    ('deliver_outbox', now(), now(), '{"delivered": 2, "postponed": 0, "failed": 0, "oldest_seconds": 0}'),
    ('reconcile_payments', now(), now(), '{"asked": 1, "applied": 1, "refunds": 0}'),
    ('compare_settlements', now(), now(), '{"days": 4, "entries": 9, "unmatched": 1}'),
    ('sweep', now(), now(), '{"outbox": 1}')"#;

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_page_tells_of_jobs_messages_money_and_versions_in_plain_words(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    run(&world, RUNS).await;
    let page = owner.get("/admin/system/").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let main = words(between(&page.text, "<main", "</main>"));
    for sentence in [
        "Everything runs as it should.",
        "Sent 2, to be tried again 0, given up 0. On time",
        "Asked Razorpay about 1 order: 1 payment and 0 refunds had changed. On time",
        "Compared 4 days with 9 entries: 1 entry had no record here. On time",
        "Deleted 1 expired entry. On time",
        // That the password was set.
        "1 message waits, since",
        "No message has been given up.",
        "No way to send messages is set up, so customers hear nothing from here.",
        "0 refunds that failed",
    ] {
        assert!(main.contains(sentence), "{sentence}: {main}");
    }
    let newest = shared::database::MIGRATOR.iter().last().unwrap();
    let version = format!("Database {} {}", newest.version, newest.description);
    assert!(main.contains(&version), "{version}: {main}");
    assert!(!main.to_lowercase().contains("outbox") && !main.contains("capture"), "{main}");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn what_is_wrong_is_said_with_what_to_do(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let late = words(&owner.get("/admin/system/").await.text);
    assert_eq!(late.matches("has not run when it should have.").count(), 4, "no job has ever run: {late}");
    run(&world, RUNS).await;
    let booking = world.visit(Visit::default()).await;
    world.pay_online(booking, "2026-03-02 12:00").await;
    world.give_back(booking, 5_000, "2026-03-03 12:00").await;
    let lost = world.visit(Visit { day: "2026-03-09", ..Visit::default() }).await;
    run(
        &world,
        &format!(
            "update job_runs set started_at = now() - interval '3 minutes 1 second' where job = 'deliver_outbox';
            update job_runs set outcome = null, error = 'The service is away.' where job = 'sweep';
            update refunds set state = 'failed';
            update captures set refunded_paise = 0;
            update bookings set payment_status = 'completed' where id = {lost};
            update outbox set created_at = now() - interval '16 minutes';
            insert into message_channels (channel, place) values ('email', 2), ('whatsapp', 1);
            insert into messages (cause, channel, recipient, kind, language, booking_id, state, due_at, worthless_at)
            values ('x', 'email', 'asha@example.com', 'booking_paid', 'en', {booking}, 'failed', now(), now())"
        ),
    )
    .await;
    let page = owner.get("/admin/system/").await;
    let main = words(between(&page.text, "<main", "</main>"));
    for sentence in [
        "“Send messages and refunds” has not run when it should have. Tell the people who run the servers.",
        "“Delete what has expired” failed the last time.",
        "Failed: The service is away. Failed",
        "A message has been waiting for 16 minutes.",
        "Refunds failed: 1. Give the money back in another way, or ask again.",
        "Payments that do not match their bookings: 1. Look at each.",
        "Messages not delivered: 1. Send them again or tell the customers in another way.",
        "Customers hear by the first of these that reaches them: WhatsApp, E-mail.",
    ] {
        assert!(main.contains(sentence), "{sentence}: {main}");
    }
    assert!(page.text.contains("href=\"/admin/payments/?scope=attention\""));
    assert!(!main.contains("Everything runs"), "{main}");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_message_that_was_given_up_is_tried_again_once(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.visit(Visit::default()).await;
    world.pay_online(booking, "2026-03-02 12:00").await;
    world.give_back(booking, 5_000, "2026-03-03 12:00").await;
    run(&world, "update outbox set failed_at = now(), attempts = 170 where kind = 'refund'").await;
    let id: i64 =
        sqlx::query_scalar("select id from outbox where kind = 'refund'").fetch_one(&world.pool).await.unwrap();
    let page = owner.get("/admin/system/").await;
    let row = words(between(&page.text, "Messages that were not sent", "</tbody>"));
    assert!(row.contains("Refund of ₹50.00 RMB-7K3QX-00000") && row.contains("170 Try again"), "{row}");
    let path = format!("/admin/system/messages/{id}/retry/");
    let page = owner.submitted(&path, &[]).await;
    assert!(page.text.contains("It is sent again within a minute or two.") && !page.text.contains("Try again"));
    // Tried once: a refund that Razorpay has made is looked for before it is asked for again.
    let state = "select failed_at is null and due_at <= now() and attempts = 1 from outbox where id = $1";
    assert!(sqlx::query_scalar::<_, bool>(state).bind(id).fetch_one(&world.pool).await.unwrap());
    assert_eq!(owner.submit(&path, &[]).await.status, 404, "it is not given up any more");
    assert_eq!(owner.submit("/admin/system/messages/99999/retry/", &[]).await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_refund_that_razorpay_refused_is_not_offered_again(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.visit(Visit::default()).await;
    world.pay_online(booking, "2026-03-02 12:00").await;
    world.give_back(booking, 5_000, "2026-03-03 12:00").await;
    run(&world, "update outbox set failed_at = now() where kind = 'refund'; update refunds set state = 'failed'").await;
    let page = owner.get("/admin/system/").await;
    assert!(page.text.contains("Razorpay has refused it or it is done.") && !page.text.contains(">Try again<"));
}
