//! CloudFormation's events, and the answer PUT to the response URL that each of them carries.

use std::time::Duration;

use migrate::{App, Deployment, Invocation, NotTaken};
use serde_json::{Value, json};
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;
use testing::{Fault, Network, eventually};
use tokio::net::TcpListener;

use crate::{app, bucket::Bucket};

const STACK: &str = "arn:aws:cloudformation:ap-south-1:123456789012:stack/repairmybike/1";

/// An event as CloudFormation sends it.
fn event(kind: &str, bucket: &Bucket) -> Value {
    let mut event = json!({
        "RequestType": kind, "ServiceToken": "arn:aws:lambda:ap-south-1:123456789012:function:migrate",
        "ResponseURL": bucket.url, "StackId": STACK, "RequestId": "request-1", "LogicalResourceId": "Migration",
        "ResourceType": "Custom::Migration",
        "ResourceProperties": { "ServiceToken": "arn:…", "CodeVersion": "7", "ImportCatalogue": "false" }
    });
    if kind != "Create" {
        event["PhysicalResourceId"] = json!("schema-of-old");
    }
    event
}

async fn send(app: &App, event: Value) -> Result<(), NotTaken> {
    send_with(app, event, Duration::from_mins(15)).await
}

async fn send_with(app: &App, event: Value, time_left: Duration) -> Result<(), NotTaken> {
    let deployment: Deployment = serde_json::from_value(event).unwrap();
    app.deploy(&deployment, time_left).await
}

/// The answer without its revision, whose form is checked.
fn without_revision(mut answer: Value) -> Value {
    let revision = answer["Data"]["Revision"].take();
    let revision = revision.as_str().unwrap();
    assert!(revision.len() == 16 && revision.bytes().all(|digit| digit.is_ascii_hexdigit()), "{revision}");
    answer
}

fn told(status: &str, reason: &str, physical_id: &str) -> Value {
    json!({
        "Status": status, "Reason": reason, "PhysicalResourceId": physical_id, "StackId": STACK,
        "RequestId": "request-1", "LogicalResourceId": "Migration", "Data": { "Revision": null }
    })
}

async fn answer(app: &App, event: Value, bucket: &Bucket) -> Value {
    let before = bucket.answers().len();
    assert!(send(app, event).await.is_ok());
    let answers = bucket.answers();
    assert_eq!(answers.len(), before + 1);
    without_revision(answers[before].clone())
}

async fn applied(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from _sqlx_migrations").fetch_one(pool).await.unwrap()
}

async fn services(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from services").fetch_one(pool).await.unwrap()
}

fn all_migrations() -> i64 {
    MIGRATOR.iter().count().try_into().unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_new_stack_gets_the_schema_and_no_catalogue_by_default(pool: PgPool) {
    let bucket = Bucket::open().await;
    let answer = answer(&app(&pool), event("Create", &bucket), &bucket).await;
    assert_eq!(answer, told("SUCCESS", "", "schema"));
    assert_eq!((applied(&pool).await, services(&pool).await), (all_migrations(), 0));
    let put = bucket.puts()[0].clone();
    assert_eq!(put.request, "PUT /answer?Signature=abc%2Fdef HTTP/1.1");
    assert_eq!(put.headers.get("content-type"), None, "S3 would count it as part of the signature");
}

#[sqlx::test(migrations = false)]
async fn the_sample_catalogue_is_imported_on_request_and_kept_by_an_update(pool: PgPool) {
    let (app, bucket) = (app(&pool), Bucket::open().await);
    let mut asked = event("Create", &bucket);
    asked["ResourceProperties"]["ImportCatalogue"] = json!("true");
    assert_eq!(answer(&app, asked.clone(), &bucket).await, told("SUCCESS", "", "schema"));
    assert_eq!(services(&pool).await, 49);

    sqlx::query("update service_prices set price_paise = 100").execute(&pool).await.unwrap();
    asked["RequestType"] = json!("Update");
    assert_eq!(answer(&app, asked, &bucket).await["Status"], "SUCCESS");
    let prices: i64 = sqlx::query_scalar("select count(*) from service_prices where price_paise <> 100")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(prices, 0, "the shop's own prices stay");
}

#[sqlx::test(migrations = false)]
async fn a_repeated_event_is_answered_again_and_changes_nothing(pool: PgPool) {
    let (app, bucket) = (app(&pool), Bucket::open().await);
    for _ in 0..3 {
        assert_eq!(answer(&app, event("Create", &bucket), &bucket).await, told("SUCCESS", "", "schema"));
    }
    let together = (0..3).map(|_| send(&app, event("Update", &bucket)));
    for sent in futures::future::join_all(together).await {
        assert!(sent.is_ok());
    }
    let statuses: Vec<Value> = bucket.answers().iter().map(|answer| answer["Status"].clone()).collect();
    assert_eq!(statuses, vec![json!("SUCCESS"); 6]);
    assert_eq!(applied(&pool).await, all_migrations());
}

#[sqlx::test(migrations = false)]
async fn an_update_keeps_the_physical_id_and_a_changed_setting_changes_the_revision(pool: PgPool) {
    let (app, bucket) = (app(&pool), Bucket::open().await);
    assert_eq!(answer(&app, event("Update", &bucket), &bucket).await, told("SUCCESS", "", "schema-of-old"));
    assert_eq!(answer(&app, event("Update", &bucket), &bucket).await["Status"], "SUCCESS");
    let mut changed = event("Update", &bucket);
    changed["ResourceProperties"]["Settings"] = json!(["WARN"]);
    assert_eq!(answer(&app, changed, &bucket).await["Status"], "SUCCESS");
    let revisions: Vec<Value> = bucket.answers().iter().map(|answer| answer["Data"]["Revision"].clone()).collect();
    assert_eq!(revisions[0], revisions[1]);
    assert_ne!(revisions[1], revisions[2]);
}

#[sqlx::test(migrations = false)]
async fn a_failed_migration_fails_the_deployment_and_reveals_no_data(pool: PgPool) {
    // A foreign table blocks the migration, and its name must not be shown to all who see the stack.
    sqlx::query("create table vehicle_types (secret text)").execute(&pool).await.unwrap();
    let bucket = Bucket::open().await;
    let answer = answer(&app(&pool), event("Create", &bucket), &bucket).await;
    let first = MIGRATOR.iter().next().unwrap().version;
    let reason = format!("migration {first} failed (SQLSTATE 42P07); the log of the migrate function tells more");
    assert_eq!(answer, told("FAILED", &reason, "schema"));
    assert_eq!(applied(&pool).await, 0);
    // Lambda may freeze the environment from now on, and the rollback needs the lock.
    eventually("no migration's lock is held", async || migration_locks(&pool).await == 0).await;
}

/// The number of sessions that hold the lock of all migrations or wait for it.
async fn migration_locks(pool: &PgPool) -> i64 {
    let locks = "select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database
        where locktype = 'advisory' and datname = current_database()";
    sqlx::query_scalar(locks).fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_migration_that_was_changed_after_its_release_fails_the_deployment(pool: PgPool) {
    let first = MIGRATOR.iter().next().unwrap().version;
    sqlx::query("update _sqlx_migrations set checksum = '' where version = $1")
        .bind(first)
        .execute(&pool)
        .await
        .unwrap();
    let bucket = Bucket::open().await;
    let answer = answer(&app(&pool), event("Update", &bucket), &bucket).await;
    let reason = format!(
        "the schema was not migrated: migration {first} was previously applied but has been modified; the log of the \
         migrate function tells more"
    );
    assert_eq!(answer, told("FAILED", &reason, "schema-of-old"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_rollback_to_older_code_leaves_the_newer_schema_and_succeeds(pool: PgPool) {
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (29991231000000, 'of a later release', true, '', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let bucket = Bucket::open().await;
    let answer = answer(&app(&pool), event("Update", &bucket), &bucket).await;
    assert_eq!(answer, told("SUCCESS", "", "schema-of-old"));
    assert_eq!(applied(&pool).await, all_migrations() + 1);
}

#[sqlx::test(migrations = false)]
async fn deleting_the_stack_touches_nothing_and_needs_no_database(pool: PgPool) {
    let url = format!("postgres://127.0.0.1:{}/none", unused_port().await);
    let away = App { database: Database::new(url.parse().unwrap()), ..app(&pool) };
    let bucket = Bucket::open().await;
    assert_eq!(answer(&away, event("Delete", &bucket), &bucket).await, told("SUCCESS", "", "schema-of-old"));
    let tables: i64 =
        sqlx::query_scalar("select count(*) from information_schema.tables where table_schema = 'public'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(tables, 0);
}

async fn unused_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[sqlx::test(migrations = false)]
async fn a_catalogue_that_cannot_be_imported_fails_the_deployment(pool: PgPool) {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    network.set(Fault::Stopped);
    let app = App { redis: testing::redis_at(&url, &testing::random_prefix()), ..app(&pool) };
    let bucket = Bucket::open().await;
    let mut asked = event("Create", &bucket);
    asked["ResourceProperties"]["ImportCatalogue"] = json!("true");
    let reason = "nothing was changed: Redis did not take the announcement, and old prices could have stayed in the \
                  cache; the log of the migrate function tells more";
    assert_eq!(answer(&app, asked, &bucket).await, told("FAILED", reason, "schema"));
    assert_eq!(services(&pool).await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_refused_answer_is_sent_again(pool: PgPool) {
    let bucket = Bucket::refusing(2).await;
    assert!(send(&app(&pool), event("Create", &bucket)).await.is_ok());
    let answers = bucket.answers();
    assert_eq!((answers.len(), &answers[0], &answers[1]), (3, &answers[1], &answers[2]));
    assert_eq!(without_revision(answers[2].clone()), told("SUCCESS", "", "schema"));
}

#[sqlx::test(migrations = false)]
async fn an_answer_that_is_always_refused_fails_the_function_so_that_lambda_retries(pool: PgPool) {
    let bucket = Bucket::refusing(usize::MAX).await;
    assert!(send(&app(&pool), event("Delete", &bucket)).await.is_err());
    assert_eq!(bucket.answers().len(), 5);
}

#[sqlx::test(migrations = false)]
async fn a_migration_that_takes_too_long_is_reported_before_lambda_times_out(pool: PgPool) {
    let app = app(&pool);
    // Another migration holds this lock.
    let mut other = pool.acquire().await.unwrap();
    sqlx::migrate::Migrate::lock(&mut *other).await.unwrap();
    let bucket = Bucket::open().await;
    assert!(send_with(&app, event("Update", &bucket), Duration::from_millis(30_500)).await.is_ok());
    let reason = "not done within 0 s; the log of the migrate function tells more";
    assert_eq!(without_revision(bucket.answers()[0].clone()), told("FAILED", reason, "schema-of-old"));
    eventually("what was given up waits no longer", async || migration_locks(&pool).await == 1).await;
    sqlx::migrate::Migrate::unlock(&mut *other).await.unwrap();
    assert_eq!(answer(&app, event("Update", &bucket), &bucket).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn only_an_event_with_a_response_url_counts_as_cloudformation_s() {
    let cloudformation: Result<Invocation, _> = serde_json::from_value(event("Create", &Bucket::open().await));
    assert!(matches!(cloudformation, Ok(Invocation::Deployment(_))));
    let deployer: Result<Invocation, _> = serde_json::from_value(json!({ "action": "migrate" }));
    assert!(matches!(deployer, Ok(Invocation::Event(migrate::Event::Migrate))));
    let neither = serde_json::from_value::<Invocation>(json!({ "RequestType": "Create" })).unwrap_err();
    assert!(neither.to_string().contains("missing field `action`"), "{neither}");
}
