//! The shop's row: address, slot length, capacity and booking rules.

use sqlx::PgConnection;

use serde_json::{Value, json};

use crate::{
    Error, Result,
    phone::{NotAPhone, Phone},
    written::Written,
};

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
    let changed = sqlx::query!(
        "
        update shops set name = $1, address = $2, phone = $3, email = $4, latitude = $5::float8::numeric(9, 6),
            longitude = $6::float8::numeric(9, 6), time_zone = $7, slot_minutes = $8, shop_capacity = $9,
            home_capacity = $10, home_radius_km = $11, minimum_notice_minutes = $12, booking_horizon_days = $13,
            updated_at = now()
        where id = shop_id() and (
            name, address, phone, email, latitude, longitude, time_zone, slot_minutes, shop_capacity, home_capacity,
            home_radius_km, minimum_notice_minutes, booking_horizon_days
        ) is distinct from (
            $1, $2, $3, $4, $5::float8::numeric(9, 6), $6::float8::numeric(9, 6), $7, $8, $9, $10, $11, $12, $13
        ) and exists (select from pg_timezone_names zone where zone.name = $7)
        ",
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
    .execute(&mut *connection)
    .await?;
    if changed.rows_affected() > 0 {
        return Ok(true);
    }
    let is_known = sqlx::query_scalar!(
        r#"select exists (select from pg_timezone_names where name = $1) as "is_known!""#,
        shop.time_zone
    )
    .fetch_one(connection)
    .await?;
    if is_known { Ok(false) } else { Err(Error::field("time_zone", "Enter a time zone such as Asia/Kolkata.")) }
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
