//! What each table records, and what an import, a list of prices, the hours and a staff key do.

use chrono::NaiveTime;
use serde_json::{Value, json};
use shared::{
    Error,
    catalogue::{
        change,
        hours::{self, OpeningHours},
        prices::{self, Price},
    },
    database::{Database, MIGRATOR},
    history::{Author, Source},
    ids::{ServiceId, VehicleModelId},
    money::Money,
    staff::issued,
};
use sqlx::{PgConnection, PgPool};

use super::{OFFER, SHOP, recorded, run};

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_table_of_the_catalogue_and_the_shop_records_sql_of_an_operator(pool: PgPool) {
    run(&pool, OFFER).await;
    run(&pool, "insert into service_prices (service_id, vehicle_model_id, price_paise) values (1, 1, 39000)").await;
    run(&pool, SHOP).await;
    run(&pool, "insert into opening_hours values (1, 3, '09:00', '18:00')").await;
    run(&pool, "insert into holidays values (1, '2027-01-26', 'Republic Day')").await;
    let entry = |table: &str, record: &str, action: &str, changes: Value| {
        json!(["system", "psql", null, table, record, action, changes])
    };
    let entries = recorded(&pool).await;
    assert_eq!(
        entries,
        [
            entry("vehicle_types", "1", "insert", json!({ "name": [null, "Moped"], "slug": [null, "moped"] })),
            entry("vehicle_brands", "1", "insert", json!({ "name": [null, "Hero"], "vehicle_type_id": [null, 1] })),
            entry(
                "vehicle_models",
                "1",
                "insert",
                json!({ "name": [null, "Pleasure"], "fuel": [null, "petrol"], "vehicle_brand_id": [null, 1] })
            ),
            entry("service_categories", "1", "insert", json!({ "name": [null, "Oil"], "description": [null, ""] })),
            entry(
                "services",
                "1",
                "insert",
                json!({
                    "name": [null, "Oil change"], "description": [null, ""], "duration_minutes": [null, 30],
                    "service_category_id": [null, 1]
                })
            ),
            entry(
                "service_prices",
                "1/1",
                "insert",
                json!({ "service_id": [null, 1], "vehicle_model_id": [null, 1], "price_paise": [null, 39000] })
            ),
            entry(
                "shops",
                "1",
                "insert",
                json!({
                    "name": [null, "Namma"], "address": [null, "1 Main Road"], "phone": [null, "+919876543210"],
                    "email": [null, "shop@example.com"], "latitude": [null, 12.5], "longitude": [null, 77.5],
                    "time_zone": [null, "Asia/Kolkata"], "slot_minutes": [null, 30], "shop_capacity": [null, 3],
                    "home_capacity": [null, 1], "home_radius_km": [null, 10], "minimum_notice_minutes": [null, 60],
                    "booking_horizon_days": [null, 30], "is_active": [null, true]
                })
            ),
            entry(
                "opening_hours",
                "3",
                "insert",
                json!({
                    "shop_id": [null, 1], "weekday": [null, 3], "opens_at": [null, "09:00:00"], "closes_at": [null, "18:00:00"]
                })
            ),
            entry(
                "holidays",
                "2027-01-26",
                "insert",
                json!({ "shop_id": [null, 1], "date": [null, "2027-01-26"], "name": [null, "Republic Day"] })
            ),
        ]
    );

    run(&pool, "update services set duration_minutes = 45, description = 'With filter', updated_at = now()").await;
    run(&pool, "update shops set is_active = false").await;
    run(&pool, "delete from service_prices").await;
    run(&pool, "update holidays set date = '2027-01-27'").await;
    assert_eq!(
        recorded(&pool).await.split_off(entries.len()),
        [
            entry(
                "services",
                "1",
                "update",
                json!({ "duration_minutes": [30, 45], "description": ["", "With filter"] })
            ),
            entry("shops", "1", "update", json!({ "is_active": [true, false] })),
            entry(
                "service_prices",
                "1/1",
                "delete",
                json!({ "service_id": [1, null], "vehicle_model_id": [1, null], "price_paise": [39000, null] })
            ),
            entry(
                "holidays",
                "2027-01-26",
                "delete",
                json!({ "shop_id": [1, null], "date": ["2027-01-26", null], "name": ["Republic Day", null] })
            ),
            entry(
                "holidays",
                "2027-01-27",
                "insert",
                json!({ "shop_id": [null, 1], "date": [null, "2027-01-27"], "name": [null, "Republic Day"] })
            ),
        ]
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_statement_that_adds_and_changes_rows_records_each_as_what_it_is(pool: PgPool) {
    run(&pool, OFFER).await;
    run(&pool, "insert into services (service_category_id, name, duration_minutes) values (1, 'Wash', 30)").await;
    let before = recorded(&pool).await.len();
    let database = Database::from(pool.clone());
    let set = async |paise: [Option<i64>; 2]| {
        let prices = [1, 2].into_iter().zip(paise).map(|(service_id, paise)| Price {
            service_id: ServiceId(service_id),
            vehicle_model_id: VehicleModelId(1),
            price: paise.map(Money::from_paise),
        });
        let prices: Vec<Price> = prices.collect();
        let author = Author::system(Source::Job);
        let work =
            async |connection: &mut PgConnection| Ok::<_, Error>(((), prices::set(connection, &prices).await? > 0));
        change(&database, &testing::redis(), &author, work).await.unwrap();
    };
    set([Some(100), None]).await;
    set([Some(200), Some(300)]).await;
    set([Some(200), Some(300)]).await;
    let price = |service: i64, action: &str, changes: Value| {
        json!(["system", "job", null, "service_prices", format!("{service}/1"), action, changes])
    };
    let added = |service: i64, paise: i64| {
        let changes =
            json!({ "service_id": [null, service], "vehicle_model_id": [null, 1], "price_paise": [null, paise] });
        price(service, "insert", changes)
    };
    let mut entries = recorded(&pool).await.split_off(before);
    entries.sort_by_key(Value::to_string);
    let mut expected = [added(1, 100), added(2, 300), price(1, "update", json!({ "price_paise": [100, 200] }))];
    expected.sort_by_key(Value::to_string);
    assert_eq!(entries, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn hours_are_recorded_by_their_weekday(pool: PgPool) {
    run(&pool, SHOP).await;
    let database = Database::from(pool.clone());
    let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let before = recorded(&pool).await.len();
    for week in [[(1, 9), (2, 9)], [(1, 9), (2, 10)]] {
        let week = week.map(|(weekday, hour)| OpeningHours {
            weekday,
            opens_at: time(hour).into(),
            closes_at: time(18).into(),
        });
        let set = async |connection: &mut PgConnection| Ok::<_, Error>(((), hours::set_week(connection, &week).await?));
        change(&database, &testing::redis(), &Author::system(Source::Panel), set).await.unwrap();
    }
    let entries = recorded(&pool).await.split_off(before);
    assert_eq!(entries.len(), 3);
    assert_eq!(
        entries.last().unwrap(),
        &json!(["system", "panel", null, "opening_hours", "2", "update", { "opens_at": ["09:00:00", "10:00:00"] }])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_import_records_each_row_once_and_its_repetition_nothing(pool: PgPool) {
    let redis = testing::redis();
    let report = testing::import_catalogue(&pool, &redis).await;
    let counts = "select table_name, count(*) from audit_events
        where actor = 'system' and source = 'import' and action = 'insert' group by table_name";
    let mut counted: Vec<(String, i64)> = sqlx::query_as(counts).fetch_all(&pool).await.unwrap();
    counted.sort();
    let report = json!(report);
    let added = |table: &str| report[table]["added"].as_i64().unwrap();
    let shop = counted.iter().filter(|(table, _)| ["shops", "opening_hours", "holidays"].contains(&table.as_str()));
    assert_eq!(shop.map(|(_, count)| count).sum::<i64>(), added("shop"));
    let catalogue =
        ["service_categories", "service_prices", "services", "vehicle_brands", "vehicle_models", "vehicle_types"];
    counted.retain(|(table, _)| catalogue.contains(&table.as_str()));
    assert_eq!(counted, catalogue.map(|table| (table.to_owned(), added(table))));

    let entries =
        async || -> i64 { sqlx::query_scalar("select count(*) from audit_events").fetch_one(&pool).await.unwrap() };
    let before = entries().await;
    testing::import_catalogue(&pool, &redis).await;
    assert_eq!(entries().await, before);
    let mut files = testing::catalogue_files();
    let types = files.get_mut("vehicle_types.csv").unwrap();
    *types = types.replace("Scooter", "Mofa");
    testing::import(&files, &pool, &redis).await;
    let newest = recorded(&pool).await.pop().unwrap();
    assert_eq!(entries().await, before + 1);
    assert_eq!(newest[6], json!({ "name": ["Scooter", "Mofa"] }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn keys_of_staff_are_recorded_without_their_hash(pool: PgPool) {
    let database = Database::from(pool.clone());
    let author = Author::system(Source::Migrate);
    issued::add(&database, "desk".to_owned(), None, &author).await.unwrap();
    issued::revoke(&database, "desk".to_owned(), &author).await.unwrap();
    issued::revoke(&database, "desk".to_owned(), &author).await.unwrap();
    let mut entries = recorded(&pool).await;
    let ended = entries.last_mut().unwrap();
    assert!(ended[6]["revoked_at"][1].is_string());
    ended[6]["revoked_at"][1] = json!("<moment>");
    assert_eq!(
        entries,
        [
            json!(["system", "migrate", null, "staff_keys", "1", "insert", { "label": [null, "desk"] }]),
            json!(["system", "migrate", null, "staff_keys", "1", "update", { "revoked_at": [null, "<moment>"] }]),
        ]
    );
    run(&pool, "update staff_keys set key_sha256 = sha256('other')").await;
    let kept: String = sqlx::query_scalar("select string_agg(audit_events::text, '') from audit_events")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(!kept.contains("sha256") && !kept.contains("\\\\x"), "{kept}");
}
