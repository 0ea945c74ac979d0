//! What is left in Postgres of requests that were given up, and of a server that takes no more writes.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::time::Duration;

use axum::extract::State;
use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Result,
    database::{Database, MIGRATOR},
    http::{json as answer, routes},
};
use sqlx::{PgConnection, PgPool};
use testing::Client;

/// A change that waits for the row of the catalogue's version.
#[utoipa::path(post, path = "/change", responses((status = 200)))]
async fn change(State(database): State<Database>) -> Result<axum::response::Response> {
    let change = async |connection: &mut PgConnection| {
        sqlx::query("update catalogue_versions set version = version + 1").execute(connection).await.map(drop)
    };
    database.transaction::<_, sqlx::Error>(change).await?;
    Ok(answer(StatusCode::OK, &json!({})))
}

/// The same in no transaction, and so without a `lock_timeout`.
#[utoipa::path(post, path = "/statement", responses((status = 200)))]
async fn statement(State(database): State<Database>) -> Result<axum::response::Response> {
    sqlx::query("update catalogue_versions set version = version + 1").execute(&database.pool()).await?;
    Ok(answer(StatusCode::OK, &json!({})))
}

/// A function with a connection of its own.
fn environment(pool: &PgPool, deadline: Duration) -> (Client, Database) {
    let options = (*pool.connect_options()).clone();
    let database = Database::new(options.application_name("environment"));
    (Client::within(routes!(change, statement).with_state(database.clone()), database.clone(), deadline), database)
}

async fn backends(pool: &PgPool) -> i64 {
    let count = "select count(*) from pg_stat_activity
        where datname = current_database() and application_name like 'environment-%' and state <> 'idle'";
    sqlx::query_scalar(count).fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn requests_that_are_given_up_leave_no_statement_in_postgres(pool: PgPool) {
    let version = async || {
        let version: i64 = sqlx::query_scalar("select version from catalogue_versions").fetch_one(&pool).await.unwrap();
        version
    };
    let before = version().await;
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("select from catalogue_versions for update").execute(&mut *holder).await.unwrap();
    let (client, _) = environment(&pool, Duration::from_millis(600));
    for turn in 0..12 {
        let path = if turn % 2 == 0 { "/change" } else { "/statement" };
        assert_eq!(client.post(path, &json!({})).await.status, 503);
        assert_eq!(backends(&pool).await, 0, "after {turn}");
    }
    holder.rollback().await.unwrap();
    assert_eq!(client.post("/change", &json!({})).await.status, 200);
    assert_eq!(version().await, before + 1, "what was given up had no effect");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn after_a_failover_to_another_server_the_next_request_writes(pool: PgPool) {
    let (client, database) = environment(&pool, Duration::from_secs(4));
    // As the old primary answers that goes on as a replica.
    let demote = async || {
        sqlx::query("set default_transaction_read_only = on").execute(&database.pool()).await.unwrap();
    };
    for path in ["/change", "/statement"] {
        assert_eq!(client.post(path, &json!({})).await.status, 200);
        demote().await;
        assert_eq!(client.post(path, &json!({})).await.status, 503);
        assert_eq!(client.post(path, &json!({})).await.status, 200);
    }
    demote().await;
    let write =
        |pool| async move { sqlx::query("update catalogue_versions set version = version + 1").execute(&pool).await };
    database.read(write).await.unwrap();
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn work_that_no_caller_waits_for_has_a_statement_timeout_of_its_own(pool: PgPool) {
    let options = (*pool.connect_options()).clone().options([("statement_timeout", "50ms")]);
    let database = Database::new(options);
    let sleep = |pool: PgPool| async move { sqlx::query("select pg_sleep(0.2)").execute(&pool).await.map(drop) };
    let error = sleep(database.pool()).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("57014"));
    sleep(database.patient(Duration::from_secs(5)).pool()).await.unwrap();
    let impatient = database.patient(Duration::from_millis(20));
    assert!(sleep(impatient.pool()).await.is_err());
}
