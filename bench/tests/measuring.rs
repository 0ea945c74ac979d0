//! Tests of the bench's measurements.
#![expect(clippy::disallowed_methods, reason = "test code, which finds its servers as every test does")]

use std::{env, path::Path, time::Duration};

use bench::{
    instance::Instance,
    proxy::Proxy,
    request::Request,
    statements::{self, Statement},
};
use chrono::{NaiveDate, NaiveTime};
use redis::AsyncCommands;
use serde_json::{Map, Value, json};
use sqlx::{ConnectOptions, Connection, PgPool, postgres::PgConnectOptions};
use url::Url;

async fn start(binary: &str, environment: &[(&str, &str)]) -> bench::Result<Instance> {
    let environment: Vec<_> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench.log");
    Instance::start(Path::new(binary), &environment, &log).await
}

#[tokio::test]
async fn a_function_is_measured_from_its_start_to_its_answer() {
    let mut bare = start(env!("CARGO_BIN_EXE_bare"), &[]).await.unwrap();
    assert!(bare.init > Duration::ZERO);
    let request = Request::get("/");
    for _ in 0..3 {
        let answer = bare.invoke(request.event()).await.unwrap();
        assert_eq!(Request::outcome(&answer), (200, "{}"));
        assert!(answer.time > Duration::ZERO);
        request.check(&answer).unwrap();
    }
    assert!(bare.peak_memory().unwrap() > 1 << 20);
    assert!(bare.cpu_time().unwrap() > Duration::ZERO);
}

#[tokio::test]
async fn an_unexpected_status_ends_the_measurement() {
    let mut bare = start(env!("CARGO_BIN_EXE_bare"), &[]).await.unwrap();
    let request = Request::get("/made").answered_with(201);
    let answer = bare.invoke(request.event()).await.unwrap();
    assert_eq!(request.check(&answer).unwrap_err().to_string(), "GET /made was answered with 200: {}");
    let failed = start(env!("CARGO_BIN_EXE_bare_redis"), &[]).await.unwrap_err().to_string();
    assert!(failed.contains("ended at its start"), "{failed}");
}

#[test]
fn a_request_is_the_same_over_http_and_as_an_event() {
    let body = json!({ "customer_name": "Zoë" });
    let request = Request::post("/api/bookings/?source=app", &body).from_address("198.18.0.7");
    let event: Value = serde_json::from_str(&request.event()).unwrap();
    let http = request.http();
    let (head, sent) = http.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    assert_eq!(lines.next(), Some("POST /api/bookings/?source=app HTTP/1.1"));
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "198.18.0.7");
    assert_eq!(event["body"], sent);
    let mut headers: Map<String, Value> =
        lines.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.to_owned(), value.into())).collect();
    assert_eq!(headers.remove("connection"), Some("close".into()));
    assert_eq!(event["headers"], Value::Object(headers));
    assert_eq!(event["headers"]["content-length"], sent.len().to_string());
    assert_eq!(event["headers"]["x-forwarded-for"], "198.18.0.7");
}

#[tokio::test]
async fn a_round_trip_is_counted_once() {
    let mut url = Url::parse(&env::var("REDIS_URL").unwrap()).unwrap();
    let (key, text) = ("bench:tests:a_round_trip_is_counted_once", r#"{"data":[]}"#);
    let mut redis = redis::Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let _: () = redis.set(key, text).await.unwrap();
    let proxy = Proxy::start(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(6379))).await.unwrap();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address.port())).unwrap();

    let environment = [("REDIS_URL", url.as_str()), ("BENCH_REDIS_KEY", key)];
    let mut function = start(env!("CARGO_BIN_EXE_bare_redis"), &environment).await.unwrap();
    let before = proxy.turns();
    for _ in 0..5 {
        let answer = function.invoke(Request::get("/").event()).await.unwrap();
        assert_eq!(Request::outcome(&answer), (200, text));
    }
    assert_eq!(proxy.turns() - before, 5);
    let _: () = redis.unlink(key).await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn statements_are_read_off_the_wire_with_their_values(pool: PgPool) {
    let mut url = pool.connect_options().to_url_lossy();
    let proxy = Proxy::start(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432))).await.unwrap();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address.port())).unwrap();
    url.set_query(Some("sslmode=disable"));
    let mut connection = PgConnectOptions::from_url(&url).unwrap().connect().await.unwrap();
    let day = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap();
    let sql = "select $1::text, $2::bigint, $3::date, $4::time[], $5::text, $6::bytea, $7::boolean, $8::bigint[]";
    for number in [-1, 7] {
        sqlx::query(sql)
            .bind("10:00, they say")
            .bind(number)
            .bind(day)
            .bind(vec![noon, noon])
            .bind(None::<String>)
            .bind(b"\x00\xff".as_slice())
            .bind(true)
            .bind(Vec::<i64>::new())
            .execute(&mut connection)
            .await
            .unwrap();
    }
    sqlx::raw_sql("begin; commit").execute(&mut connection).await.unwrap();

    let run = statements::read(&proxy.sent()[0]).unwrap();
    let values = |number: &str| {
        let texts = ["10:00, they say", number, "2026-11-23", "{12:00:00,12:00:00}", "", "\\x00ff", "true", "{}"];
        texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty())).to_vec()
    };
    let expected = [
        Statement { sql: sql.to_owned(), values: values("-1") },
        Statement { sql: sql.to_owned(), values: values("7") },
        Statement { sql: "begin; commit".to_owned(), values: Vec::new() },
    ];
    assert_eq!(run[run.len() - 3..], expected);
    connection.close().await.unwrap();
}
