//! Contact data and opening hours of the shop, in the shape that the frontends expect.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::{
    Result,
    cache::{Asked, Cache, HOUR},
    day_minute::DayMinute,
    http::{ErrorBody, Paged, Paging, Routes, routes},
    ids::ShopId,
};
use sqlx::types::Json;
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(list)
}

/// The shop.
#[derive(Debug, Serialize, ToSchema)]
struct Shop {
    #[schema(value_type = i64)]
    id: ShopId,
    name: String,
    /// In one line.
    address: String,
    phone: String,
    email: String,
    /// Degrees with six places.
    latitude: String,
    /// Degrees with six places.
    longitude: String,
    /// The earliest of the week; null while the shop has no open day.
    #[schema(required)]
    opening_time: Option<DayMinute>,
    /// The latest of the week; `24:00:00` is the midnight that ends the day.
    #[schema(required)]
    closing_time: Option<DayMinute>,
    /// The open days, such as `Monday, Wednesday`.
    working_days: String,
    is_active: bool,
    #[schema(value_type = Week)]
    hours: Json<Week>,
    /// An IANA name: what dates and times of bookings mean.
    timezone: String,
    slot_minutes: i32,
    #[serde(with = "shared::http::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "shared::http::time")]
    updated_at: DateTime<Utc>,
}

/// The hours of each weekday; null where the shop is closed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
struct Week {
    #[schema(required)]
    monday: Option<Hours>,
    #[schema(required)]
    tuesday: Option<Hours>,
    #[schema(required)]
    wednesday: Option<Hours>,
    #[schema(required)]
    thursday: Option<Hours>,
    #[schema(required)]
    friday: Option<Hours>,
    #[schema(required)]
    saturday: Option<Hours>,
    #[schema(required)]
    sunday: Option<Hours>,
}

/// The hours of a day, on the shop's clock.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = OpeningHours)]
struct Hours {
    open: DayMinute,
    /// `24:00:00` is the midnight that ends the day.
    close: DayMinute,
}

/// Lists the shop.
///
/// An array of one.
#[utoipa::path(
    get, path = "/shop-info", operation_id = "list_shops", tag = "Shop", params(Paging),
    responses((status = 200, body = Paged<Shop>), (status = 304), (status = 400, body = ErrorBody))
)]
async fn list(State(cache): State<Cache>, asked: Asked) -> Result<Response> {
    let message = "Shop information retrieved successfully";
    cache
        .list(asked, "shop-info", HOUR, message, async |pool| {
            sqlx::query_as!(
                Shop,
                r#"
                select shop.id, shop.name, shop.address, shop.phone, shop.email,
                    shop.latitude::text as "latitude!", shop.longitude::text as "longitude!",
                    min(hours.opens_at) as "opening_time: DayMinute", max(hours.closes_at) as "closing_time: DayMinute",
                    coalesce(string_agg(weekday.name, ', ' order by weekday.number) filter (where hours.shop_id is not null), '')
                        as "working_days!",
                    shop.is_active,
                    json_object_agg(lower(weekday.name), case when hours.shop_id is not null then
                        json_build_object('open', hours.opens_at, 'close', hours.closes_at)
                    end) as "hours!: Json<Week>",
                    shop.time_zone as timezone, shop.slot_minutes, shop.created_at, shop.updated_at
                from shops shop
                cross join unnest(array['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])
                    with ordinality as weekday (name, number)
                left join opening_hours hours on hours.shop_id = shop.id and hours.weekday = weekday.number
                group by shop.id
                order by shop.id
                "#
            )
            .fetch_all(&pool)
            .await
        })
        .await
}
