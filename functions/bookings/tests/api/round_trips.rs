//! Round trips to Postgres per request, including the pool's ping of a returned connection.

use serde_json::json;
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;
use testing::{Answer, Client, Network};

use super::{booking_with, client, monday, shop};

/// An environment behind a proxy that counts its round trips to Postgres, after its connection is open.
struct Watched {
    network: Network,
    database: Database,
    client: Client,
}

impl Watched {
    async fn new(pool: &PgPool) -> Self {
        shop(pool).await;
        let options = (*pool.connect_options()).clone();
        let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
        let database = Database::new(options.host("127.0.0.1").port(network.port()));
        let client = client(database.clone());
        let watched = Self { network, database, client };
        assert!(watched.database.is_ready().await);
        watched.returned().await;
        watched
    }

    async fn returned(&self) {
        let pool = self.database.pool();
        testing::eventually("the connection is back", async || pool.num_idle() == 1).await;
    }

    async fn count(&self, request: impl Future<Output = Answer>) -> usize {
        let before = self.network.requests();
        let answer = request.await;
        assert!(answer.status < 300, "{}", answer.text);
        self.returned().await;
        self.network.requests() - before
    }
}

// A type of our own among parameters or columns would be asked for by the first request.

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_takes_six_round_trips_and_the_first_three_more(pool: PgPool) {
    let watched = Watched::new(&pool).await;
    let mut counts = Vec::new();
    for time in ["10:00", "11:00"] {
        let body = booking_with(&json!({ "appointment_time": time }));
        counts.push(watched.count(watched.client.post("/api/bookings/", &body)).await);
    }
    // Begin, facts, booking, slots, commit and ping; the three statements between are prepared once.
    assert_eq!(counts, [9, 6]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn slots_take_one_statement(pool: PgPool) {
    let watched = Watched::new(&pool).await;
    let path = format!("/api/slots/?date={}&service_location=shop&vehicle_model_id=7&service_ids=2", monday());
    let mut counts = Vec::new();
    for _ in 0..2 {
        counts.push(watched.count(watched.client.get(&path)).await);
    }
    assert_eq!(counts, [3, 2]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn slots_are_planned_once_however_many_days_are_kept(pool: PgPool) {
    let watched = Watched::new(&pool).await;
    let years = "insert into slot_usage (pool, date, time, used, capacity)
        select 'shop', date '2020-01-01' + n / 10, time '09:00' + n % 10 * interval '15 minutes', 1, 3
        from generate_series(0, 20000) n";
    sqlx::query(years).execute(&pool).await.unwrap();
    sqlx::query("analyze").execute(&pool).await.unwrap();
    let path = format!("/api/slots/?date={}&service_location=shop&vehicle_model_id=7&service_ids=2", monday());
    for _ in 0..10 {
        assert_eq!(watched.client.get(&path).await.status, 200);
    }
    let plans = "select custom_plans, generic_plans from pg_prepared_statements
        where statement like '%from shops shop%' and statement not like '%pg_prepared_statements%'";
    let plans: (i64, i64) = sqlx::query_as(plans).fetch_one(&watched.database.pool()).await.unwrap();
    // Postgres plans a statement for its values five times before it compares.
    assert_eq!(plans, (5, 5));
}
