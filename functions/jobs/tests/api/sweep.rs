//! What has expired is deleted.

use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;

use crate::World;

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_has_expired_is_swept_away(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::raw_sql(
        "insert into idempotency_keys (scope, key_sha256, request_sha256, expires_at)
            values ('s', 'old', '', now() - interval '1 day'), ('s', 'new', '', now() + interval '1 day');
        insert into users (username) values ('u');
        insert into user_sessions (user_id, descope_user_id, expires_at)
            values (1, 'U1', now() - interval '31 days'), (1, 'U1', now() + interval '1 day');
        insert into session_tokens (token_sha256, kind, session_id, expires_at)
            values (sha256('old'), 'session', 2, now() - interval '2 hours'), (sha256('new'), 'session', 2, now());
        insert into payment_events (event_id, event, received_at) values ('old', 'x', now() - interval '31 days')",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let swept = |count| {
        json!({
            "action": "sweep", "idempotency_keys": count, "session_tokens": count, "user_sessions": count,
            "payment_events": count
        })
    };
    assert_eq!(world.run("sweep").await, swept(1));
    assert_eq!(world.run("sweep").await, swept(0));
}
