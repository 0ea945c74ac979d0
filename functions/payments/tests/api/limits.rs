//! Rate limits: reached before Postgres or Razorpay is asked.

use payments::{App, DEADLINE, Limits};
use razorpay_stand_in::StandIn;
use serde_json::json;
use shared::{
    database::{Database, MIGRATOR},
    throttle::Throttle,
};
use sqlx::PgPool;
use testing::{Client, Fault, Network};

use crate::{CREATE, VERIFY, gateway};

#[sqlx::test(migrator = "MIGRATOR")]
async fn verifications_and_orders_are_limited_by_ip_address_before_postgres_is_asked(pool: PgPool) {
    let razorpay = StandIn::start().await;
    let options = (*pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let database = Database::new(options.host("127.0.0.1").port(network.port()));
    let app = App {
        database: database.clone(),
        gateway: gateway(&razorpay),
        throttle: Throttle::new(testing::redis(), true),
        limits: Limits::from_env().unwrap(),
    };
    let client = Client::within(payments::router(app), database, DEADLINE);
    let junk = json!({ "razorpay_order_id": "order_1", "razorpay_payment_id": "pay_1", "razorpay_signature": "00" });
    let limits = [(VERIFY, junk, 60), (CREATE, json!({ "booking_id": 1 }), 30)];
    for (path, body, limit) in &limits {
        for _ in 0..*limit {
            assert_eq!(client.post(path, body).await.status, 404);
        }
    }
    network.set(Fault::Stopped);
    for (path, body, _) in &limits {
        let refused = client.post(path, body).await;
        assert_eq!((refused.status, &refused.body["code"]), (429, &json!("THROTTLED")));
    }
}
