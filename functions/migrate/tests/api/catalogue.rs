//! The import of the catalogue's files.

use chrono::Weekday;
use migrate::App;
use serde_json::{Value, json};
use shared::{
    cache::announce_change,
    catalogue::{import::Files, publish},
    database::MIGRATOR,
};
use sqlx::PgPool;
use testing::{Fault, Network};

use crate::{app, handle, version_in_redis};

pub(crate) async fn import(app: &App, files: &Files) -> Result<Value, String> {
    handle(app, json!({ "action": "import_catalogue", "files": files })).await
}

pub(crate) fn rows(added: u64, changed: u64, left_alone: u64, removed: u64) -> Value {
    json!({ "added": added, "changed": changed, "left_alone": left_alone, "removed": removed })
}

pub(crate) async fn version(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select version from catalogue_versions").fetch_one(pool).await.unwrap()
}

pub(crate) fn with(name: &str, change: impl FnOnce(&str) -> String) -> Files {
    let mut files = testing::catalogue_files();
    let changed = change(&files[name]);
    assert_ne!(changed, files[name]);
    files.insert(name.to_owned(), changed);
    files
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_import_reports_its_changes_and_a_repeated_one_changes_nothing(pool: PgPool) {
    let app = app(&pool);
    let files = testing::catalogue_files();
    let first = import(&app, &files).await;
    let version = version(&pool).await;
    assert_eq!(
        first,
        Ok(json!({
            "action": "import_catalogue", "applied": true, "version": version, "vehicle_types": rows(2, 0, 0, 0),
            "vehicle_brands": rows(40, 0, 0, 0), "vehicle_models": rows(220, 0, 0, 0),
            "service_categories": rows(10, 0, 0, 0), "services": rows(49, 0, 0, 0),
            "service_prices": rows(7279, 0, 0, 0), "shop": rows(7, 0, 0, 0), "left_outside": []
        }))
    );
    assert_eq!(
        import(&app, &files).await,
        Ok(json!({
            "action": "import_catalogue", "applied": true, "version": version, "vehicle_types": rows(0, 0, 2, 0),
            "vehicle_brands": rows(0, 0, 40, 0), "vehicle_models": rows(0, 0, 220, 0),
            "service_categories": rows(0, 0, 10, 0), "services": rows(0, 0, 49, 0),
            "service_prices": rows(0, 0, 7279, 0), "shop": rows(0, 0, 7, 0), "left_outside": []
        }))
    );
    let ids: (i64, i64) =
        sqlx::query_as("select max(id), count(*) from vehicle_models").fetch_one(&pool).await.unwrap();
    assert_eq!(ids, (220, 220), "the ids are those of the files");
    let next: i64 = sqlx::query_scalar("insert into vehicle_types (name, slug) values ('Moped', 'moped') returning id")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(next, 3, "ids that the database gives follow them");
}

async fn import_in(mode: &str, app: &App, files: &Files) -> Value {
    handle(app, json!({ "action": "import_catalogue", "files": files, "mode": mode })).await.unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_preview_reports_what_an_import_would_do_and_changes_nothing(pool: PgPool) {
    let app = app(&pool);
    import(&app, &testing::catalogue_files()).await.unwrap();
    let before = (version(&pool).await, version_in_redis(&app).await);
    let cheaper = with("service_pricing.csv", |text| text.replace("1,1,559.00", "1,1,500.00"));
    let preview = import_in("preview", &app, &cheaper).await;
    assert_eq!((&preview["applied"], &preview["version"]), (&json!(false), &json!(before.0)));
    assert_eq!(preview["service_prices"], rows(0, 1, 7278, 0));
    assert_eq!((version(&pool).await, version_in_redis(&app).await), before);
    // An import then does the same.
    let imported = import(&app, &cheaper).await.unwrap();
    assert_eq!(imported["service_prices"], preview["service_prices"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_import_into_an_empty_catalogue_undoes_no_later_change(pool: PgPool) {
    let app = app(&pool);
    let files = testing::catalogue_files();
    let both = futures::join!(import_in("if_empty", &app, &files), import_in("if_empty", &app, &files));
    let applied = [&both.0, &both.1].map(|report| report["applied"].as_bool().unwrap());
    assert_eq!(applied.iter().filter(|applied| **applied).count(), 1, "of two at once, one finds it empty");
    sqlx::query("update services set name = 'Wash and wax' where id = 1").execute(&pool).await.unwrap();
    let before = version(&pool).await;
    let none = rows(0, 0, 0, 0);
    assert_eq!(
        import_in("if_empty", &app, &files).await,
        json!({
            "action": "import_catalogue", "applied": false, "version": before, "vehicle_types": none,
            "vehicle_brands": none, "vehicle_models": none, "service_categories": none, "services": none,
            "service_prices": none, "shop": none, "left_outside": []
        })
    );
    let name: String = sqlx::query_scalar("select name from services where id = 1").fetch_one(&pool).await.unwrap();
    assert_eq!(name, "Wash and wax");
}

/// The file of prices with some of its lines only, which are told by their place in the order of model and service.
fn with_prices(is_kept: impl Fn(usize) -> bool) -> Files {
    with("service_pricing.csv", |text| {
        let (header, prices) = text.split_once('\n').unwrap();
        let mut prices: Vec<&str> = prices.lines().collect();
        prices.sort_by_key(|line| {
            let (service, rest) = line.split_once(',').unwrap();
            let (model, _) = rest.split_once(',').unwrap();
            [model, service].map(|id| id.parse::<i64>().unwrap())
        });
        let kept = (0..).zip(prices).filter(|(place, _)| is_kept(*place)).map(|(_, line)| line);
        [header].into_iter().chain(kept).collect::<Vec<_>>().join("\n")
    })
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn prices_that_the_file_lacks_are_deleted_wherever_they_stand(pool: PgPool) {
    let app = app(&pool);
    let files = testing::catalogue_files();
    import(&app, &files).await.unwrap();
    // At both ends of each thousand, and the last of all.
    let without_ends = with_prices(|place| !matches!(place % 1000, 0 | 999) && place != 7278);
    let removed = import(&app, &without_ends).await.unwrap();
    assert_eq!(removed["service_prices"], rows(0, 0, 7263, 16));
    assert_eq!(import(&app, &files).await.unwrap()["service_prices"], rows(16, 0, 7263, 0));
    let few = import(&app, &with_prices(|place| (2500..2600).contains(&place))).await.unwrap();
    assert_eq!(few["service_prices"], rows(0, 0, 100, 7179));
    let count: i64 = sqlx::query_scalar("select count(*) from service_prices").fetch_one(&pool).await.unwrap();
    assert_eq!(count, 100);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn changed_and_missing_rows_are_counted_and_missing_services_archived(pool: PgPool) {
    let app = app(&pool);
    import(&app, &testing::catalogue_files()).await.unwrap();
    let cheaper = with("service_pricing.csv", |text| text.replace("\n1,1,559.00\n1,2,559.00\n", "\n1,1,1.15\n"));
    assert_eq!(import(&app, &cheaper).await.unwrap()["service_prices"], rows(0, 1, 7277, 1));
    let price: i64 =
        sqlx::query_scalar("select price_paise from service_prices where service_id = 1 and vehicle_model_id = 1")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(price, 115);

    // Two services swap names, one is no longer sold.
    let mut files = with("services.csv", |text| {
        let without_last: Vec<&str> = text.lines().filter(|line| !line.starts_with("49,")).collect();
        let swapped = without_last.join("\n").replace("Air Filter Replacement", "?");
        swapped.replace("Spark Plug Replacement", "Air Filter Replacement").replace('?', "Spark Plug Replacement")
            + "\n"
    });
    let prices = files["service_pricing.csv"].lines().filter(|line| !line.starts_with("49,"));
    let prices = prices.collect::<Vec<_>>().join("\n");
    files.insert("service_pricing.csv".to_owned(), prices);
    let report = import(&app, &files).await.unwrap();
    assert_eq!(report["services"], rows(0, 2, 46, 1));
    let archived: Vec<i64> =
        sqlx::query_scalar("select id from services where archived_at is not null").fetch_all(&pool).await.unwrap();
    assert_eq!(archived, [49]);
    assert_eq!(import(&app, &testing::catalogue_files()).await.unwrap()["services"], rows(0, 3, 46, 0));

    let shorter_week = with("shop_info.json", |text| text.replace("\"open\": \"10:00\"", "\"open\": \"11:00\""));
    assert_eq!(import(&app, &shorter_week).await.unwrap()["shop"], rows(0, 1, 6, 0));
}

/// A booking of an oil change at the shop, on a Monday within the horizon.
async fn book(pool: &PgPool, time: &str) -> i64 {
    sqlx::query_scalar(
        "with customer as (insert into customers (phone) values ('+9198765' || replace($2, ':', '') || '0') returning id),
        booking as (
            insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
                appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
                payment_method, access_token_sha256, access_token_expires_at)
            select 'R' || $2, id, 'John Doe', 7, 'shop', $1, $2::time, 60, quarters($2::time, 60), 30, 39000, 'cash',
                sha256('token'), now() + interval '30 days'
            from customer
            returning id
        ), line as (
            insert into booking_services (booking_id, service_id, price_paise) select id, 4, 39000 from booking
        )
        select id from booking",
    )
    .bind(testing::next(Weekday::Mon))
    .bind(time)
    .fetch_one(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_import_and_its_preview_tell_which_bookings_are_left_outside(pool: PgPool) {
    let app = app(&pool);
    import(&app, &testing::catalogue_files()).await.unwrap();
    let early = book(&pool, "09:00").await;
    book(&pool, "12:00").await;
    let late = with("shop_info.json", |text| text.replacen("\"09:00\"", "\"10:00\"", 1));
    let preview = import_in("preview", &app, &late).await;
    assert_eq!((&preview["applied"], &preview["left_outside"]), (&json!(false), &json!([early])));
    assert_eq!(import(&app, &testing::catalogue_files()).await.unwrap()["left_outside"], json!([]));
    assert_eq!(import(&app, &late).await.unwrap()["left_outside"], json!([early]));
}

/// The sample's shop with this value of `holidays`.
fn with_holidays(holidays: &str) -> Files {
    with("shop_info.json", |text| text.replacen('{', &format!("{{ \"holidays\": {holidays},"), 1))
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn holidays_of_the_file_replace_those_to_come_and_stay_without_the_key(pool: PgPool) {
    let app = app(&pool);
    let republic_day = r#"{ "date": "2099-01-26", "name": "Republic Day" }"#;
    let diwali = r#"{ "date": "2099-11-12", "name": "Diwali" }"#;
    let all = async || -> Vec<(String, String)> {
        let all = "select date::text, name from holidays order by date";
        sqlx::query_as(all).fetch_all(&pool).await.unwrap()
    };
    let both = with_holidays(&format!("[{republic_day}, {diwali}]"));
    assert_eq!(import(&app, &both).await.unwrap()["shop"], rows(9, 0, 0, 0));
    assert_eq!(import(&app, &both).await.unwrap()["shop"], rows(0, 0, 9, 0));
    sqlx::query("insert into holidays (shop_id, date, name) values (1, '2020-01-01', 'Past')")
        .execute(&pool)
        .await
        .unwrap();
    let renamed = with_holidays(&format!("[{}]", diwali.replace("Diwali", "Deepavali")));
    assert_eq!(import(&app, &renamed).await.unwrap()["shop"], rows(0, 1, 7, 1));
    assert_eq!(import(&app, &testing::catalogue_files()).await.unwrap()["shop"], rows(0, 0, 7, 0));
    let named = |date: &str, name: &str| (date.to_owned(), name.to_owned());
    assert_eq!(all().await, [named("2020-01-01", "Past"), named("2099-11-12", "Deepavali")]);

    let twice = import(&app, &with_holidays(&format!("[{diwali}, {diwali}]"))).await.unwrap_err();
    assert!(twice.contains("2099-11-12 is a holiday twice"), "{twice}");
    let no_date = import(&app, &with_holidays(r#"[{ "date": "2099-02-30", "name": "" }]"#)).await.unwrap_err();
    assert!(no_date.contains("shop_info.json line 1"), "{no_date}");
    assert_eq!(all().await.len(), 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_imports_run_one_after_the_other(pool: PgPool) {
    let app = app(&pool);
    let files = testing::catalogue_files();
    let reports = futures::future::join_all((0..4).map(|_| import(&app, &files))).await;
    let added: Vec<u64> =
        reports.iter().map(|report| report.as_ref().unwrap()["services"]["added"].as_u64().unwrap()).collect();
    assert_eq!(added.iter().sum::<u64>(), 49);
    let version = version(&pool).await;
    assert_eq!(version_in_redis(&app).await, Some(version));
    assert!(reports.iter().all(|report| report.as_ref().unwrap()["version"] == version));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn publishing_a_version_waits_for_an_uncommitted_newer_one(pool: PgPool) {
    let app = app(&pool);
    let mut faster = pool.begin().await.unwrap();
    sqlx::query("update catalogue_versions set version = 7").execute(&mut *faster).await.unwrap();
    announce_change(&app.redis).await.unwrap();

    let commit = async {
        testing::a_lock_is_waited_for(&pool).await;
        faster.commit().await.unwrap();
    };
    let (told, ()) = tokio::join!(publish(&app.database, &app.redis), commit);
    told.unwrap();
    assert_eq!(version_in_redis(&app).await, Some(7));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_import_with_changes_is_refused_without_redis(pool: PgPool) {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let app = App { redis: testing::redis_at(&url, &testing::random_prefix()), ..app(&pool) };
    import(&app, &testing::catalogue_files()).await.unwrap();
    network.set(Fault::Stopped);
    let cheaper = with("service_pricing.csv", |text| text.replacen("1,1,559.00", "1,1,1.15", 1));
    assert_eq!(
        import(&app, &cheaper).await,
        Err("nothing was changed: Redis did not take the announcement, and old prices could have stayed in the cache"
            .to_owned())
    );
    let price: i64 =
        sqlx::query_scalar("select price_paise from service_prices where service_id = 1 and vehicle_model_id = 1")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(price, 55_900);
    assert!(import(&app, &testing::catalogue_files()).await.is_ok(), "an import that changes nothing needs no Redis");
}
