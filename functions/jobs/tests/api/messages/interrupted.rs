//! Killed, doubled and silenced: no person gets a message twice.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use messages_stand_in::{Channel, Fault, MailEvent, Outcome};
use serde_json::json;
use shared::{
    carriers,
    database::{Database, MIGRATOR},
    messages,
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{ALL, MAIL, SMS, Shop, WHATSAPP};

async fn kill_after_the_call(pool: PgPool, channel: Channel, path: &str) {
    let shop = Shop::new(pool, &[channel]).await;
    shop.write().await;
    shop.stand_in.spoil(path, Fault::delay(Duration::from_secs(4)));
    let taken = async {
        while shop.stand_in.taken().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        done = shop.send() => panic!("ended: {done}"),
        () = taken => {}
    }
    assert_eq!(shop.rows().await[0][2], "sending");
    assert_eq!(shop.send().await["unknown"], 0, "the lease holds");
    shop.advance(TimeDelta::minutes(2));
    assert_eq!(shop.send().await["unknown"], 1);
    shop.advance(TimeDelta::hours(3));
    shop.send().await;
    assert_eq!(shop.rows().await[0][2], "unknown");
    assert_eq!((shop.stand_in.taken().len(), shop.stand_in.calls(path)), (1, 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_killed_after_whatsapp_took_a_message_sends_it_never_again(pool: PgPool) {
    kill_after_the_call(pool, Channel::WhatsApp, WHATSAPP).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_killed_after_an_sms_was_taken_sends_it_never_again(pool: PgPool) {
    kill_after_the_call(pool, Channel::Sms, SMS).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_killed_after_a_mail_was_taken_sends_it_never_again(pool: PgPool) {
    kill_after_the_call(pool, Channel::Email, MAIL).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refusal_that_comes_after_the_lease_still_fails_the_message(pool: PgPool) {
    let shop = Shop::new(pool, &[Channel::WhatsApp]).await;
    shop.write().await;
    let claimed = messages::claim(&shop.pool, &carriers::Channel::ALL, 10, shop.time()).await.unwrap();
    shop.advance(TimeDelta::minutes(2));
    shop.send().await;
    let unknown = json!([["booking_created", "whatsapp", "unknown", "the job was cut short"]]);
    messages::not_known(&shop.pool, &claimed[0], "late", shop.time()).await.unwrap();
    assert_eq!(shop.rows().await, unknown);
    messages::dropped(&shop.pool, &claimed[0], "late", shop.time()).await.unwrap();
    assert_eq!(shop.rows().await, unknown);
    let mut connection = shop.pool.acquire().await.unwrap();
    let refusal = (carriers::Refusal::Other, "late");
    messages::refused(&mut connection, &claimed[0], refusal, shop.time()).await.unwrap();
    assert_eq!(shop.rows().await, json!([["booking_created", "whatsapp", "failed", "late"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_killed_before_the_call_leaves_a_message_unsent(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.write().await;
    let claimed = messages::claim(&shop.pool, &carriers::Channel::ALL, 10, shop.time()).await.unwrap();
    assert_eq!(claimed.len(), 1);
    shop.advance(TimeDelta::minutes(2));
    shop.send().await;
    assert_eq!(shop.rows().await, json!([["booking_created", "whatsapp", "unknown", "the job was cut short"]]));
    assert!(shop.stand_in.taken().is_empty());
    // The first job goes on after all: what it tells moves the message forward.
    messages::accepted(&shop.pool, &claimed[0], "wamid.late", shop.time()).await.unwrap();
    assert_eq!(shop.rows().await, json!([["booking_created", "whatsapp", "sent", ""]]));
    messages::later(&shop.pool, &claimed[0], (None, "late"), shop.time()).await.unwrap();
    assert_eq!(shop.rows().await[0][2], "sent");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_killed_while_it_writes_messages_writes_each_once(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    // Claimed by a job that is killed: due again.
    for _ in 0..3 {
        shop.write().await;
        shop.sql("update outbox set delivered_at = null, due_at = now()").await;
        let twice = shop.app.handle(jobs::Event::DeliverOutbox).await;
        // The unique cause refuses what was written already.
        assert!(twice.is_ok());
    }
    assert_eq!(shop.rows().await.as_array().unwrap().len(), 1);
}

async fn silence(shop: &Shop, path: &str) {
    let counts = testing::Counts::start();
    for (index, outcome) in [Outcome::Silent, Outcome::Lost].into_iter().enumerate() {
        shop.sql("update outbox set delivered_at = now()").await;
        shop.sql("select write_message('booking_created', '{\"booking_id\": 1}')").await;
        shop.write().await;
        shop.stand_in.spoil(path, Fault::of(outcome));
        assert_eq!(shop.send().await["unknown"], 1, "{outcome:?}");
        for _ in 0..3 {
            shop.advance(TimeDelta::hours(1));
            shop.send().await;
        }
        assert_eq!((shop.stand_in.taken().len(), shop.stand_in.calls(path)), (index + 1, index + 1), "{outcome:?}");
        assert_eq!(shop.rows().await[index][2], "unknown");
        assert_eq!(counts.of(shared::metrics::Count::MessagesUnknown), index as u64 + 1, "what raises the alarm");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn whatsapp_that_takes_a_message_in_silence_leaves_it_unknown(pool: PgPool) {
    silence(&Shop::new(pool, &[Channel::WhatsApp]).await, WHATSAPP).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_sms_taken_in_silence_is_unknown(pool: PgPool) {
    silence(&Shop::new(pool, &[Channel::Sms]).await, SMS).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_mail_taken_in_silence_is_unknown_until_an_event_tells_of_it(pool: PgPool) {
    let shop = Shop::new(pool, &[Channel::Email]).await;
    silence(&shop, MAIL).await;
    // The event carries our id, and the carrier's, which we never got.
    for message in shop.stand_in.taken() {
        let detail = shop.stand_in.mail_event(&message, MailEvent::Delivered);
        let event = serde_json::from_value(json!({ "action": "mail_event", "detail": detail })).unwrap();
        shop.app.handle(event).await.unwrap();
    }
    let delivered = json!(["booking_created", "email", "delivered", ""]);
    assert_eq!(shop.rows().await, json!([delivered, delivered]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn jobs_at_once_send_each_message_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let shop = Shop::new(pool.connect_with(options.clone()).await.unwrap(), &ALL).await;
    shop.sql("update outbox set delivered_at = now()").await;
    shop.sql(
        "insert into outbox (kind, payload) select 'booking_created', '{\"booking_id\": 1}' from generate_series(1, 60)",
    )
    .await;
    let apps: Vec<jobs::App> =
        (0..4).map(|_| jobs::App { database: Database::new(options.clone()), ..shop.app.clone() }).collect();
    join_all(apps.iter().map(|app| app.handle(jobs::Event::DeliverOutbox))).await;
    let end = std::time::Instant::now() + Duration::from_mins(1);
    join_all(apps.iter().map(|app| async { app.send_messages(&|| shop.time(), end).await.unwrap() })).await;
    let mut tags: Vec<String> = shop.stand_in.taken().into_iter().map(|message| message.tag).collect();
    tags.sort();
    let count = tags.len();
    tags.dedup();
    assert_eq!((count, tags.len()), (60, 60));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn states_never_move_back(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.write().await;
    shop.send().await;
    for (state, reached) in
        [("pending", "sent"), ("sending", "sent"), ("delivered", "delivered"), ("sent", "delivered")]
    {
        let lease = if state == "sending" { "now()" } else { "null" };
        let _ = sqlx::query(&format!("update messages set state = '{state}', leased_until = {lease}"))
            .execute(&shop.pool)
            .await;
        assert_eq!(shop.rows().await[0][2], reached, "{state}");
    }
}
