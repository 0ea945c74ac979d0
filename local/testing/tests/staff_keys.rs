//! Staff keys that an administrator makes and ends, and when they were last used.
#![expect(clippy::unwrap_used, reason = "test code")]

use chrono::{DateTime, Utc};
use serde_json::json;
use shared::{
    Error, Faults,
    database::{Database, MIGRATOR},
    history::{Author, Source},
    ids::{StaffKeyId, UserId},
    staff::{StaffKey, StaffKeys, issued},
};
use sqlx::PgPool;

fn author() -> Author {
    Author::user(UserId(1), Source::Panel, None)
}

async fn make(database: &Database, label: &str) -> Result<String, Error> {
    let added = issued::add(database, label.to_owned(), None, &author()).await?;
    Ok(added.key.unwrap())
}

/// The label that a request with this key has.
async fn used(keys: &StaffKeys, key: &str) -> Option<String> {
    use axum::extract::OptionalFromRequestParts;
    let request = axum::http::Request::builder().header("x-api-key", key).body(()).unwrap();
    let (mut parts, ()) = request.into_parts();
    let found = <StaffKey as OptionalFromRequestParts<StaffKeys>>::from_request_parts(&mut parts, keys).await;
    found.ok().flatten().map(|key| key.label)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_says_who_made_it_and_its_label_is_free_once_it_is_ended(pool: PgPool) {
    let database = Database::from(pool.clone());
    let user = "insert into users (username) values ('owner@example.com')";
    sqlx::query(user).execute(&pool).await.unwrap();
    make(&database, "desk").await.unwrap();
    let taken = "a key with this label is in use: choose another label, or revoke that key first";
    let again = make(&database, "desk").await;
    assert!(matches!(&again, Err(Error::Conflict(faults)) if *faults == Faults::from(("label", taken))), "{again:?}");
    let malformed = make(&database, "user-1").await;
    assert!(matches!(&malformed, Err(Error::Validation(_))), "{malformed:?}");

    let first = issued::end(&database, StaffKeyId(1), &author()).await.unwrap();
    assert_eq!(issued::end(&database, StaffKeyId(1), &author()).await.unwrap(), first, "twice is as once");
    let unknown = issued::end(&database, StaffKeyId(9), &author()).await.map_err(Error::from);
    assert!(matches!(unknown, Err(Error::NotFound("Staff key"))));
    make(&database, "desk").await.unwrap();
    let listed = json!(issued::list(&database).await.unwrap());
    let ended = json!(first)["revoked_at"].clone();
    assert_eq!(
        listed,
        json!([
            { "id": 1, "label": "desk", "created_at": listed[0]["created_at"], "created_by": "user:1",
              "created_by_name": "owner@example.com", "last_used_at": null, "revoked_at": ended },
            { "id": listed[1]["id"], "label": "desk", "created_at": listed[1]["created_at"], "created_by": "user:1",
              "created_by_name": "owner@example.com", "last_used_at": null, "revoked_at": null },
        ])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_use_of_a_key_is_noted_once_a_minute(pool: PgPool) {
    let database = Database::from(pool.clone());
    let keys = testing::staff_keys(&database, &testing::no_throttle(&testing::redis()));
    let key = make(&database, "desk of the shop").await.unwrap();
    let ended = make(&database, "old").await.unwrap();
    let last = async || -> Vec<Option<DateTime<Utc>>> {
        sqlx::query_scalar("select last_used_at from staff_keys order by id").fetch_all(&pool).await.unwrap()
    };
    issued::end(&database, StaffKeyId(2), &author()).await.unwrap();
    assert_eq!(last().await, [None, None]);
    assert_eq!(used(&keys, &ended).await, None);
    assert_eq!(used(&keys, &key).await.as_deref(), Some("desk of the shop"));
    let first = last().await;
    assert_eq!((first[0].is_some(), first[1]), (true, None));
    used(&keys, &key).await;
    assert_eq!(last().await, first, "within the minute");
    let hour = "update staff_keys set last_used_at = last_used_at - interval '1 hour' where id = 1";
    sqlx::query(hour).execute(&pool).await.unwrap();
    used(&keys, &key).await;
    assert!(last().await > first);
    let entries: i64 = sqlx::query_scalar("select count(*) from audit_events").fetch_one(&pool).await.unwrap();
    assert_eq!(entries, 3, "made, made, ended: a use is no change");
}
