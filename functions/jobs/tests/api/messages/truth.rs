//! Only what is true at the moment of sending is sent.

use chrono::TimeDelta;
use messages_stand_in::Channel;
use serde_json::json;
use shared::{
    bookings::{Actor, status::BookingStatus},
    customers,
    database::MIGRATOR,
    ids::CustomerId,
};
use sqlx::PgPool;

use super::{ALL, PHONE, Shop};

fn staff() -> Actor {
    Actor::Staff("desk".to_owned())
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_that_is_confirmed_at_once_is_told_once(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.set_status(BookingStatus::Confirmed, staff()).await;
    shop.write().await;
    shop.send().await;
    assert_eq!(
        shop.rows().await,
        json!([
            ["booking_created", "whatsapp", "dropped", "the booking has another status"],
            ["booking_confirmed", "whatsapp", "sent", ""],
        ])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_move_between_queueing_and_sending_is_in_the_message(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.set_status(BookingStatus::Confirmed, staff()).await;
    shop.write().await;
    shop.move_to(15).await;
    shop.send().await;
    let sent = &shop.stand_in.taken()[0].request["template"];
    let when = sent["components"][0]["parameters"][3]["text"].as_str().unwrap();
    assert!(when.ends_with("3:00 PM"), "{sent}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn several_moves_in_a_row_are_one_message_from_the_first_time_to_the_last(pool: PgPool) {
    let mut shop = Shop::new(pool, &ALL).await;
    shop.app.plan.staff = vec!["desk@example.com".to_owned()];
    shop.set_status(BookingStatus::Confirmed, staff()).await;
    shop.write().await;
    shop.send().await;
    shop.stand_in.forget();
    for hour in [12, 13, 14] {
        shop.move_to(hour).await;
        shop.write().await;
    }
    shop.advance(TimeDelta::minutes(3));
    shop.send().await;
    let taken = shop.stand_in.taken();
    assert_eq!(taken.len(), 2, "one to the customer, one to the staff");
    let customer = taken.iter().find(|message| message.channel == Channel::WhatsApp).unwrap();
    let parameters = &customer.request["template"]["components"][0]["parameters"];
    let texts: Vec<&str> =
        parameters.as_array().unwrap().iter().map(|parameter| parameter["text"].as_str().unwrap()).collect();
    assert!(texts[2].ends_with("2:00 PM") && texts[4].ends_with("10:00 AM"), "{texts:?}");
    let staff = taken.iter().find(|message| message.channel == Channel::Email).unwrap();
    let body = staff.request["Content"]["Simple"]["Body"]["Text"]["Data"].as_str().unwrap();
    assert!(body.contains("10:00 AM to") && body.contains("2:00 PM, at our shop"), "{body}");
    // Another move is another message; there and back is none.
    shop.move_to(16).await;
    shop.write().await;
    shop.move_to(14).await;
    shop.write().await;
    shop.advance(TimeDelta::minutes(3));
    assert_eq!(shop.send().await["dropped"], 2);
    assert_eq!(shop.stand_in.taken().len(), 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_staff_hear_of_a_cancellation_only_from_a_customer(pool: PgPool) {
    let mut shop = Shop::new(pool, &[Channel::Email]).await;
    shop.app.plan.staff = vec!["desk@example.com".to_owned()];
    shop.write().await;
    shop.set_status(BookingStatus::Cancelled, Actor::Customer).await;
    shop.write().await;
    shop.send().await;
    let mut taken = shop.taken();
    taken.sort_by(|one, other| one.1.cmp(&other.1));
    let mail = |to: &str| (Channel::Email, to.to_owned());
    assert_eq!(taken, [mail("desk@example.com"), mail("jane@example.com")]);
    assert_eq!(
        shop.rows().await,
        json!([
            ["booking_created", "email", "dropped", "the booking has another status"],
            ["staff_booking_created", "email", "dropped", "the booking has another status"],
            ["booking_cancelled", "email", "sent", ""],
            ["staff_booking_cancelled", "email", "sent", ""],
        ])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn at_night_a_confirmation_waits_until_nine_on_the_shops_clock(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.set_status(BookingStatus::Confirmed, staff()).await;
    shop.sql("delete from outbox where kind = 'booking_created'").await;
    shop.sql(&format!("insert into message_opt_ins values ('whatsapp', '{PHONE}', 'start', now())")).await;
    shop.write().await;
    // Noon and nine hours.
    shop.advance(TimeDelta::hours(9));
    assert_eq!(shop.send().await["postponed"], 1);
    shop.advance(TimeDelta::hours(12) - TimeDelta::seconds(1));
    assert_eq!(shop.send().await["sent"], 0);
    shop.advance(TimeDelta::seconds(1));
    assert_eq!(shop.send().await["sent"], 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_comes_too_late_is_dropped(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.write().await;
    shop.set(shop.start().await);
    shop.send().await;
    assert_eq!(shop.rows().await, json!([["booking_created", "whatsapp", "dropped", "too late"]]));
    assert!(shop.stand_in.taken().is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_erased_customer_has_no_messages(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.write().await;
    shop.send().await;
    shop.set_status(BookingStatus::Cancelled, Actor::Customer).await;
    let mut transaction = shop.app.database.begin().await.unwrap();
    customers::erase(&mut transaction, CustomerId(1)).await.unwrap();
    transaction.commit().await.unwrap();
    shop.write().await;
    shop.send().await;
    assert_eq!(shop.rows().await, json!([]));
    assert_eq!(shop.stand_in.taken().len(), 1);
}
