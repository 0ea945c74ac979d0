//! Reading the settings, also while Secrets Manager is slow, throttling or down.

use std::{
    env, io,
    process::Command,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::json;
use shared::config::{
    DATABASE_SECRET_ID, DATABASE_URL, DESCOPE_MANAGEMENT_KEY, Error, Live, Pace, RAZORPAY_KEY_ID, REDIS_SECRET_ID,
    REDIS_URL, SECRET_ID, STAFF_API_KEYS, Settings, Variable,
};
use testing::Fault;
use tokio::sync::Barrier;
use tracing_subscriber::fmt::MakeWriter;

use crate::servers::{Aws, Door, QUICK};

/// The live value of one variable.
fn value(settings: &Settings, variable: Variable) -> Live<String> {
    settings.live(move |values| values.required(variable)).unwrap()
}

/// The current value, or the error as text.
fn now(live: &Live<String>) -> String {
    live.get().map_or_else(|error| error.to_string(), |value| (*value).clone())
}

const UNKNOWN: &str = "DESCOPE_MANAGEMENT_KEY is not set";

#[tokio::test]
async fn three_secrets_are_read_concurrently_and_the_environment_takes_precedence() {
    let aws = Aws::start().await;
    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "of the secret", "STAFF_API_KEYS": "of the secret" })).await;
    aws.put("database", json!({ "username": "sho p", "password": "a/b:c@d%41é", "port": 5432 })).await;
    aws.put("redis", json!({ "password": "r#?" })).await;
    let (own, database, redis) = (aws.id("own"), aws.id("database"), aws.id("redis"));
    let variables = [
        (SECRET_ID, own.as_str()),
        (DATABASE_SECRET_ID, &database),
        (REDIS_SECRET_ID, &redis),
        (DATABASE_URL, "postgresql://db.example:5432/shop?sslmode=verify-full"),
        (REDIS_URL, "rediss://cache.example:6379"),
        (STAFF_API_KEYS, "of the environment"),
    ];
    // Answers only three concurrent calls: sequential ones would time out.
    let config = aws.config_by(Door::ForTogether(Arc::new(Barrier::new(3)))).await;
    let settings = Settings::of(&variables, Some(config), QUICK);
    settings.ready().await;
    assert!(settings.is_complete());

    assert_eq!(now(&value(&settings, DESCOPE_MANAGEMENT_KEY)), "of the secret");
    assert_eq!(now(&value(&settings, STAFF_API_KEYS)), "of the environment");
    assert_eq!(value(&settings, RAZORPAY_KEY_ID).get(), Err(Error::Missing("RAZORPAY_KEY_ID")));
    let url = |variable, login| settings.live(move |values| values.url::<String>(variable, login)).unwrap();
    assert_eq!(
        now(&url(DATABASE_URL, DATABASE_SECRET_ID)),
        "postgresql://sho%20p:a%2Fb%3Ac%40d%2541%C3%A9@db.example:5432/shop?sslmode=verify-full"
    );
    assert_eq!(now(&url(REDIS_URL, REDIS_SECRET_ID)), "rediss://:r%23%3F@cache.example:6379");
}

#[tokio::test]
async fn a_url_that_names_its_user_and_password_keeps_them() {
    let aws = Aws::start().await;
    aws.put("database", json!({ "username": "u", "password": "p" })).await;
    let id = aws.id("database");
    for (url, complete) in [
        ("postgresql://me:mine@db/shop", "postgresql://me:mine@db/shop"),
        ("postgresql://me@db/shop", "postgresql://me:p@db/shop"),
        ("postgresql://db/shop", "postgresql://u:p@db/shop"),
    ] {
        let settings = aws.settings(&[(DATABASE_SECRET_ID, id.as_str()), (DATABASE_URL, url)], QUICK).await;
        let url = settings.live(|values| values.url::<String>(DATABASE_URL, DATABASE_SECRET_ID)).unwrap();
        assert_eq!(now(&url), complete);
    }
}

#[tokio::test]
async fn without_secret_ids_aws_is_not_called_and_a_missing_variable_is_an_error() {
    let aws = Aws::start().await;
    let settings = aws.settings(&[(STAFF_API_KEYS, "a:b"), (SECRET_ID, " ")], QUICK).await;
    settings.renew_if_old().await;
    let keys = value(&settings, STAFF_API_KEYS);
    assert_eq!(now(&keys), "a:b");
    assert!(keys.instead_of(&keys.get().unwrap()).await.is_none());
    let missing = settings.live(|values| values.required(DESCOPE_MANAGEMENT_KEY));
    assert_eq!(missing.unwrap_err(), Error::Missing("DESCOPE_MANAGEMENT_KEY"));
    assert_eq!((settings.is_complete(), aws.network.connections()), (true, 0));
}

/// Captures the log of a test, which runs on one thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false).with_target(false);
        let guard = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
        (log, guard)
    }

    /// Lines above `INFO` logged since the last call.
    fn take(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().filter(|line| !line.starts_with(" INFO")).map(ToOwned::to_owned).collect()
    }
}

#[tokio::test]
async fn an_unreadable_secret_logs_one_line_per_attempt_without_its_content() {
    let aws = Aws::start().await;
    let (log, _guard) = Log::start();
    for (secret, reason) in [
        (None, "Secrets Manager answered ResourceNotFoundException"),
        (Some("hunter2"), "it is no JSON object"),
        (Some(r#"{"DESCOPE_MANAGEMENT_KEY": "hunter2""#), "it is no JSON object"),
        (Some(r#"["hunter2"]"#), "it is no JSON object"),
        (Some(r#""hunter2""#), "it is no JSON object"),
    ] {
        if let Some(secret) = secret {
            aws.put("own", secret).await;
        }
        log.take();
        let settings = Settings::of(&[(SECRET_ID, &aws.id("own"))], Some(aws.config()), QUICK);
        let key = value(&settings, DESCOPE_MANAGEMENT_KEY);
        let line = format!("ERROR secret not read variable=\"SECRET_ID\" secret=\"{}\" reason={reason}", aws.id("own"));
        settings.ready().await;
        assert_eq!(log.take(), [line.as_str()]);
        assert_eq!((now(&key), settings.is_complete()), (UNKNOWN.to_owned(), false));
        settings.renew_if_old().await;
        assert_eq!(log.take(), [line.as_str()], "the second try");
    }
    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "well" })).await;
    let settings = aws.settings(&[(SECRET_ID, &aws.id("own"))], QUICK).await;
    assert_eq!(now(&value(&settings, DESCOPE_MANAGEMENT_KEY)), "well");
    assert_eq!(log.take(), [""; 0]);
}

#[tokio::test]
async fn a_throttled_call_is_retried() {
    let aws = Aws::start().await;
    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "k" })).await;
    let config = aws.config_by(Door::Throttles(AtomicUsize::new(2))).await;
    let settings = Settings::of(&[(SECRET_ID, &aws.id("own"))], Some(config), QUICK);
    settings.ready().await;
    assert_eq!(now(&value(&settings, DESCOPE_MANAGEMENT_KEY)), "k");

    let (log, _guard) = Log::start();
    let config = aws.config_by(Door::Throttles(AtomicUsize::new(3))).await;
    let settings = Settings::of(&[(SECRET_ID, &aws.id("own"))], Some(config), QUICK);
    settings.ready().await;
    assert!(log.take()[0].ends_with("reason=Secrets Manager answered ThrottlingException"));
    settings.renew_if_old().await;
    assert_eq!(now(&value(&settings, DESCOPE_MANAGEMENT_KEY)), "k");
}

#[tokio::test]
async fn a_function_starts_while_secrets_manager_is_slow_or_down_and_the_next_request_retries() {
    let aws = Aws::start().await;
    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "k" })).await;
    for fault in [Fault::BlackHole, Fault::Stopped] {
        aws.network.set(fault);
        let pace = Pace { patience: Duration::from_millis(300), ..QUICK };
        let settings = Settings::of(&[(SECRET_ID, &aws.id("own"))], Some(aws.config()), pace);
        let key = value(&settings, DESCOPE_MANAGEMENT_KEY);
        let started = Instant::now();
        settings.ready().await;
        settings.renew_if_old().await;
        assert!(started.elapsed() < Duration::from_secs(3), "{fault:?}: {:?}", started.elapsed());
        assert_eq!(now(&key), UNKNOWN, "{fault:?}");
        aws.network.set(Fault::None);
        let back = async || {
            settings.renew_if_old().await;
            now(&key) == "k"
        };
        testing::eventually("the secret is read", back).await;
    }
}

#[tokio::test]
async fn a_value_is_kept_until_it_expires_and_while_secrets_manager_is_down() {
    let aws = Aws::start().await;
    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "old" })).await;
    let own = aws.id("own");
    let lasting = aws.settings(&[(SECRET_ID, &own)], QUICK).await;
    let pace = Pace { lifetime: Duration::ZERO, renewal_patience: Duration::from_secs(2), ..QUICK };
    let passing = aws.settings(&[(SECRET_ID, &own)], pace).await;
    let (lasting_key, passing_key) = (value(&lasting, DESCOPE_MANAGEMENT_KEY), value(&passing, DESCOPE_MANAGEMENT_KEY));

    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "new" })).await;
    lasting.renew_if_old().await;
    assert_eq!(now(&lasting_key), "old");
    aws.network.set(Fault::Stopped);
    passing.renew_if_old().await;
    assert_eq!(now(&passing_key), "old");
    aws.network.set(Fault::None);
    let renewed = async || {
        passing.renew_if_old().await;
        now(&passing_key) == "new"
    };
    testing::eventually("the new value is read", renewed).await;
}

#[tokio::test]
async fn an_invalid_new_value_does_not_replace_the_old_one() {
    let aws = Aws::start().await;
    aws.put("own", json!({ "RAZORPAY_KEY_ID": "7" })).await;
    let settings = aws.settings(&[(SECRET_ID, &aws.id("own"))], QUICK).await;
    let number: Live<u8> = settings.live(|values| values.or_default(RAZORPAY_KEY_ID, 0)).unwrap();
    let seven = number.get().unwrap();
    assert_eq!(*seven, 7);
    for unusable in ["seven", "300"] {
        aws.put("own", json!({ "RAZORPAY_KEY_ID": unusable })).await;
        assert!(number.instead_of(&seven).await.is_none(), "{unusable}");
        assert_eq!(*number.get().unwrap(), 7, "{unusable}");
    }
    aws.put("own", json!({ "RAZORPAY_KEY_ID": "8" })).await;
    assert_eq!(*number.instead_of(&seven).await.unwrap(), 8);
}

#[tokio::test]
async fn refusals_call_secrets_manager_at_most_once_per_pause() {
    let aws = Aws::start().await;
    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "k" })).await;
    let own = aws.id("own");
    let (pace, variables) = (Pace { pause: Duration::from_hours(1), ..QUICK }, [(SECRET_ID, own.as_str())]);
    // The read at the start fails, so that it does not count as a recent call.
    aws.network.set(Fault::Stopped);
    let settings = Settings::of(&variables, Some(aws.config()), pace);
    settings.ready().await;
    aws.network.set(Fault::None);
    let key = value(&settings, DESCOPE_MANAGEMENT_KEY);
    settings.renew_if_old().await;
    let before = aws.network.requests();
    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "new" })).await;
    let refused = key.get().unwrap();
    let others = join_all((0..10).map(|_| key.instead_of(&refused))).await;
    assert!(others.iter().all(Option::is_none));
    assert_eq!(aws.network.requests(), before, "one call a moment ago is enough");

    let settings = aws.settings(&variables, QUICK).await;
    let key = value(&settings, DESCOPE_MANAGEMENT_KEY);
    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "newer" })).await;
    let refused = key.get().unwrap();
    assert_eq!(**refused, *"new");
    let others = join_all((0..10).map(|_| key.instead_of(&refused))).await;
    assert!(others.iter().all(|other| other.as_ref().is_some_and(|other| **other == "newer")));
}

#[tokio::test]
async fn the_environment_sets_the_endpoint_and_credentials_of_secrets_manager() {
    let aws = Aws::start().await;
    aws.put("own", json!({ "DESCOPE_MANAGEMENT_KEY": "of the secret" })).await;
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "reading::in_an_environment_of_its_own", "--ignored", "--nocapture"])
        .env_clear()
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", aws.port))
        .env("AWS_REGION", "ap-south-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_SESSION_TOKEN", "test")
        .env("SECRET_ID", aws.id("own"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "another test runs it with variables of its own"]
async fn in_an_environment_of_its_own() {
    let settings = Settings::start().await;
    let key = value(&settings, DESCOPE_MANAGEMENT_KEY);
    settings.ready().await;
    assert_eq!(now(&key), "of the secret");
}
