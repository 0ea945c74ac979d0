//! Service categories, services and prices as a frontend sees them.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::HashMap;

use serde_json::{Value, json};
use shared::{
    cache::Cache,
    database::{Database, MIGRATOR},
    redis::Redis,
    throttle::Limit,
};
use sqlx::PgPool;
use testing::{Client, timeless};

async fn shop(pool: &PgPool) -> (Client, Redis) {
    let redis = testing::redis();
    testing::import_catalogue(pool, &redis).await;
    let database = Database::from(pool.clone());
    let throttle = testing::no_throttle(&redis);
    let cache = Cache::new(redis.clone(), database.clone(), throttle, Limit::public_reads().unwrap());
    (Client::new(services::router(services::App { cache }), database), redis)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn categories_are_listed_with_the_number_of_their_services(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let list = timeless(client.get("/api/service-categories/").await.body);
    let first = json!({
        "id": 1, "name": "Periodic Service",
        "description": "Scheduled upkeep packages and inspections that keep a two-wheeler healthy between repairs.",
        "service_count": 3, "created_at": "<moment>", "updated_at": "<moment>"
    });
    assert_eq!(list["message"], "Service categories retrieved successfully");
    assert_eq!(list["data"][0], first);
    assert_eq!(
        timeless(client.get("/api/service-categories/1/").await.body),
        json!({ "error": false, "message": "Service category retrieved successfully", "data": first })
    );
    assert_eq!(client.get("/api/service-categories/99/").await.status, 404);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn services_show_their_lowest_price_as_a_number(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let lowest = sqlx::query_scalar::<_, i64>("select min(price_paise) from service_prices where service_id = 4");
    let lowest = lowest.fetch_one(&pool).await.unwrap();
    let shown = client.get("/api/services/4/").await;
    assert!(shown.text.contains(&format!("\"price\":{}.{:02}", lowest / 100, lowest % 100)), "{}", shown.text);
    let mut body = timeless(shown.body);
    body["data"]["price"] = json!("<price>");
    assert_eq!(
        body,
        json!({ "error": false, "message": "Service retrieved successfully", "data": {
            "id": 4, "service_category": 2, "category_name": "Engine", "name": "Engine Oil Change",
            "description": "Old oil drained, strainer cleaned, fresh oil of the recommended grade filled.",
            "duration_minutes": 30, "price": "<price>", "created_at": "<moment>", "updated_at": "<moment>"
        } })
    );
    sqlx::query("delete from service_prices where service_id = 5").execute(&pool).await.unwrap();
    assert_eq!(client.get("/api/services/5/").await.body["data"]["price"], Value::Null);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn services_are_filtered_by_category_under_all_its_names(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let all = client.get("/api/services/").await.body;
    assert_eq!(all["message"], "Services retrieved successfully");
    assert_eq!(all["data"].as_array().unwrap().len(), 49);
    let new = client.get("/api/services/?category_id=3").await;
    let old = client.get("/api/services/?service_category=3").await;
    assert_eq!(new.text, old.text);
    assert_eq!(client.get("/api/services/?category=3").await.text, new.text);
    let categories: Vec<&Value> =
        new.body["data"].as_array().unwrap().iter().map(|item| &item["service_category"]).collect();
    assert!(!categories.is_empty() && categories.iter().all(|category| **category == 3));
    assert_eq!(client.get("/api/services/?category_id=99").await.body["data"], json!([]));
    assert_eq!(client.get("/api/services/?category_id=").await.status, 400);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn services_of_a_model_are_those_that_it_has_a_price_for_at_that_price(pool: PgPool) {
    let (client, redis) = shop(&pool).await;
    let of = async |query: &str| client.get(&format!("/api/services/?{query}")).await.body["data"].clone();
    let whole = of("").await;
    sqlx::query("delete from service_prices where service_id = 5 and vehicle_model_id = 7")
        .execute(&pool)
        .await
        .unwrap();
    let priced = client.get("/api/service-pricing/by-vehicle/?vehicle_model_id=7").await.body;
    let mut prices: Vec<(i64, f64)> = priced["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["service_id"].as_i64().unwrap(), item["price"].as_str().unwrap().parse().unwrap()))
        .collect();
    prices.sort_by_key(|(service, _)| *service);
    // A service without a price for the model is left out; all else is as in the list of all services.
    let expected: Vec<Value> = prices
        .iter()
        .map(|(id, price)| {
            let mut service = whole.as_array().unwrap().iter().find(|item| item["id"] == *id).unwrap().clone();
            service["price"] = json!(price);
            service
        })
        .collect();
    assert!(!expected.is_empty() && expected.iter().all(|service| service["id"] != 5));
    assert_eq!(of("vehicle_model_id=7").await, json!(expected));
    let of_category: Vec<&Value> = expected.iter().filter(|service| service["service_category"] == 2).collect();
    for name in ["category_id", "service_category", "category"] {
        assert_eq!(of(&format!("{name}=2&vehicle_model_id=7")).await, json!(of_category), "{name}");
    }
    assert_eq!(of("").await, whole, "each list is cached by itself");
    assert_eq!(of("vehicle_model_id=9999").await, json!([]));
    assert_eq!(client.get("/api/services/?vehicle_model_id=Activa").await.status, 400);
    let ids: Vec<i64> = sqlx::query_scalar("update vehicle_models set archived_at = now() where id = 8 returning id")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!((ids, of("vehicle_model_id=8").await), (vec![8], json!([])));
    let mut commands = redis::Pipeline::new();
    commands.cmd("TTL").arg(redis.key(["catalogue:ready-entry:services?2@7"]));
    let (seconds,): (i64,) = redis.run(&commands).await.unwrap();
    assert!((3540..=3600).contains(&seconds), "{seconds}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_price_of_the_file_is_shown_to_the_paisa(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let files = testing::catalogue_files();
    let mut by_model: HashMap<&str, HashMap<i64, &str>> = HashMap::new();
    for line in files["service_pricing.csv"].lines().skip(1) {
        let [service, model, price] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        by_model.entry(model).or_default().insert(service.parse().unwrap(), price);
    }
    assert_eq!(by_model.len(), 220);
    for (model, prices) in by_model {
        let list = client.get(&format!("/api/service-pricing/by-vehicle/?vehicle_model_id={model}")).await.body;
        let shown: HashMap<i64, &str> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["service_id"].as_i64().unwrap(), item["price"].as_str().unwrap()))
            .collect();
        assert_eq!(shown, prices, "model {model}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_price_names_its_service_category_and_vehicle_model(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let list = timeless(client.get("/api/service-pricing/by-vehicle/?vehicle_model_id=7").await.body);
    assert_eq!(list["message"], "Service pricing retrieved successfully");
    let oil = list["data"].as_array().unwrap().iter().find(|item| item["service_id"] == 4).unwrap();
    assert_eq!(
        *oil,
        json!({
            "id": oil["id"], "service_id": 4, "service_name": "Engine Oil Change", "category_id": 2,
            "category_name": "Engine",
            "description": "Old oil drained, strainer cleaned, fresh oil of the recommended grade filled.",
            "duration_minutes": 30, "vehicle_model": 7, "price": oil["price"], "created_at": "<moment>",
            "updated_at": "<moment>"
        })
    );
    assert!(oil["id"].is_i64());
    let missing = client.get("/api/service-pricing/by-vehicle/").await;
    assert_eq!(missing.body["details"], json!({ "vehicle_model_id": ["This field is required."] }));
    let unknown = client.get("/api/service-pricing/by-vehicle/?vehicle_model_id=9999").await;
    assert_eq!((unknown.status, &unknown.body["data"]), (200, &json!([])));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_imported_price_is_shown_at_the_very_next_request(pool: PgPool) {
    let (client, redis) = shop(&pool).await;
    let path = "/api/service-pricing/by-vehicle/?vehicle_model_id=1";
    let price = async || client.get(path).await.body["data"][0]["price"].clone();
    assert_eq!(price().await, "559.00");
    let mut files = testing::catalogue_files();
    for price_text in ["1.15", "128.14", "99999.99"] {
        let changed = format!("service_id,vehicle_model_id,price\n1,1,{price_text}\n");
        files.insert("service_pricing.csv".to_owned(), changed);
        testing::import(&files, &pool, &redis).await;
        assert_eq!(price().await, price_text);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_route_answers_at_its_old_path_with_and_without_a_slash(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    for (path, query) in [
        ("service-categories", ""),
        ("service-categories/1", ""),
        ("services", "?category_id=2"),
        ("services/4", ""),
        ("service-pricing/by-vehicle", "?vehicle_model_id=7"),
    ] {
        let first = client.get(&format!("/api/{path}/{query}")).await;
        assert_eq!(first.status, 200, "{path}");
        for other in [
            format!("/api/{path}{query}"),
            format!("/api/services/{path}/{query}"),
            format!("/api/services/{path}{query}"),
        ] {
            let other = client.get(&other).await;
            assert_eq!((other.status, other.text), (200, first.text.clone()), "{path}");
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn prices_are_cached_for_half_an_hour_and_the_rest_for_an_hour(pool: PgPool) {
    let (client, redis) = shop(&pool).await;
    for (path, key, lifetime) in [
        ("/api/service-pricing/by-vehicle/?vehicle_model_id=7", "service-pricing?7", 1800),
        ("/api/services/?category_id=2", "services?2", 3600),
        ("/api/services/4/", "services/4", 3600),
        ("/api/service-categories/", "service-categories", 3600),
    ] {
        assert_eq!(client.get(path).await.status, 200);
        let mut commands = redis::Pipeline::new();
        commands.cmd("TTL").arg(redis.key(["catalogue:ready-entry:", key]));
        let (seconds,): (i64,) = redis.run(&commands).await.unwrap();
        assert!((lifetime - 60..=lifetime).contains(&seconds), "{path}: {seconds}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_list_of_services_takes_at_most_a_quarter_of_its_bytes_compressed(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let plain = client.get("/api/services/").await;
    let packed = client.with("Accept-Encoding", "gzip").get("/api/services/").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() * 4 <= plain.bytes.len(), "{} of {}", packed.bytes.len(), plain.bytes.len());
}
