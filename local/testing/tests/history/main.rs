//! The history that the database keeps of the catalogue, the shop, staff keys and people.
#![expect(clippy::unwrap_used, reason = "test code")]

mod tables;

use chrono::{NaiveDate, Utc};
use serde_json::{Value, json};
use shared::{
    Error,
    catalogue::{
        change,
        vehicle_types::{self, VehicleType},
    },
    database::{Database, MIGRATOR},
    history::{self, Author, Entry, Filter, Source},
    ids::{AuditEventId, UserId, VehicleTypeId},
};
use sqlx::{PgConnection, PgPool};

/// Entries without their ids and moments, oldest first.
async fn recorded(pool: &PgPool) -> Vec<Value> {
    let entries = history::list(&Database::from(pool.clone()), &Filter::default(), 100).await.unwrap();
    entries.iter().rev().map(written).collect()
}

fn written(entry: &Entry) -> Value {
    assert!((Utc::now() - entry.at).num_minutes() < 1);
    json!([entry.actor, entry.source, entry.request_id, entry.table_name, entry.record_id, entry.action, entry.changes])
}

async fn run(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(statements).execute(pool).await.unwrap();
}

/// The id of the user who makes changes in the panel.
async fn person(pool: &PgPool) -> i64 {
    let insert =
        "insert into users (username, first_name, last_name) values ('asha@example.com', 'Asha', 'Rao') returning id";
    sqlx::query_scalar(insert).fetch_one(pool).await.unwrap()
}

const SHOP: &str = "insert into shops (name, address, phone, email, latitude, longitude, time_zone, slot_minutes,
    shop_capacity, home_capacity, home_radius_km, minimum_notice_minutes, booking_horizon_days)
    values ('Namma', '1 Main Road', '+919876543210', 'shop@example.com', 12.5, 77.5, 'Asia/Kolkata', 30, 3, 1, 10, 60, 30)";

const MOPED: &str = "insert into vehicle_types (name, slug) values ('Moped', 'moped')";

/// A model and a service, each with the id 1.
const OFFER: &str = "
    insert into vehicle_types (name, slug) values ('Moped', 'moped');
    insert into vehicle_brands (vehicle_type_id, name) values (1, 'Hero');
    insert into vehicle_models (vehicle_brand_id, name, fuel) values (1, 'Pleasure', 'petrol');
    insert into service_categories (name) values ('Oil');
    insert into services (service_category_id, name, duration_minutes) values (1, 'Oil change', 30)";

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_change_in_the_panel_is_recorded_with_its_person_request_and_values(pool: PgPool) {
    let database = Database::from(pool.clone());
    let user = person(&pool).await;
    let author = Author::user(UserId(user), Source::Panel, Some("request-1".to_owned()));
    let moped = |name: &str| VehicleType { name: name.to_owned(), slug: "moped".to_owned(), image: None };
    let redis = testing::redis();
    let mut id = VehicleTypeId(0);
    let add = async |connection: &mut PgConnection| {
        id = vehicle_types::add(connection, &moped("Moped")).await?;
        Ok::<_, Error>(((), true))
    };
    change(&database, &redis, &author, add).await.unwrap();
    for _ in 0..2 {
        let rewrite = async |connection: &mut PgConnection| {
            Ok::<_, Error>(((), vehicle_types::rewrite(connection, id, &moped("Mofa")).await?))
        };
        change(&database, &redis, &author, rewrite).await.unwrap();
    }
    let actor = format!("user:{user}");
    let record = id.to_string();
    assert_eq!(
        recorded(&pool).await,
        [
            json!([actor, "panel", "request-1", "vehicle_types", record, "insert",
                { "name": [null, "Moped"], "slug": [null, "moped"] }]),
            json!([actor, "panel", "request-1", "vehicle_types", record, "update", { "name": ["Moped", "Mofa"] }]),
        ]
    );
    let entries = history::list(&database, &Filter::default(), 1).await.unwrap();
    assert_eq!(entries.first().unwrap().actor_name.as_deref(), Some("Asha Rao"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_signature_ends_with_its_transaction(pool: PgPool) {
    let database = Database::new((*pool.connect_options()).clone());
    let author = Author { actor: "staff:desk".to_owned(), source: Source::Api, request_id: Some("r".to_owned()) };
    let signed = async |connection: &mut PgConnection| {
        history::sign(connection, &author).await?;
        sqlx::query(MOPED).execute(connection).await
    };
    database.transaction(signed).await.unwrap();
    // Over the same connection.
    sqlx::query("update vehicle_types set image = 'https://example.com/a.png'")
        .execute(&database.pool())
        .await
        .unwrap();
    assert_eq!(
        recorded(&pool).await,
        [
            json!(["staff:desk", "api", "r", "vehicle_types", "1", "insert",
                { "name": [null, "Moped"], "slug": [null, "moped"] }]),
            json!(["system", "psql", null, "vehicle_types", "1", "update",
                { "image": [null, "https://example.com/a.png"] }]),
        ]
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_changes_nothing_is_not_recorded(pool: PgPool) {
    run(&pool, OFFER).await;
    let before = recorded(&pool).await;
    run(&pool, "update vehicle_types set name = name, updated_at = now()").await;
    run(&pool, "update vehicle_types set name = 'Scooter' where id = 2; delete from vehicle_types where id = 2").await;
    run(
        &pool,
        "insert into vehicle_types (id, name, slug) overriding system value values (1, 'Scooter', 'scooter')
        on conflict (id) do nothing",
    )
    .await;
    assert_eq!(recorded(&pool).await, before);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_history_is_append_only(pool: PgPool) {
    run(&pool, MOPED).await;
    for statement in ["update audit_events set actor = 'x'", "delete from audit_events", "truncate audit_events"] {
        let refused = sqlx::query(statement).execute(&pool).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().message(), "audit_events is append-only", "{statement}");
    }
    assert_eq!(recorded(&pool).await.len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_history_is_listed_by_person_way_record_and_day_in_pages(pool: PgPool) {
    let database = Database::from(pool.clone());
    run(&pool, SHOP).await;
    // Half an hour before and after midnight at the shop.
    run(
        &pool,
        "insert into audit_events (at, actor, source, table_name, record_id, action, changes) values
        ('2030-11-27T18:00:00Z', 'user:7', 'panel', 'services', '1', 'update', '{}'),
        ('2030-11-27T19:00:00Z', 'user:7', 'panel', 'services', '2', 'update', '{}'),
        ('2030-11-27T19:30:00Z', 'staff:desk', 'api', 'vehicle_models', '1', 'update', '{}')",
    )
    .await;
    let found = async |filter: Filter, limit: i64| {
        let entries = history::list(&database, &filter, limit).await.unwrap();
        entries.iter().map(|entry| entry.id.0).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    let all = Filter::default;
    assert_eq!(found(all(), 2).await, [4, 3]);
    assert_eq!(found(Filter { before: Some(AuditEventId(3)), ..all() }, 2).await, [2, 1]);
    assert_eq!(found(Filter { actor: text("user:7"), ..all() }, 9).await, [3, 2]);
    assert_eq!(found(Filter { source: Some(Source::Api), ..all() }, 9).await, [4]);
    assert_eq!(found(Filter { table: text("services"), ..all() }, 9).await, [3, 2]);
    assert_eq!(found(Filter { table: text("services"), record: text("1"), ..all() }, 9).await, [2]);
    let day = |day| Filter { day: NaiveDate::from_ymd_opt(2030, 11, day), ..all() };
    assert_eq!((found(day(27), 9).await, found(day(28), 9).await), (vec![2], vec![4, 3]));
}
