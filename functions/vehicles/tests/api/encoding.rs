//! Compressed answers: what is sent, and what a client must know of it.

use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::shop;

const PATH: &str = "/api/vehicle-models/?vehicle_brand=2";

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_client_that_takes_gzip_gets_the_same_json_with_a_validator_of_its_own(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let packing = client.with("Accept-Encoding", "gzip, deflate, br");
    // Loaded for one encoding and cached for both.
    for _ in 0..2 {
        let (plain, packed) = (client.get(PATH).await, packing.get(PATH).await);
        assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
        assert_eq!(packed.unpacked(), plain.text);
        assert!(plain.body["data"].as_array().unwrap().len() > 1);
        assert_eq!(packed.header("etag"), format!("{}-gzip\"", plain.header("etag").trim_end_matches('"')));
        for answer in [&plain, &packed] {
            let varies: Vec<&str> = answer.header("vary").split(", ").collect();
            assert!(varies.contains(&"accept-encoding") && varies.contains(&"origin"), "{varies:?}");
            assert_eq!(answer.header("content-type"), "application/json");
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_encoding_is_answered_with_304_to_its_own_validator(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let packing = client.with("Accept-Encoding", "gzip");
    for client in [&client, &packing] {
        let tag = client.get(PATH).await.header("etag").to_owned();
        let again = client.with("If-None-Match", &tag).get(PATH).await;
        assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag.as_str()));
        assert_eq!(again.header("content-encoding"), "");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn identity_is_what_a_client_gets_that_refuses_gzip_or_a_proxy_that_strips_the_header(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let plain = client.get(PATH).await;
    for accepted in ["", "identity", "br", "gzip;q=0", "*"] {
        let answer = client.with("Accept-Encoding", accepted).get(PATH).await;
        assert_eq!((answer.header("content-encoding"), &answer.text), ("", &plain.text), "{accepted}");
        assert_eq!(answer.header("etag"), plain.header("etag"));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn pages_and_failures_are_encoded_too_where_they_are_large_enough(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let packing = client.with("Accept-Encoding", "gzip");
    for path in
        ["/api/vehicle-models/?vehicle_brand=2&page_size=100", "/api/vehicle-models/?vehicle_brand=2&page_size=3"]
    {
        let (plain, packed) = (client.get(path).await, packing.get(path).await);
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        assert_eq!(packed.unpacked(), plain.text);
    }
    let unknown = packing.get("/no-such-path").await;
    assert_eq!((unknown.status, unknown.header("content-encoding")), (404, ""));
    assert_eq!(unknown.body["code"], "NOT_FOUND");
}
