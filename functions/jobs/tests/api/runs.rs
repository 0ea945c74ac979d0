//! What is kept of a job's last run.

use std::time::{Duration, Instant};

use jobs::{App, Event};
use serde_json::{Value, json};
use shared::{
    Error,
    database::{Database, MIGRATOR},
};
use sqlx::PgPool;

use crate::World;

async fn runs(pool: &PgPool) -> Value {
    sqlx::query_scalar(
        "select json_agg(json_build_object('job', job, 'has_ended', ended_at >= started_at, 'outcome', outcome,
            'error', error) order by job) from job_runs",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_last_run_of_each_job_is_kept_with_what_it_did(pool: PgPool) {
    let world = World::new(pool).await;
    world.run("sweep").await;
    sqlx::query(
        "insert into payment_events (event_id, event, received_at) values ('old', 'x', now() - interval '31 days')",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let swept = world.run("sweep").await;
    assert_eq!(swept["payment_events"], 1);
    let delivered = world.run("deliver_outbox").await;
    let expected = json!([
        { "job": "deliver_outbox", "has_ended": true, "outcome": delivered, "error": null },
        { "job": "sweep", "has_ended": true, "outcome": swept, "error": null },
    ]);
    assert_eq!(runs(&world.pool).await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_that_fails_says_so_and_the_next_run_takes_its_place(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::query("alter table payment_events rename to gone").execute(&world.pool).await.unwrap();
    let failure = world.app.handle(Event::Sweep).await.unwrap_err().to_string();
    let failed = json!([{ "job": "sweep", "has_ended": true, "outcome": null, "error": failure }]);
    assert_eq!(runs(&world.pool).await, failed);
    sqlx::query("alter table gone rename to payment_events").execute(&world.pool).await.unwrap();
    let swept = world.run("sweep").await;
    let done = json!([{ "job": "sweep", "has_ended": true, "outcome": swept, "error": null }]);
    assert_eq!(runs(&world.pool).await, done);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_is_given_up_at_its_deadline_says_so_and_leaves_no_statement(pool: PgPool) {
    let world = World::new(pool).await;
    let options = (*world.pool.connect_options()).clone();
    let database = Database::new(options.application_name("jobs"));
    let app = App { database, ..world.app.clone() };
    let mut holder = world.pool.begin().await.unwrap();
    sqlx::query("lock table idempotency_keys").execute(&mut *holder).await.unwrap();
    let (end, deadline) = (Instant::now(), Instant::now() + Duration::from_millis(300));
    assert!(matches!(app.handle_within(Event::Sweep, end, deadline).await, Err(Error::Deadline)));
    let failure = Error::Deadline.to_string();
    let failed = json!([{ "job": "sweep", "has_ended": true, "outcome": null, "error": failure }]);
    assert_eq!(runs(&world.pool).await, failed);
    let active = "select count(*) from pg_stat_activity
        where datname = current_database() and application_name like 'jobs-%' and state <> 'idle'";
    assert_eq!(sqlx::query_scalar::<_, i64>(active).fetch_one(&world.pool).await.unwrap(), 0);
    holder.rollback().await.unwrap();
    assert!(app.handle(Event::Sweep).await.is_ok());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_runs_also_where_its_run_cannot_be_recorded(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::query("alter table job_runs rename to gone").execute(&world.pool).await.unwrap();
    assert_eq!(world.run("sweep").await["action"], "sweep");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_run_that_began_earlier_does_not_take_the_place_of_a_later_one(pool: PgPool) {
    let world = World::new(pool).await;
    // The later run begins while the earlier one works.
    sqlx::raw_sql(
        "create function begin_another() returns trigger language plpgsql as $$ begin
            update job_runs set started_at = now() + interval '1 second' where job = 'sweep';
            return null;
        end $$;
        create trigger begin_another after delete on outbox for each statement execute function begin_another()",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    world.run("sweep").await;
    let expected = json!([{ "job": "sweep", "has_ended": null, "outcome": null, "error": null }]);
    assert_eq!(runs(&world.pool).await, expected);
}
