//! Rotation of the Postgres password while requests are served.

use axum::extract::State;
use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Result, accounts,
    config::{DATABASE_SECRET_ID, DATABASE_URL, Pace, Settings},
    database::Database,
    http::{Edge, json as answer, routes},
};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use testing::{Client, Fault, Network, eventually};

use crate::{
    servers::{Aws, Postgres, QUICK, postgres},
    tls::Tls,
};

#[utoipa::path(get, path = "/role", responses((status = 200)))]
async fn show(State(database): State<Database>) -> Result<axum::response::Response> {
    let role: String = sqlx::query_scalar("select current_user::text").fetch_one(&database.pool()).await?;
    Ok(answer(StatusCode::OK, &json!({ "role": role })))
}

/// Queries outside a transaction first, as a request does that authenticates its caller.
#[utoipa::path(post, path = "/role", responses((status = 200)))]
async fn change(State(database): State<Database>) -> Result<axum::response::Response> {
    let ask = |pool| async move { sqlx::query_scalar("select current_user::text").fetch_one(&pool).await };
    let role: String = database.read(ask).await?;
    let transaction = database.begin().await?;
    transaction.commit().await?;
    Ok(answer(StatusCode::OK, &json!({ "role": role })))
}

#[utoipa::path(post, path = "/unprotected", responses((status = 200)))]
async fn unprotected(State(database): State<Database>) -> Result<axum::response::Response> {
    sqlx::query("select 1").execute(&database.pool()).await?;
    Ok(answer(StatusCode::OK, &json!({})))
}

/// A role of the test's own, with its password in a secret, and a function that uses it.
struct Shop {
    aws: Aws,
    role: String,
    server: &'static Postgres,
    client: Client,
    database: Database,
}

impl Shop {
    async fn start(role: &str, pace: Pace) -> Self {
        let (aws, server) = (Aws::start().await, postgres().await);
        server.run(&format!("create role {role} login password 'old'")).await;
        aws.put("database", json!({ "username": role, "password": "old" })).await;
        let (url, id) = (format!("postgresql://127.0.0.1:{}/postgres", server.port), aws.id("database"));
        let settings = aws.settings(&[(DATABASE_URL, url.as_str()), (DATABASE_SECRET_ID, &id)], pace).await;
        let (client, database) = function(settings);
        Self { aws, role: role.to_owned(), server, client, database }
    }

    /// Changes the password and ends all connections.
    async fn change_password(&self, new: &str) {
        let role = &self.role;
        self.server.run(&format!("alter role {role} password '{new}'")).await;
        let end = format!("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = '{role}'");
        self.server.run(&end).await;
    }

    async fn tell(&self, password: &str) {
        self.aws.put("database", json!({ "username": self.role, "password": password })).await;
    }
}

fn function(settings: Settings) -> (Client, Database) {
    let database = Database::from_settings(&settings).unwrap();
    let router = routes!(show, change, unprotected);
    let edge = Edge::new(settings, database.clone());
    (Client::behind(router.with_state(database.clone()), edge), database)
}

#[tokio::test]
async fn no_request_fails_when_the_password_changes() {
    let shop = Shop::start("rotated", QUICK).await;
    let whole = (200, json!({ "role": "rotated" }));
    for (round, method) in ["GET", "POST", "GET", "POST"].into_iter().enumerate() {
        let answer = shop.client.send(method, "/role", None).await;
        assert_eq!((answer.status, answer.body), whole, "before {round}");
        let password = format!("new {round}");
        shop.change_password(&password).await;
        shop.tell(&password).await;
        let answer = shop.client.send(method, "/role", None).await;
        assert_eq!((answer.status, answer.body), whole, "after {round}, {method}");
    }
    shop.change_password("newest").await;
    shop.tell("newest").await;
    assert!(shop.database.is_ready().await);
}

#[tokio::test]
async fn an_early_connection_serves_the_first_query() {
    let (aws, server) = (Aws::start().await, postgres().await);
    server.run("create role early login password 'old'").await;
    aws.put("database", json!({ "username": "early", "password": "old" })).await;
    let (network, url) = Network::to_url(&format!("postgresql://127.0.0.1:{}/postgres", server.port)).await;
    let id = aws.id("database");
    let settings = Settings::of(&[(DATABASE_URL, &url), (DATABASE_SECRET_ID, &id)], Some(aws.config()), QUICK);
    let database = Database::from_settings(&settings).unwrap();
    database.open_early(&settings);
    eventually("Postgres is connected to", async || database.pool().num_idle() == 1).await;
    assert!(database.is_ready().await);
    assert_eq!(network.connections(), 1);
}

#[tokio::test]
async fn the_first_queries_of_a_sign_in_are_retried_with_the_new_password() {
    let shop = Shop::start("signing_in", QUICK).await;
    shop.change_password("for the time").await;
    shop.tell("for the time").await;
    accounts::now(&shop.database).await.unwrap();
    shop.change_password("for the identity").await;
    shop.tell("for the identity").await;
    let error = accounts::identity(&shop.database, "U2").await.unwrap_err();
    let code = error.as_database_error().unwrap().code();
    assert_eq!(code.as_deref(), Some("42P01"), "it was let in, to a database without our tables");
}

#[tokio::test]
async fn a_new_role_in_the_secret_replaces_the_old_one() {
    let shop = Shop::start("first_of_two", QUICK).await;
    assert_eq!(shop.client.get("/role").await.body, json!({ "role": "first_of_two" }));
    shop.server.run("create role second_of_two login password 'p@:/?#[]% é'").await;
    shop.aws.put("database", json!({ "username": "second_of_two", "password": "p@:/?#[]% é" })).await;
    shop.change_password("unknown").await;
    assert_eq!(shop.client.get("/role").await.body, json!({ "role": "second_of_two" }));
}

#[tokio::test]
async fn an_open_connection_survives_a_password_change_without_reading_the_secret() {
    let shop = Shop::start("lasting", QUICK).await;
    assert_eq!(shop.client.get("/role").await.status, 200);
    shop.server.run("alter role lasting password 'new'").await;
    let before = shop.aws.network.requests();
    assert_eq!(shop.client.get("/role").await.status, 200);
    assert_eq!(shop.aws.network.requests(), before);
}

#[tokio::test]
async fn a_statement_that_may_have_run_is_not_retried_but_the_next_request_succeeds() {
    let shop = Shop::start("once", QUICK).await;
    shop.change_password("new").await;
    shop.tell("new").await;
    assert_eq!(shop.client.post("/unprotected", &json!({})).await.status, 503);
    assert_eq!(shop.client.post("/unprotected", &json!({})).await.status, 200);
}

#[tokio::test]
async fn requests_get_503_until_the_secret_has_the_new_password() {
    let shop = Shop::start("behind", QUICK).await;
    shop.change_password("new").await;
    let answer = shop.client.get("/role").await;
    let sentence = "The service is not available at the moment. Please try again shortly.";
    let unavailable = json!({
        "error": true, "message": sentence, "status_code": 503, "code": "SERVICE_UNAVAILABLE", "details": {},
        "detail": sentence,
    });
    assert_eq!((answer.status, answer.body), (503, unavailable));
    shop.tell("new").await;
    assert_eq!(shop.client.get("/role").await.status, 200);
}

#[tokio::test]
async fn a_function_started_without_its_password_serves_once_the_secret_can_be_read() {
    let (aws, server) = (Aws::start().await, postgres().await);
    server.run("create role late login password 'p'").await;
    aws.put("database", json!({ "username": "late", "password": "p" })).await;
    aws.network.set(Fault::Stopped);
    let (url, id) = (format!("postgresql://127.0.0.1:{}/postgres", server.port), aws.id("database"));
    let settings = aws.settings(&[(DATABASE_URL, url.as_str()), (DATABASE_SECRET_ID, &id)], QUICK).await;
    let (client, _) = function(settings);
    assert_eq!(client.get("/role").await.status, 503);
    aws.network.set(Fault::None);
    eventually("it serves", async || client.get("/role").await.body == json!({ "role": "late" })).await;
}

#[tokio::test]
async fn an_expired_secret_is_re_read_while_a_request_is_served() {
    let shop = Shop::start("renewed", Pace { lifetime: std::time::Duration::ZERO, ..QUICK }).await;
    shop.tell("new").await;
    // Served with the known password while the new one is read.
    assert_eq!(shop.client.get("/role").await.status, 200);
    shop.change_password("new").await;
    shop.aws.network.set(Fault::Stopped);
    assert_eq!(shop.client.get("/role").await.status, 200);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_or_of_another_host_is_refused() {
    let server = postgres().await;
    let tls = Tls::before_postgres(server.port).await;
    server.run("create role careful login password 'p'").await;
    let options = PgConnectOptions::new_without_pgpass()
        .host("localhost")
        .port(tls.port)
        .username("careful")
        .password("p")
        .database("postgres")
        .ssl_mode(PgSslMode::VerifyFull);
    let trusting = options.clone().ssl_root_cert_from_pem(tls.authority.clone().into_bytes());
    assert!(Database::new(trusting.clone()).is_ready().await);
    assert!(!Database::new(options).is_ready().await, "nobody known signed it");
    assert!(!Database::new(trusting.host("127.0.0.1")).is_ready().await, "it is another's certificate");
}
