//! Postgres fails during a request: a clear error in time, no partial writes, and success once it is back.

use std::time::{Duration, Instant};

use serde_json::json;
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;
use testing::{Fault, Network};

use super::{book, booking, client, count, monday, shop};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_without_postgres_gets_a_timely_503_and_the_next_one_works(pool: PgPool) {
    shop(&pool).await;
    let options = (*pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let client = client(Database::new(options.host("127.0.0.1").port(network.port())));
    book(&client, &booking()).await;
    for fault in [Fault::Stopped, Fault::BlackHole] {
        network.set(fault);
        for path in ["/api/bookings/1/".to_owned(), format!("/api/slots/?date={}&service_location=shop", monday())] {
            let started = Instant::now();
            let away = client.get(&path).await;
            assert_eq!((away.status, &away.body["code"]), (503, &json!("SERVICE_UNAVAILABLE")), "{fault:?} {path}");
            assert!(started.elapsed() < Duration::from_secs(5), "{fault:?} took {:?}", started.elapsed());
        }
        let started = Instant::now();
        let away = client.post("/api/bookings/", &booking()).await;
        assert_eq!((away.status, &away.body["code"]), (503, &json!("SERVICE_UNAVAILABLE")), "{fault:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{fault:?} took {:?}", started.elapsed());
        network.set(Fault::None);
        assert_eq!(client.get("/api/bookings/1/").await.status, 200, "the very next request after {fault:?}");
    }
    assert_eq!(count(&pool, "bookings").await, 1);
    book(&client, &booking()).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_connection_lost_during_a_booking_leaves_nothing_behind(pool: PgPool) {
    shop(&pool).await;
    let options = (*pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let client = client(Database::new(options.host("127.0.0.1").port(network.port())));
    assert_eq!(client.get("/api/bookings/1/").await.status, 404);
    // Cuts the connection after one round trip of a booking, then after two, and so on.
    for cut_after in 1..=14 {
        let start = network.requests();
        let body = booking();
        let keyed = client.with("Idempotency-Key", "retry");
        let cut = async {
            while network.requests() < start + cut_after {
                tokio::task::yield_now().await;
            }
            network.set(Fault::Stopped);
        };
        network.set(Fault::Slow(Duration::from_millis(2)));
        let (answer, ()) = futures::join!(keyed.post("/api/bookings/", &body), cut);
        assert_eq!(answer.status, 503, "cut after {cut_after}: {}", answer.text);
        network.set(Fault::None);
    }
    let retry = client.with("Idempotency-Key", "retry").post("/api/bookings/", &booking()).await;
    assert_eq!(retry.status, 201);
    let whole = (count(&pool, "bookings").await, count(&pool, "booking_events").await, count(&pool, "outbox").await);
    assert_eq!(whole, (1, 1, 1));
    let used: i64 = sqlx::query_scalar("select sum(used) from slot_usage").fetch_one(&pool).await.unwrap();
    assert_eq!(used, 4, "the quarters of one slot");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_next_booking_succeeds_after_a_restart_of_postgres(pool: PgPool) {
    shop(&pool).await;
    let client = client(Database::new((*pool.connect_options()).clone()));
    book(&client, &booking()).await;
    // Closes idle connections, as a restart does.
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
        .execute(&pool)
        .await
        .unwrap();
    book(&client, &booking()).await;
}
