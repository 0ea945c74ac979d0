//! Events of a deployer and of CloudFormation to the migrate function, and its answers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod bookings;
mod bucket;
mod catalogue;
mod catalogue_files;
mod deploying;
mod open_money;
mod personnel;
mod persons;
mod quarters;
mod roles;
mod samples;
mod staff_keys;
mod waiting;

use migrate::{App, Event, Outcome, Roles};
use serde_json::{Value, json};
use shared::{
    config::Live,
    database::{Database, MIGRATOR},
    outgoing,
};
use sqlx::{Connection, PgConnection, PgPool};

fn app(pool: &PgPool) -> App {
    App {
        database: Database::from(pool.clone()),
        roles: Live::fixed(Roles::default()),
        redis: testing::redis(),
        personnel: None,
        answers: outgoing::client().unwrap(),
    }
}

/// The catalogue version that readers take as current.
async fn version_in_redis(app: &App) -> Option<i64> {
    let mut commands = redis::Pipeline::new();
    commands.cmd("GET").arg(app.redis.key(["catalogue:version"]));
    let (version,) = app.redis.run(&commands).await.unwrap();
    version
}

async fn handle(app: &App, event: Value) -> Result<Value, String> {
    let event: Event = serde_json::from_value(event).map_err(|error| error.to_string())?;
    let outcome: Result<Outcome, migrate::Error> = app.handle(event).await;
    outcome.map(|outcome| json!(outcome)).map_err(|error| error.to_string())
}

#[sqlx::test(migrations = false)]
async fn an_empty_database_is_migrated_once(pool: PgPool) {
    let app = app(&pool);
    let versions: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    let migrate = json!({ "action": "migrate" });
    assert_eq!(
        handle(&app, migrate.clone()).await,
        Ok(json!({ "action": "migrate", "applied": versions, "added": versions }))
    );
    assert_eq!(handle(&app, migrate).await, Ok(json!({ "action": "migrate", "applied": versions, "added": [] })));
    // From then on no reader reaches entries that another database left in Redis.
    assert_eq!(version_in_redis(&app).await, Some(1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn new_sessions_of_a_migrated_database_compile_no_statements(pool: PgPool) {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await.unwrap();
    let setting: String = sqlx::query_scalar("show jit").fetch_one(&mut connection).await.unwrap();
    assert_eq!(setting, "off");
}
