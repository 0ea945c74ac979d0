//! Test support for the functions: a client at the gateway, the real catalogue, a network with faults.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "test code"
)]

mod client;
mod counts;
mod log;
mod network;
mod programs;

use std::{fs, path::Path, time::Duration};

use chrono::{Datelike, Days, NaiveDate, Utc, Weekday};
use serde_json::Value;
use sqlx::PgPool;

pub use client::{Answer, Client, ORIGIN};
pub use counts::Counts;
pub use log::Log;
pub use network::{Fault, Network};
pub use programs::{for_postgres, postgres_programs, redis_program};

use descope_stand_in::StandIn;

use shared::{
    catalogue::import::{self, Files, Mode, Report},
    config::{self, Live, Settings},
    database::Database,
    descope::{Descope, Keys},
    history::{Author, Source},
    redis::Redis,
    session::Sessions,
    sign_in::{Admits, Limits, Messages, Seals, SignIn},
    staff::{ConfiguredKeys, StaffKeys},
    throttle::Throttle,
};

/// URL of Redis, for a [`Network`] in front of it.
pub fn redis_url() -> String {
    config::optional(config::REDIS_URL).unwrap_or_else(|| "redis://127.0.0.1:6379".to_owned())
}

/// The real Redis, with a key prefix that no other test uses. Its keys expire.
pub fn redis() -> Redis {
    redis_at(&redis_url(), &random_prefix())
}

/// Redis at another address, with this key prefix.
pub fn redis_at(url: &str, prefix: &str) -> Redis {
    Redis::new(url, prefix).expect("REDIS_URL is a Redis URL")
}

/// A key prefix that no other test uses.
pub fn random_prefix() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    format!("test:{:016x}:", u64::from_be_bytes(bytes))
}

/// Sessions, verified against Descope's stand-in.
pub fn sessions(database: &Database, stand_in: &StandIn, redis: &Redis) -> Sessions {
    sessions_at(&stand_in.url(), database, redis)
}

/// Sessions with Descope at another address, e.g. that of a [`Network`] in front of the stand-in.
pub fn sessions_at(url: &str, database: &Database, redis: &Redis) -> Sessions {
    let descope = Descope::new(url, descope_stand_in::PROJECT_ID, descope_stand_in::MANAGEMENT_KEY).unwrap();
    Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis.clone()), descope }
}

/// Signing in, with these sessions and without rate limits.
pub fn sign_in(sessions: Sessions, redis: &Redis) -> SignIn {
    SignIn {
        sessions,
        seals: Seals::parse("test:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap(),
        throttle: no_throttle(redis),
        limits: Limits::from_env().unwrap(),
        admits: Admits::Everyone,
        messages: Messages {
            password_reset_url: Some("http://localhost:3000/reset".to_owned()),
            code_lifetime: Duration::from_mins(3),
            countries: "91,1".parse().unwrap(),
        },
    }
}

/// Sessions with an unreachable Descope, for tests without a sign-in.
pub fn no_sessions(database: &Database) -> Sessions {
    sessions_at("http://127.0.0.1:9", database, &redis())
}

/// A throttle that is switched off.
pub fn no_throttle(redis: &Redis) -> Throttle {
    Throttle::new(redis.clone(), false)
}

/// A staff key that is valid in tests, with the label `desk`.
pub const STAFF_KEY: &str = "key-of-the-desk";

/// Staff keys: [`STAFF_KEY`] and those in the database.
pub fn staff_keys(database: &Database, throttle: &Throttle) -> StaffKeys {
    let keys = StaffKeys::from_settings(&Settings::default(), database.clone(), throttle.clone()).unwrap();
    let configured: ConfiguredKeys = format!("desk:{STAFF_KEY}").parse().unwrap();
    StaffKeys { configured: Live::fixed(configured), ..keys }
}

/// Marks the address or number of every known Descope user as proved here, as a code or link would.
pub async fn prove_identities(pool: &PgPool) {
    sqlx::query("update user_identities set is_proven = true").execute(pool).await.unwrap();
}

/// The files of `local/catalogue/`.
pub fn catalogue_files() -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalogue");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_data = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "csv" || end == "json");
    let named = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
    };
    files.filter(is_data).map(named).collect()
}

/// Imports these files, which must be valid.
pub async fn import(files: &Files, pool: &PgPool, redis: &Redis) -> Report {
    let (catalogue, database) = (import::parse(files).unwrap(), Database::from(pool.clone()));
    import::import(&catalogue, &database, redis, Mode::Replace, &Author::system(Source::Import)).await.unwrap()
}

/// Imports the catalogue of `local/catalogue/`.
pub async fn import_catalogue(pool: &PgPool, redis: &Redis) -> Report {
    import(&catalogue_files(), pool, redis).await
}

/// The next `weekday` that is at least a week away, well within the booking horizon. The shop of `local/catalogue/` is
/// closed on Tuesdays.
pub fn next(weekday: Weekday) -> NaiveDate {
    let mut day = Utc::now().date_naive() + Days::new(7);
    while day.weekday() != weekday {
        day = day + Days::new(1);
    }
    day
}

/// Waits until a condition holds; panics after ten seconds.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let mut pulse = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..500 {
        if holds().await {
            return;
        }
        pulse.tick().await;
    }
    panic!("{what}: not within ten seconds");
}

/// Waits until a connection waits for a lock in this database.
pub async fn a_lock_is_waited_for(pool: &PgPool) {
    let waiting = "select exists (select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock')";
    let waits = async || sqlx::query_scalar(waiting).fetch_one(pool).await.unwrap();
    eventually("a session waits for a lock", waits).await;
}

/// A body with every timestamp replaced by `<moment>`, after a check of its format.
pub fn timeless(mut body: Value) -> Value {
    match &mut body {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if ["created_at", "updated_at", "at"].contains(&name.as_str()) {
                    let text = value.as_str().expect("a moment is a text");
                    let is_written_right =
                        text.len() == 32 && text.get(19..20) == Some(".") && text.ends_with("+00:00");
                    assert!(is_written_right, "{name} is {text}");
                    *value = Value::from("<moment>");
                } else {
                    *value = timeless(value.take());
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = timeless(item.take())),
        _ => {}
    }
    body
}
