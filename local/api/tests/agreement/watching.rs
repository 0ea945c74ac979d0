//! The scheduled check of readiness: `status` answers it, and an alarm notices when it does not find Postgres.

use std::time::Duration;

use serde_json::json;
use shared::{
    database::{Database, MIGRATOR},
    metrics::Count,
    throttle::{Limit, Throttle},
};
use sqlx::PgPool;
use testing::{Client, Counts};

use crate::template::{functions, resources};

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_scheduled_check_is_a_request_that_counts_the_service_as_ready(pool: PgPool) {
    let schedule = functions()["status"].properties["Events"]["CheckReady"]["Properties"].clone();
    assert_eq!(schedule["ScheduleExpression"], "rate(1 minute)");
    let event = serde_json::from_str(schedule["Input"].as_str().unwrap()).unwrap();
    let (database, redis) = (Database::from(pool), testing::redis());
    let throttle = Throttle::new(redis.clone(), true);
    let checks_per_address = Limit::new("test", 10, Duration::from_mins(1));
    let app = status::App { database: database.clone(), redis, throttle, checks_per_address, example: None };
    let counts = Counts::start();
    let answer = Client::new(status::router(app), database).event(event).await;
    assert_eq!((answer.status, answer.body["data"].clone()), (200, json!({ "database": "ok", "redis": "ok" })));
    assert_eq!(counts.of(Count::Ready), 1);
}

#[test]
fn a_check_that_does_not_run_raises_the_alarm_too() {
    let alarm = resources("AWS::CloudWatch::Alarm").remove("NotReadyAlarm").unwrap();
    assert_eq!(alarm["Properties"]["TreatMissingData"], "breaching");
    assert_eq!(alarm["Properties"]["MetricName"], Count::Ready.name());
}
