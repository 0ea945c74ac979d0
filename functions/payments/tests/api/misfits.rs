//! Payments that do not fit their order: refunded or accepted by a person. And bookings that are paid again.

use jobs::Event;
use razorpay_stand_in::{Attempt, Outcome};
use serde_json::{Value, json};
use shared::{
    Error, Result,
    bookings::{Actor, booking},
    database::{Database, MIGRATOR},
    ids::BookingId,
    payments::{
        mismatches::{self, Kind, Wanted},
        refunds,
    },
    razorpay::Razorpay,
};
use sqlx::{PgConnection, PgPool};

use crate::{CREATE, World};

impl World {
    fn jobs(&self) -> jobs::App {
        let razorpay =
            Razorpay::new(&self.razorpay.url(), razorpay_stand_in::KEY_ID, razorpay_stand_in::KEY_SECRET).unwrap();
        jobs::App {
            database: Database::from(self.pool.clone()),
            razorpay: Some(razorpay),
            people: None,
            carriers: None,
            plan: shared::messages::Plan::default(),
        }
    }

    /// The customer pays this attempt; returns the answer's status and code.
    async fn pays(&self, attempt: Attempt) -> (u16, Value) {
        let checkout = self.razorpay.pay(&attempt).unwrap();
        let answer = self.verify(&checkout).await;
        (answer.status, answer.body["code"].clone())
    }

    /// What people must look at: kind, amount and currency.
    async fn mismatches(&self) -> Value {
        let listed = mismatches::list(&self.pool, Wanted::default()).await.unwrap();
        listed.iter().map(|one| json!([one.kind.as_str(), one.amount.paise(), one.currency])).collect()
    }

    async fn accept(&self) -> Result<()> {
        let accept = async |connection: &mut PgConnection| {
            mismatches::accept(connection, Kind::Misfit, 1, "agreed", &Actor::Staff("desk".to_owned())).await
        };
        Database::from(self.pool.clone()).transaction(accept).await
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_misfit_that_is_accepted_pays_the_booking(pool: PgPool) {
    let world = World::new(pool).await;
    let attempt = Attempt { order_id: world.order().await, amount: Some(75_000), ..Attempt::default() };
    assert_eq!(world.pays(attempt).await, (409, json!("PAYMENT_MISMATCH")));
    assert_eq!(world.mismatches().await, json!([["misfit", 75_000, "INR"]]));
    for _ in 0..2 {
        world.accept().await.unwrap();
        let facts = json!(["completed", "razorpay", 75_000, 0, ["payment_mismatch", "paid"]]);
        assert_eq!(world.facts().await, facts);
    }
    assert_eq!(world.mismatches().await, json!([]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_misfit_of_a_booking_that_is_paid_is_not_accepted_but_goes_back(pool: PgPool) {
    let world = World::new(pool).await;
    let attempt = Attempt { order_id: world.order().await, amount: Some(75_000), second: true, ..Attempt::default() };
    assert_eq!(world.pays(attempt.clone()).await.0, 409);
    assert_eq!(world.pays(Attempt { amount: None, ..attempt }).await.0, 200);
    let refused = world.accept().await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(world.mismatches().await, json!([["misfit", 75_000, "INR"]]), "it stays to be given back");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn another_currency_that_is_accepted_pays_nothing_and_is_no_revenue(pool: PgPool) {
    let world = World::new(pool).await;
    let currency = Some("USD".to_owned());
    let attempt = Attempt { order_id: world.order().await, currency, ..Attempt::default() };
    assert_eq!(world.pays(attempt).await.0, 409);
    assert_eq!(world.mismatches().await, json!([["misfit", 75_010, "USD"]]));
    let statistics = shared::bookings::statistics::count(&Database::from(world.pool.clone())).await.unwrap();
    assert_eq!((statistics.revenue.total.paise(), statistics.payment_mismatches), (0, 1));
    world.accept().await.unwrap();
    assert_eq!((world.facts().await[0].clone(), world.mismatches().await), (json!("pending"), json!([])));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_misfit_that_is_refunded_leaves_the_booking_to_be_paid(pool: PgPool) {
    let world = World::new(pool).await;
    let order_id = world.order().await;
    let attempt = Attempt { order_id: order_id.clone(), amount: Some(80_000), second: true, ..Attempt::default() };
    assert_eq!(world.pays(attempt.clone()).await.0, 409);
    let give_back = async |connection: &mut PgConnection| {
        let (booking, capture) = mismatches::take(connection, Kind::Misfit, 1).await?;
        refunds::again(connection, &booking, capture, "another amount", &Actor::Staff("desk".to_owned())).await
    };
    Database::from(world.pool.clone()).transaction(give_back).await.unwrap();
    assert_eq!(world.mismatches().await, json!([]));
    world.jobs().handle(Event::DeliverOutbox).await.unwrap();
    assert_eq!(world.razorpay.payments()[0]["amount_refunded"], 80_000);
    assert_eq!(world.pays(Attempt { amount: None, ..attempt }).await.0, 200);
    assert_eq!(world.facts().await[0], "completed");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_that_is_larger_by_the_fee_of_the_customer_fits(pool: PgPool) {
    let world = World::new(pool).await;
    for (booking, amount, outcome, status) in [
        (1, None, Outcome::Authorized, 200),
        (2, None, Outcome::Captured, 200),
        (3, Some(76_781), Outcome::Captured, 409),
    ] {
        if booking > 1 {
            world.book().await;
        }
        let order = world.client.post(CREATE, &json!({ "booking_id": booking })).await.body["data"]["order_id"].clone();
        let order_id = order.as_str().unwrap().to_owned();
        let outcome = Some(outcome);
        let paid = Attempt { order_id, amount, outcome, customer_bears_fee: true, ..Attempt::default() };
        assert_eq!(world.pays(paid).await.0, status, "{booking}");
    }
    assert_eq!(world.facts().await, json!(["completed", "razorpay", 2 * 76_780, 0, ["paid"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_cancelled_booking_gives_its_misfits_back_too(pool: PgPool) {
    let world = World::new(pool).await;
    let attempt = Attempt { order_id: world.order().await, amount: Some(75_000), ..Attempt::default() };
    assert_eq!(world.pays(attempt).await.0, 409);
    world.cancel().await;
    assert_eq!(world.facts().await[3], 75_000);
    assert_eq!(world.mismatches().await, json!([]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_misfit_that_comes_after_the_cancellation_is_not_accepted_but_goes_back(pool: PgPool) {
    let world = World::new(pool).await;
    let attempt = Attempt { order_id: world.order().await, amount: Some(75_000), ..Attempt::default() };
    world.cancel().await;
    assert_eq!(world.pays(attempt).await, (409, json!("PAYMENT_MISMATCH")));
    let refused = world.accept().await.unwrap_err().to_string();
    assert_eq!(refused, Error::conflict("payment", "The booking is cancelled. Give this payment back.").to_string());
    let facts = json!(["pending", "cash", 0, 0, ["cancelled", "payment_mismatch"]]);
    assert_eq!((world.facts().await, world.mismatches().await), (facts, json!([["misfit", 75_000, "INR"]])));
    let give_back = async |connection: &mut PgConnection| {
        let (booking, capture) = mismatches::take(connection, Kind::Misfit, 1).await?;
        refunds::again(connection, &booking, capture, "cancelled", &Actor::Staff("desk".to_owned())).await
    };
    Database::from(world.pool.clone()).transaction(give_back).await.unwrap();
    assert_eq!((world.facts().await[3].clone(), world.mismatches().await), (json!(75_000), json!([])));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn after_a_whole_refund_a_booking_is_paid_online_again(pool: PgPool) {
    let world = World::new(pool).await;
    let first = world.order().await;
    let attempt = |order_id: &str| Attempt { order_id: order_id.to_owned(), second: true, ..Attempt::default() };
    assert_eq!(world.pays(attempt(&first)).await.0, 200);
    let give_back = async |connection: &mut PgConnection| {
        let booking = booking::lock(connection, BookingId(1)).await?;
        refunds::request(connection, &booking, None, "Sorry", &Actor::Staff("desk".to_owned())).await
    };
    Database::from(world.pool.clone()).transaction(give_back).await.unwrap();
    let early = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((early.status, &early.body["code"]), (409, &json!("ALREADY_PAID")), "it is on its way");
    world.jobs().handle(Event::DeliverOutbox).await.unwrap();
    assert_eq!(world.facts().await[0], "refunded");
    let second = world.order().await;
    assert_ne!(second, first);
    // Money for the first order was paid twice, and does not pay the booking again.
    assert_eq!(world.pays(attempt(&first)).await.0, 200);
    assert_eq!(world.facts().await[0], "refunded");
    assert_eq!(world.pays(attempt(&second)).await.0, 200);
    world.jobs().handle(Event::DeliverOutbox).await.unwrap();
    let paying: Value = sqlx::query_scalar(
        "select json_agg(json_build_array(pays_booking, amount_paise - refunded_paise) order by id) from captures",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(paying, json!([[false, 0], [false, 0], [true, 75_010]]));
    assert_eq!(world.facts().await[0], "completed");
}
