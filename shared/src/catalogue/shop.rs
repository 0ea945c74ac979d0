//! The shop's row: address, slot length, capacity and booking rules.

use std::ops::RangeInclusive;

use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    Error, Result,
    phone::{NotAPhone, Phone},
    written::Written,
};

/// Capacities, and the radius of home visits in km.
pub const COUNTS: RangeInclusive<i32> = 0..=1000;
/// Minutes of notice before an appointment.
pub const NOTICE_MINUTES: RangeInclusive<i32> = 0..=100_000;
/// Days ahead for which appointments are taken.
pub const HORIZON_DAYS: RangeInclusive<i32> = 0..=3650;

/// The writable columns of the shop.
#[derive(Clone, Debug)]
pub struct Shop {
    pub name: String,
    /// In one line.
    pub address: String,
    pub phone: Phone,
    pub email: String,
    /// Degrees.
    pub latitude: f64,
    /// Degrees.
    pub longitude: f64,
    /// An IANA name that Postgres knows.
    pub time_zone: String,
    /// A multiple of 15, to a whole day.
    pub slot_minutes: i32,
    /// Shop visits at once.
    pub shop_capacity: i32,
    /// Home visits at once.
    pub home_capacity: i32,
    pub home_radius_km: i32,
    pub minimum_notice_minutes: i32,
    pub booking_horizon_days: i32,
}

/// Whether slots of this length start and end on quarters of an hour, in which capacity is counted.
pub(super) fn is_slot_length(minutes: i32) -> bool {
    (15..=1440).contains(&minutes) && minutes % 15 == 0
}

/// Updates the shop; `false` if nothing differs, 400 on `slot_minutes` if they are no quarters of an hour and on
/// `time_zone` if Postgres does not know it.
pub async fn rewrite(connection: &mut PgConnection, shop: &Shop) -> Result<bool> {
    if !is_slot_length(shop.slot_minutes) {
        return Err(Error::field("slot_minutes", "Enter a multiple of 15 minutes, from 15 to 1440."));
    }
    let is_known = sqlx::query_scalar!(
        r#"select exists (select from pg_timezone_names where name = $1) as "is_known!""#,
        shop.time_zone
    )
    .fetch_one(&mut *connection)
    .await?;
    if !is_known {
        return Err(Error::field("time_zone", "Enter a time zone such as Asia/Kolkata."));
    }
    Ok(!write(connection, shop).await?.is_empty())
}

/// Writes the one shop, whether it exists or not: `true` if it was added, `false` if it was changed, nothing if nothing
/// differs.
pub(super) async fn write(connection: &mut PgConnection, shop: &Shop) -> sqlx::Result<Vec<bool>> {
    sqlx::query_scalar!(
        r#"
        insert into shops as kept (
            id, name, address, phone, email, latitude, longitude, time_zone, slot_minutes, shop_capacity,
            home_capacity, home_radius_km, minimum_notice_minutes, booking_horizon_days
        ) overriding system value
        values (
            coalesce(shop_id(), 1), $1, $2, $3, $4, $5::float8::numeric(9, 6), $6::float8::numeric(9, 6), $7, $8, $9, $10,
            $11, $12, $13
        )
        on conflict (id) do update
            set name = excluded.name, address = excluded.address, phone = excluded.phone, email = excluded.email,
                latitude = excluded.latitude, longitude = excluded.longitude, time_zone = excluded.time_zone,
                slot_minutes = excluded.slot_minutes, shop_capacity = excluded.shop_capacity,
                home_capacity = excluded.home_capacity, home_radius_km = excluded.home_radius_km,
                minimum_notice_minutes = excluded.minimum_notice_minutes,
                booking_horizon_days = excluded.booking_horizon_days, updated_at = now()
            where (
                kept.name, kept.address, kept.phone, kept.email, kept.latitude, kept.longitude, kept.time_zone,
                kept.slot_minutes, kept.shop_capacity, kept.home_capacity, kept.home_radius_km,
                kept.minimum_notice_minutes, kept.booking_horizon_days
            ) is distinct from (
                excluded.name, excluded.address, excluded.phone, excluded.email, excluded.latitude, excluded.longitude,
                excluded.time_zone, excluded.slot_minutes, excluded.shop_capacity, excluded.home_capacity,
                excluded.home_radius_km, excluded.minimum_notice_minutes, excluded.booking_horizon_days
            )
        returning (xmax = 0) as "added!"
        "#,
        shop.name,
        shop.address,
        shop.phone.as_str(),
        shop.email,
        shop.latitude,
        shop.longitude,
        shop.time_zone,
        shop.slot_minutes,
        shop.shop_capacity,
        shop.home_capacity,
        shop.home_radius_km,
        shop.minimum_notice_minutes,
        shop.booking_horizon_days
    )
    .fetch_all(connection)
    .await
}

/// The number of a shop, which may be a landline.
#[derive(Debug)]
pub struct ShopPhone(pub Phone);

impl Written for ShopPhone {
    fn parse(text: &str) -> Result<Self, String> {
        Phone::of_a_shop(text).map(Self).map_err(|error: NotAPhone| error.to_string())
    }

    fn rules() -> Value {
        json!({ "format": "phone" })
    }
}
