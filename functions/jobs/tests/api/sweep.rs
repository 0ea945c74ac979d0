//! The sweep: deletes expired rows and no others.

use descope_stand_in::Fault;
use jobs::{App, People};
use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    http::Device,
    sign_in::{
        registration::{self, Registration},
        sessions,
    },
};
use sqlx::PgPool;

use crate::{World, run};

fn swept(count: u64) -> Value {
    json!({
        "action": "sweep", "idempotency_keys": count, "session_tokens": count, "user_sessions": count,
        "panel_sessions": count, "payment_events": count, "booking_addresses": 0, "outbox": count, "messages": 0, "booking_links": 0,
        "sessions_ended": 0, "replacements_finished": 0
    })
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn expired_rows_are_deleted_and_others_kept(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::raw_sql(
        "insert into idempotency_keys (scope, key_sha256, request_sha256, expires_at)
            values ('s', 'old', '', now() - interval '1 day'), ('s', 'new', '', now() + interval '1 day');
        insert into users (username) values ('u');
        insert into user_sessions (user_id, descope_user_id, expires_at)
            values (1, 'U1', now() - interval '31 days'), (1, 'U1', now() + interval '1 day');
        insert into panel_sessions (cookie_sha256, session_id, roles, roles_asked_at, created_at)
            values (sha256('old'), 2, '{}', now(), now() - interval '25 hours'), (sha256('new'), 2, '{}', now(), now());
        insert into session_tokens (token_sha256, kind, session_id, expires_at)
            values (sha256('old'), 'session', 2, now() - interval '2 hours'), (sha256('new'), 'session', 2, now());
        insert into payment_events (event_id, event, received_at)
            values ('old', 'x', now() - interval '31 days'), ('new', 'x', now() - interval '29 days');
        insert into outbox (kind, payload, created_at, delivered_at, failed_at)
            select message.kind, '{}', now() - interval '60 days', message.delivered_at, message.failed_at
            from (values
                ('old', now() - interval '31 days', null::timestamptz), ('new', now() - interval '29 days', null),
                ('waiting', null, null), ('given up', null, now() - interval '31 days')
            ) as message (kind, delivered_at, failed_at)",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    assert_eq!(world.run("sweep").await, swept(1));
    assert_eq!(world.run("sweep").await, swept(0));
    let left: Value = sqlx::query_scalar(
        "select json_build_object(
            'idempotency_keys', (select json_agg(convert_from(key_sha256, 'utf8')) from idempotency_keys),
            'session_tokens', (select json_agg(token_sha256 = sha256('new')) from session_tokens),
            'user_sessions', (select json_agg(id) from user_sessions),
            'panel_sessions', (select json_agg(cookie_sha256 = sha256('new')) from panel_sessions),
            'payment_events', (select json_agg(event_id) from payment_events),
            'outbox', (select json_agg(kind order by id) from outbox))",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    let expected = json!({
        "idempotency_keys": ["new"], "session_tokens": [true], "user_sessions": [2], "panel_sessions": [true], "payment_events": ["new"],
        "outbox": ["new", "waiting", "given up"]
    });
    assert_eq!(left, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_run_sweeps_more_rows_than_one_statement_deletes(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::query(
        "insert into idempotency_keys (scope, key_sha256, request_sha256, expires_at)
        select 's', sha256(key::text::bytea), '', now() from generate_series(1, 20001) as key",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let mut expected = swept(0);
    expected["idempotency_keys"] = json!(20001);
    assert_eq!(world.run("sweep").await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn hashes_of_addresses_are_kept_for_thirty_days(pool: PgPool) {
    let world = World::new(pool).await;
    world.another_order().await;
    sqlx::query(
        "insert into booking_addresses
        values (1, sha256('x'), now() - interval '29 days'), (2, sha256('x'), now() - interval '31 days')",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let mut expected = swept(0);
    expected["booking_addresses"] = json!(1);
    assert_eq!(world.run("sweep").await, expected);
    let kept = "select booking_id from booking_addresses";
    assert_eq!(sqlx::query_scalar::<_, i64>(kept).fetch_one(&world.pool).await.unwrap(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn sessions_revoked_while_descope_was_away_are_ended_there(pool: PgPool) {
    let (descope, redis) = (descope_stand_in::StandIn::start().await, testing::redis());
    let database = Database::from(pool.clone());
    let sign_in = testing::sign_in(testing::sessions(&database, &descope, &redis), &redis);
    let people = People { descope: sign_in.sessions.descope.clone(), seals: sign_in.seals.clone() };
    let app =
        App { database, razorpay: None, people: Some(people), carriers: None, plan: shared::messages::Plan::default() };
    let registration = Registration {
        email: "user@example.com".parse().unwrap(),
        password: "securepassword123".into(),
        first_name: String::new(),
        last_name: String::new(),
        phone_number: None,
    };
    let (user, signed_in) = registration::register(&sign_in, registration, &Device::default()).await.unwrap();
    let id: i64 = sqlx::query_scalar("select id from user_sessions").fetch_one(&pool).await.unwrap();

    descope.spoil("/v1/auth/logout", Fault::status(500).times(4));
    sessions::revoke(&sign_in, user.id, id.into()).await.unwrap();
    let goes_on = async || sign_in.sessions.descope.refresh(&signed_in.refresh_jwt).await.is_ok();
    assert!(goes_on().await);
    assert_eq!(run(&app, "sweep").await["sessions_ended"], 0, "the request may still be under way");
    let sealed = "update user_sessions set revoked_at = now() - interval '2 minutes'";
    sqlx::query(sealed).execute(&pool).await.unwrap();
    assert_eq!(run(&app, "sweep").await["sessions_ended"], 0, "Descope is still away");
    assert_eq!(run(&app, "sweep").await["sessions_ended"], 0, "it is not asked again at once");
    assert!(goes_on().await);
    sqlx::query("update user_sessions set end_due_at = now()").execute(&pool).await.unwrap();
    assert_eq!(run(&app, "sweep").await["sessions_ended"], 1);
    assert!(!goes_on().await);
    assert_eq!(run(&app, "sweep").await["sessions_ended"], 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_sweeps_end_each_session_once(pool: PgPool) {
    let (descope, redis) = (descope_stand_in::StandIn::start().await, testing::redis());
    let database = Database::from(pool.clone());
    let sign_in = testing::sign_in(testing::sessions(&database, &descope, &redis), &redis);
    for number in 0..30 {
        let registration = Registration {
            email: format!("user{number}@example.com").parse().unwrap(),
            password: "securepassword123".into(),
            first_name: String::new(),
            last_name: String::new(),
            phone_number: None,
        };
        registration::register(&sign_in, registration, &Device::default()).await.unwrap();
    }
    sqlx::query("update user_sessions set revoked_at = now() - interval '2 minutes'").execute(&pool).await.unwrap();
    let people = People { descope: sign_in.sessions.descope.clone(), seals: sign_in.seals.clone() };
    let app =
        App { database, razorpay: None, people: Some(people), carriers: None, plan: shared::messages::Plan::default() };
    let runs = futures::future::join_all((0..4).map(|_| run(&app, "sweep"))).await;
    let ended: u64 = runs.iter().map(|swept| swept["sessions_ended"].as_u64().unwrap()).sum();
    assert_eq!((ended, descope.calls("/v1/auth/logout")), (30, 30));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn links_are_kept_for_ninety_days_after_they_have_ended(pool: PgPool) {
    let world = World::new(pool).await;
    world.another_order().await;
    world.another_order().await;
    sqlx::raw_sql(
        "update bookings set access_token_expires_at = now() - case id
            when 1 then interval '-1 day' when 2 then interval '89 days' else interval '91 days' end;
        insert into booking_links (booking_id, token_sha256, scope, purpose, revoked_at)
        select id, sha256((id || scope)::bytea), scope::link_scope, 'staff', now() - interval '1 year'
        from bookings, unnest(array['view', 'change']) as scope",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let mut expected = swept(0);
    expected["booking_links"] = json!(2);
    assert_eq!(world.run("sweep").await, expected);
    let left: Vec<i64> = sqlx::query_scalar("select distinct booking_id from booking_links order by 1")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    assert_eq!(left, [1, 2]);
}
