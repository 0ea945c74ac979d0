//! A made-up booking of the shop, for the preview of messages.

use chrono::{Days, NaiveTime};
use shared::{
    Error, Result,
    bookings::status::{BookingStatus, PaymentStatus, ServiceLocation},
    carriers::Channel,
    database::Database,
    language::Language,
    messages::{self, Kind, Link, Preview, Situation},
};

/// When the made-up visit begins.
const START: NaiveTime = NaiveTime::from_hms_opt(10, 30, 0).unwrap();

pub(super) struct Sample {
    situation: Situation,
    /// The channels that are configured.
    pub(super) channels: Vec<Channel>,
}

pub(super) async fn load(database: &Database) -> Result<Sample> {
    let shop = sqlx::query!(
        r#"
        select name, phone, address, shop_clock(now()) as "now!",
            array(select channel from message_channels order by place) as "channels!: Vec<Channel>"
        from shops where id = shop_id()
        "#
    )
    .fetch_optional(&database.pool())
    .await?
    .ok_or(Error::NotFound("Shop"))?;
    let start = shop.now.date().checked_add_days(Days::new(3)).map(|day| day.and_time(START));
    let situation = Situation {
        now: shop.now,
        shop: shop.name,
        shop_phone: shop.phone,
        shop_address: shop.address,
        reference: "RMB-7K3QX-2M9PD".to_owned(),
        name: "Asha Verma".to_owned(),
        vehicle: "Hero Splendor Plus".to_owned(),
        status: BookingStatus::Confirmed,
        payment_status: PaymentStatus::Pending,
        location: ServiceLocation::Shop,
        start,
        appointment: start,
        was: start.and_then(|start| start.checked_sub_days(Days::new(1))),
        total_paise: 63_000,
        refunded_paise: 63_000,
        changed: "phone_number".to_owned(),
        ..Situation::default()
    };
    Ok(Sample { situation, channels: shop.channels })
}

impl Sample {
    /// A message as it would arrive, with the shop's own words in its mail.
    pub(super) fn preview(&self, kind: Kind, language: Language, own_text: Option<String>) -> Preview {
        let link = Link { prefix: "https://…/b/".to_owned(), suffix: "…".to_owned() };
        let situation = Situation { own_text, ..self.situation.clone() };
        messages::preview(kind, language, &situation, Some(&link).filter(|_| !kind.is_for_staff()))
    }
}
