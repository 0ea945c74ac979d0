//! Lists and items of vehicle types, brands and models.

use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;
use testing::timeless;

use super::shop;

#[sqlx::test(migrator = "MIGRATOR")]
async fn types_are_listed_and_shown(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let scooter = json!({
        "id": 1, "name": "Scooter", "image": null, "created_at": "<moment>", "updated_at": "<moment>"
    });
    let list = client.get("/api/vehicle-types/").await;
    assert_eq!(list.status, 200);
    assert_eq!(
        timeless(list.body),
        json!({ "error": false, "message": "Vehicle types retrieved successfully", "data": [scooter, {
            "id": 2, "name": "Motorcycle", "image": null, "created_at": "<moment>", "updated_at": "<moment>"
        }] })
    );
    assert_eq!(
        timeless(client.get("/api/vehicle-types/1/").await.body),
        json!({ "error": false, "message": "Vehicle type retrieved successfully", "data": scooter })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn brands_and_models_are_filtered_by_their_parent(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let brands = timeless(client.get("/api/vehicle-brands/?vehicle_type=1").await.body);
    assert_eq!(brands["message"], "Vehicle brands retrieved successfully");
    let honda = json!({
        "id": 2, "vehicle_type": 1, "vehicle_type_name": "Scooter", "name": "Honda", "image": null,
        "created_at": "<moment>", "updated_at": "<moment>"
    });
    assert_eq!(brands["data"][1], honda);
    assert_eq!(timeless(client.get("/api/vehicle-brands/2").await.body)["data"], honda);

    let models = timeless(client.get("/api/vehicle-models/?vehicle_brand=2").await.body);
    assert_eq!(models["message"], "Vehicle models retrieved successfully");
    let activa = json!({
        "id": 7, "vehicle_brand": 2, "brand_name": "Honda", "vehicle_type_name": "Scooter", "name": "Activa 6G",
        "image": null, "created_at": "<moment>", "updated_at": "<moment>"
    });
    assert_eq!(models["data"][0], activa);
    assert_eq!(timeless(client.get("/api/vehicle-models/7/").await.body)["data"], activa);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_filter_is_required_and_an_unknown_parent_gives_an_empty_list(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let missing = client.get("/api/vehicle-brands/").await;
    assert_eq!(missing.status, 400);
    assert_eq!(
        missing.body,
        json!({
            "error": true, "message": "Vehicle type: This field is required.", "status_code": 400,
            "code": "VALIDATION_ERROR", "details": { "vehicle_type": ["This field is required."] },
            "detail": "Vehicle type: This field is required."
        })
    );
    let both = client.get("/api/vehicle-brands/?page=0").await;
    assert_eq!(
        both.body["details"],
        json!({
            "page": ["Ensure this value is greater than or equal to 1."], "vehicle_type": ["This field is required."]
        })
    );
    let wrong = client.get("/api/vehicle-models/?vehicle_brand=x").await;
    assert_eq!(wrong.body["details"], json!({ "vehicle_brand": ["A valid integer is required."] }));
    for path in ["/api/vehicle-brands/?vehicle_type=999", "/api/vehicle-models/?vehicle_brand=999"] {
        let empty = client.get(path).await;
        assert_eq!((empty.status, &empty.body["data"]), (200, &json!([])), "{path}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unknown_item_or_path_is_a_404_in_json(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    for (path, name) in [
        ("/api/vehicle-types/999", "Vehicle type"),
        ("/api/vehicle-brands/999/", "Vehicle brand"),
        ("/api/vehicle-models/-1/", "Vehicle model"),
        ("/api/vehicle-models/x/", "Page"),
        ("/api/vehicle-models/99999999999999999999/", "Page"),
        ("/api/vehicle-models/7/x", "Page"),
        ("/api/vehicles/", "Page"),
    ] {
        let answer = client.get(path).await;
        let sentence = format!("{name} not found");
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            answer.body,
            json!({
                "error": true, "message": sentence, "status_code": 404, "code": "NOT_FOUND", "details": {},
                "detail": sentence
            }),
            "{path}"
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_route_answers_at_its_old_path_with_and_without_a_slash(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    for (path, query) in [
        ("vehicle-types", ""),
        ("vehicle-types/1", ""),
        ("vehicle-brands", "?vehicle_type=1"),
        ("vehicle-brands/2", ""),
        ("vehicle-models", "?vehicle_brand=2"),
        ("vehicle-models/7", ""),
    ] {
        let first = client.get(&format!("/api/{path}/{query}")).await;
        assert_eq!(first.status, 200, "{path}");
        for other in [
            format!("/api/{path}{query}"),
            format!("/api/vehicles/{path}/{query}"),
            format!("/api/vehicles/{path}{query}"),
        ] {
            let other = client.get(&other).await;
            assert_eq!((other.status, other.text), (200, first.text.clone()), "{path}");
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_list_is_paged_on_request(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let whole = client.get("/api/vehicle-brands/?vehicle_type=1").await.body;
    let brands = whole["data"].as_array().unwrap().clone();
    assert_eq!(whole.get("count"), None);

    let page = client.get("/api/vehicle-brands/?vehicle_type=1&page=2&page_size=5").await.body;
    assert_eq!(page["data"], json!(brands[5..10]));
    assert_eq!(page["count"], brands.len());
    assert_eq!(page["next"], "/api/vehicle-brands/?vehicle_type=1&page=3&page_size=5");
    assert_eq!(page["previous"], "/api/vehicle-brands/?vehicle_type=1&page=1&page_size=5");

    let first = client.get("/api/vehicles/vehicle-types?page_size=2").await.body;
    assert_eq!((&first["next"], &first["previous"], &first["count"]), (&Value::Null, &Value::Null, &json!(2)));
    let unpaged = client.get("/api/vehicle-brands/?vehicle_type=1&page=2").await.body;
    assert_eq!(unpaged, whole, "`page` alone is ignored");
    let beyond = client.get("/api/vehicle-types/?page=9&page_size=1").await.body;
    assert_eq!((&beyond["data"], &beyond["next"]), (&json!([]), &Value::Null));
    assert_eq!(beyond["previous"], "/api/vehicle-types/?page=2&page_size=1");

    for (query, field) in
        [("page=0", "page"), ("page=x", "page"), ("page_size=0", "page_size"), ("page_size=101", "page_size")]
    {
        let refused = client.get(&format!("/api/vehicle-types/?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
        assert!(refused.body["details"].get(field).is_some(), "{query}");
    }
}
