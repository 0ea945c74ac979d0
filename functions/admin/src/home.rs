//! The start page: what the shop offers, and what is missing from it.

use axum::{extract::State, response::Response};
use maud::html;
use shared::Result;

use crate::{App, kit::page::Page, session::Person};

pub(crate) async fn show(State(app): State<App>, person: Person) -> Result<Response> {
    let found = sqlx::query!(
        r#"
        select
            (select count(*) from vehicle_models where archived_at is null) as "models!",
            (select count(*) from services where archived_at is null) as "services!",
            (select count(*) from service_prices) as "prices!",
            (select count(*) from vehicle_models model where archived_at is null and not exists (
                select from service_prices price where price.vehicle_model_id = model.id)) as "models_without_prices!",
            (select count(*) from services service where archived_at is null and not exists (
                select from service_prices price where price.service_id = service.id)) as "services_without_prices!",
            (select count(*) from opening_hours where shop_id = shop_id()) as "open_days!",
            (select count(*) from holidays where shop_id = shop_id() and date >= shop_clock(now())::date) as "holidays!"
        "#
    )
    .fetch_one(&app.database().pool())
    .await?;
    let missing = [
        (
            found.models_without_prices,
            "models have no price, so nothing can be booked for them",
            "/admin/vehicle-models/",
        ),
        (found.services_without_prices, "services have no price, so they are never offered", "/admin/services/"),
    ];
    let offered = [
        (found.models, "models", "/admin/vehicle-models/"),
        (found.services, "services", "/admin/services/"),
        (found.prices, "prices", "/admin/prices/"),
        (found.open_days, "open days a week", "/admin/shop/hours/"),
        (found.holidays, "holidays to come", "/admin/shop/holidays/"),
    ];
    let content = html! {
        h1 { "Start" }
        @if missing.iter().any(|(count, ..)| *count > 0) || found.open_days == 0 {
            section.attention aria-labelledby="attention" {
                h2 #attention { "Needs attention" }
                ul {
                    @if found.open_days == 0 {
                        li { a href="/admin/shop/hours/" { "The shop has no opening hours, so nothing can be booked." } }
                    }
                    @for (count, what, path) in missing.iter().filter(|(count, ..)| *count > 0) {
                        li { a href=(path) { (count) " " (what) } }
                    }
                }
            }
        }
        h2 { "On offer" }
        ul.cards {
            @for (count, what, path) in offered { li { a href=(path) { strong { (count) } " " (what) } } }
        }
    };
    Ok(Page::new(&person, "/admin/", "Start").show(&content))
}
