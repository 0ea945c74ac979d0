//! The sweep: deletes expired rows and no others.

use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;

use crate::World;

fn swept(count: u64) -> Value {
    json!({
        "action": "sweep", "idempotency_keys": count, "session_tokens": count, "user_sessions": count,
        "panel_sessions": count, "payment_events": count, "outbox": count
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
