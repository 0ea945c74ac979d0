//! Every field of the shop but its hours and holidays.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::html;
use shared::{
    Error, Result,
    bookings::outside::LeftOutside,
    catalogue::shop::{self, COUNTS, HORIZON_DAYS, NOTICE_MINUTES, Shop, ShopPhone},
    email::Email,
    http::{Fields, Read},
};
use sqlx::PgConnection;

use super::save::{Saved, Undone, button, confirmation, save, warning};
use crate::{
    App,
    kit::{
        ask::Ask,
        form::{Form, Input, problem, whole},
        page::{Page, redirect},
        stale::{Present, stale, version},
    },
    session::Person,
};

const PATH: &str = "/admin/shop/";

/// The shop as its form has it.
struct ShopForm(Shop);

impl Read for ShopForm {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (name, address) = (fields.text("name", 200), fields.text("address", 500));
        let (phone, email) = (fields.value::<ShopPhone>("phone"), fields.value::<Email>("email"));
        let (latitude, longitude) = (degrees(fields, "latitude", 90.0), degrees(fields, "longitude", 180.0));
        let time_zone = fields.text("time_zone", 50);
        let slot_minutes = whole(fields, "slot_minutes", 15..=1440);
        let (shop_capacity, home_capacity) =
            (whole(fields, "shop_capacity", COUNTS), whole(fields, "home_capacity", COUNTS));
        let home_radius_km = whole(fields, "home_radius_km", COUNTS);
        let (minimum_notice_minutes, booking_horizon_days) = (
            whole(fields, "minimum_notice_minutes", NOTICE_MINUTES),
            whole(fields, "booking_horizon_days", HORIZON_DAYS),
        );
        Some(Self(Shop {
            name: name?,
            address: address?,
            phone: phone?.0,
            email: email?.to_string(),
            latitude: latitude?,
            longitude: longitude?,
            time_zone: time_zone?,
            slot_minutes: slot_minutes?,
            shop_capacity: shop_capacity?,
            home_capacity: home_capacity?,
            home_radius_km: home_radius_km?,
            minimum_notice_minutes: minimum_notice_minutes?,
            booking_horizon_days: booking_horizon_days?,
        }))
    }
}

/// A latitude or longitude with at most six decimals.
fn degrees(fields: &mut Fields, name: &str, most: f64) -> Option<f64> {
    let text = fields.text(name, 20)?;
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    let number = text.parse::<f64>().ok().filter(|number| is_plain && decimals <= 6 && number.abs() <= most);
    if number.is_none() {
        fields.faults.add(name, format!("Enter degrees from -{most} to {most}, such as 12.934500."));
    }
    number
}

pub(crate) async fn page(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let mut connection = app.database().pool().acquire().await?;
    let form = stored(&mut connection).await?.form();
    let notice = ask.value("done").map(|_| "Saved. Customers see it now, and slots follow it.");
    Ok(show(&person, &form, &[], notice, StatusCode::OK))
}

pub(crate) async fn change(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(ShopForm(shop)) = form.read() else {
        return Ok(show(&person, &form, &[], None, StatusCode::BAD_REQUEST));
    };
    let work = async |connection: &mut PgConnection| {
        let present = stored(connection).await?;
        if present.is_newer_than(&form) {
            return Err(Undone::Stale(present));
        }
        Ok(shop::rewrite(connection, &shop).await?)
    };
    match save(&app, &person, &form, work).await? {
        Saved::Done => Ok(redirect(&format!("{PATH}?done=saved"))),
        Saved::WouldLeave(left) => Ok(show(&person, &form, &left, None, StatusCode::CONFLICT)),
        Saved::Stale(present) => {
            present.show_beside(&mut form);
            Ok(show(&person, &form, &[], None, StatusCode::CONFLICT))
        }
        Saved::Faulty(faults) => {
            form.blame(faults);
            Ok(show(&person, &form, &[], None, form.refused()))
        }
    }
}

/// The shop by the names of the inputs.
async fn stored(connection: &mut PgConnection) -> Result<Present> {
    let row = sqlx::query!(
        r#"
        select name, address, phone, email, latitude::text as "latitude!", longitude::text as "longitude!", time_zone,
            slot_minutes, shop_capacity, home_capacity, home_radius_km, minimum_notice_minutes, booking_horizon_days,
            (extract(epoch from updated_at) * 1000000)::bigint as "version!"
        from shops where id = shop_id()
        "#
    )
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NotFound("Shop"))?;
    let values = vec![
        ("name", row.name),
        ("address", row.address),
        ("phone", row.phone),
        ("email", row.email),
        ("latitude", row.latitude),
        ("longitude", row.longitude),
        ("time_zone", row.time_zone),
        ("slot_minutes", row.slot_minutes.to_string()),
        ("shop_capacity", row.shop_capacity.to_string()),
        ("home_capacity", row.home_capacity.to_string()),
        ("home_radius_km", row.home_radius_km.to_string()),
        ("minimum_notice_minutes", row.minimum_notice_minutes.to_string()),
        ("booking_horizon_days", row.booking_horizon_days.to_string()),
    ];
    Ok(Present::new(row.version, values))
}

fn show(person: &Person, form: &Form, left: &[LeftOutside], notice: Option<&str>, status: StatusCode) -> Response {
    let content = html! {
        h1 { "Shop" }
        p.links {
            a href="/admin/shop/hours/" { "Opening hours" }
            a href="/admin/shop/holidays/" { "Holidays" }
            a href="/admin/activity/?kind=shops" { "History" }
        }
        (problem(form.fault("form")))
        (stale(form, "the shop", PATH))
        (warning(left))
        form.stack method="post" action=(PATH) {
            fieldset disabled[!person.is_admin] {
                (version(form))
                (confirmation(left))
                (Input::new("name", "Name").required().max(200).in_form(form))
                (Input::new("address", "Address").required().max(500).in_form(form))
                (Input::new("phone", "Phone").kind("tel").required().in_form(form))
                (Input::new("email", "E-mail").kind("email").required().in_form(form))
                (Input::new("latitude", "Latitude").required().hint("Degrees, north is positive.").in_form(form))
                (Input::new("longitude", "Longitude").required().hint("Degrees, east is positive.").in_form(form))
                (Input::new("time_zone", "Time zone").required().hint("Such as Asia/Kolkata.").in_form(form))
                h2 { "Slots and capacity" }
                (Input::new("slot_minutes", "Minutes from one start to the next").required().numeric().hint("A multiple of 15.").in_form(form))
                (Input::new("shop_capacity", "Bays").required().numeric().hint("Jobs at the shop at one time.").in_form(form))
                (Input::new("home_capacity", "Crews").required().numeric().hint("Home visits at one time.").in_form(form))
                (Input::new("home_radius_km", "Radius of home visits in km").required().numeric().in_form(form))
                (Input::new("minimum_notice_minutes", "Shortest notice in minutes").required().numeric().in_form(form))
                (Input::new("booking_horizon_days", "Days ahead that can be booked").required().numeric().in_form(form))
                @if person.is_admin { div.actions { (button(left, "shop")) a href=(PATH) { "Cancel" } } }
            }
        }
    };
    Page::new(person, PATH, "Shop").notice(notice).status(status).show(&content)
}
