//! Messages that people of the shop send again, and what they are told of those that were never taken.

use chrono::TimeDelta;
use messages_stand_in::{Channel, Fault, Outcome};
use serde_json::json;
use shared::{
    bookings::{Actor, status::BookingStatus},
    database::MIGRATOR,
    ids::{BookingId, SendingId},
    messages,
};
use sqlx::{PgConnection, PgPool};

use super::{ALL, PHONE, Shop, WHATSAPP, carriers};

impl Shop {
    /// Sends a message again as a colleague does on the booking's page.
    async fn again(&self, message: i64) -> shared::Result<()> {
        let (actor, now) = (Actor::Staff("user-1".to_owned()), self.time());
        let again = async |connection: &mut PgConnection| {
            messages::send_again(connection, BookingId(1), SendingId(message), &actor, now).await
        };
        self.app.database.transaction(again).await
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_channels_that_are_configured_are_noted_at_each_run(pool: PgPool) {
    let mut shop = Shop::new(pool, &ALL).await;
    for channels in [&ALL[..], &[Channel::Email, Channel::WhatsApp], &[], &[Channel::Sms]] {
        shop.app.carriers = Some(carriers(&shop.stand_in, channels));
        shop.send().await;
        let noted: Vec<String> =
            messages::channels(&shop.pool).await.unwrap().iter().map(|one| format!("{one:?}")).collect();
        let configured = ALL.iter().filter(|channel| channels.contains(channel));
        assert_eq!(noted, configured.map(|channel| format!("{channel:?}")).collect::<Vec<_>>());
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_message_whose_answer_was_lost_is_sent_once_more_on_purpose(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.write().await;
    shop.stand_in.spoil(WHATSAPP, Fault::of(Outcome::Lost));
    assert_eq!(shop.send().await["unknown"], 1);
    shop.again(1).await.unwrap();
    shop.again(1).await.unwrap_err();
    assert_eq!(shop.send().await["sent"], 1);
    assert_eq!(shop.send().await["sent"], 0);
    assert_eq!(
        shop.taken(),
        vec![(Channel::WhatsApp, PHONE.to_owned()); 2],
        "the one whose answer was lost, and the one on purpose"
    );
    let rows = shop.rows().await;
    assert_eq!(rows[0][2], "unknown");
    assert_eq!(rows[1], json!(["booking_created", "whatsapp", "sent", ""]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_is_sent_again_and_no_longer_true_is_not_sent(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.write().await;
    shop.send().await;
    shop.again(1).await.unwrap();
    shop.set_status(BookingStatus::Cancelled, Actor::Customer).await;
    shop.send().await;
    assert_eq!(shop.taken().len(), 1);
    assert_eq!(
        shop.rows().await[1],
        json!(["booking_created", "whatsapp", "dropped", "the booking has another status"])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_no_carrier_took_in_time_has_failed_and_is_shown_as_not_delivered(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.write().await;
    shop.stand_in.spoil(WHATSAPP, Fault::of(Outcome::Later));
    assert_eq!(shop.send().await["postponed"], 1);
    shop.set(shop.start().await + TimeDelta::seconds(1));
    shop.send().await;
    let rows = shop.rows().await;
    assert_eq!(rows[0][2], "failed", "{rows}");
    assert!(rows[0][3].as_str().unwrap().starts_with("too late: "), "{rows}");
    let undelivered: i64 =
        sqlx::query_scalar("select count(*) from undelivered_messages").fetch_one(&shop.pool).await.unwrap();
    assert_eq!(undelivered, 1);
    assert!(shop.taken().is_empty());
}
