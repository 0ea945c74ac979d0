//! Round trips to Postgres per booking, including the pool's ping of a returned connection.

use serde_json::json;
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;
use testing::Network;

use super::{booking_with, client, shop};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_takes_six_round_trips_and_the_first_of_an_environment_only_prepares_its_statements(pool: PgPool) {
    shop(&pool).await;
    let options = (*pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let database = Database::new(options.host("127.0.0.1").port(network.port()));
    assert!(database.is_ready().await);
    let client = client(database.clone());
    let pool = database.pool();
    let mut counts = Vec::new();
    for time in ["10:00", "11:00"] {
        testing::eventually("the connection is back", async || pool.num_idle() == 1).await;
        let before = network.requests();
        assert_eq!(
            client.post("/api/bookings/", &booking_with(&json!({ "appointment_time": time }))).await.status,
            201
        );
        testing::eventually("the connection is back", async || pool.num_idle() == 1).await;
        counts.push(network.requests() - before);
    }
    // Three statements are prepared. A type of our own among their parameters or columns would have to be asked for.
    assert_eq!(counts, [6 + 3, 6]);
}
