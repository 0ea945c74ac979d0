//! Search over bookings, customers, the catalogue, the users and the pages of the panel.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use lambda_http::http::StatusCode;
use maud::html;
use serde_json::json;
use shared::{Result, bookings::reference, http::private_json};

use crate::{
    App,
    kit::{
        ask::Ask,
        page::{Page, sections_of},
    },
    session::Person,
};

const PATH: &str = "/admin/search/";
/// Hits of a kind.
const MOST: i64 = 8;

/// A page that matches.
struct Hit {
    group: String,
    title: String,
    path: String,
}

pub(crate) async fn show(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let hits = find(&app, &person, &ask).await?;
    let text = ask.value("q").unwrap_or_default();
    let mut groups: Vec<(&str, Vec<&Hit>)> = Vec::new();
    for hit in &hits {
        match groups.last_mut() {
            Some((group, hits)) if *group == hit.group => hits.push(hit),
            _ => groups.push((&hit.group, vec![hit])),
        }
    }
    let content = html! {
        h1 { @if text.is_empty() { "Search" } @else { "Search: " (text) } }
        form.filters method="get" action=(PATH) {
            div.field { label for="search" { "Search" } input #search type="search" name="q" value=(text); }
            button type="submit" { "Search" }
        }
        @if hits.is_empty() { p.empty { "Nothing was found. Search for a name, a number or a page, such as “Honda” or “hours”." } }
        @for (group, hits) in groups {
            h2 { (group) }
            ul.results { @for hit in hits { li { a href=(hit.path) { (hit.title) } } } }
        }
    };
    Ok(Page::new(&person, PATH, "Search").show(&content))
}

/// The same as JSON, for the palette.
pub(crate) async fn suggest(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let hits = find(&app, &person, &ask).await?;
    let hits: Vec<_> =
        hits.iter().map(|hit| json!({ "group": hit.group, "title": hit.title, "href": hit.path })).collect();
    Ok(private_json(StatusCode::OK, &hits).into_response())
}

async fn find(app: &App, person: &Person, ask: &Ask) -> Result<Vec<Hit>> {
    let Some(pattern) = ask.pattern() else { return Ok(Vec::new()) };
    let text = ask.value("q").unwrap_or_default().to_lowercase();
    let pages = sections_of(person).filter(|place| place.title.to_lowercase().contains(&text));
    let mut hits: Vec<Hit> = pages
        .map(|place| Hit { group: "Pages".to_owned(), title: place.title.to_owned(), path: place.path.to_owned() })
        .collect();
    let found = sqlx::query_as!(
        Hit,
        r#"
        (select 'Bookings' as "group!",
                booking.reference || ' · ' || booking.customer_name || ' · ' || to_char(booking.appointment_date, 'FMDD Mon YYYY') as "title!",
                '/admin/bookings/' || booking.id || '/' as "path!"
            from bookings booking join customers customer on customer.id = booking.customer_id
            where booking.reference = $4 or booking.id = $5 or booking.customer_name ilike $1
                or customer.erased_at is null and customer.phone like $6
            order by booking.reference = $4 or booking.id = $5 desc nulls last, booking.appointment_date desc, booking.id desc
            limit $3)
        union all
        (select 'Customers', coalesce(newest.customer_name || ' · ', '') || customer.phone,
                '/admin/customers/' || customer.id || '/'
            from customers customer
            left join lateral (
                select customer_name from bookings where customer_id = customer.id order by id desc limit 1
            ) as newest on true
            where customer.erased_at is null and (
                customer.phone like $6 or customer.id in (select customer_id from bookings where customer_name ilike $1)
            )
            order by customer.id desc limit $3)
        union all
        (select 'Services', name, '/admin/services/' || id || '/'
            from services where lower(name) like $1 and archived_at is null order by lower(name) limit $3)
        union all
        (select 'Models', brand.name || ' ' || model.name, '/admin/vehicle-models/' || model.id || '/'
            from vehicle_models model join vehicle_brands brand on brand.id = model.vehicle_brand_id
            where lower(brand.name || ' ' || model.name) like $1 and model.archived_at is null
            order by lower(brand.name || ' ' || model.name) limit $3)
        union all
        (select 'Prices', 'Prices of ' || name, '/admin/prices/?brand=' || id
            from vehicle_brands where lower(name) like $1 and archived_at is null order by lower(name) limit $3)
        union all
        (select 'Brands', name, '/admin/vehicle-brands/' || id || '/'
            from vehicle_brands where lower(name) like $1 and archived_at is null order by lower(name) limit $3)
        union all
        (select 'Categories', name, '/admin/service-categories/' || id || '/'
            from service_categories where lower(name) like $1 and archived_at is null order by lower(name) limit $3)
        union all
        (select 'Vehicle types', name, '/admin/vehicle-types/' || id || '/'
            from vehicle_types where lower(name) like $1 and archived_at is null order by lower(name) limit $3)
        union all
        (select 'Users', coalesce(nullif(trim(first_name || ' ' || last_name), ''), username), '/admin/users/' || id || '/'
            from users
            where $2 and (lower(first_name || ' ' || last_name) like $1 or lower(username) like $1 or email like $1 or phone like $1)
            order by id desc limit $3)
        "#,
        pattern,
        person.is_admin,
        MOST,
        reference::normalized(&text),
        text.parse::<i64>().ok(),
        ask.phone_pattern()
    )
    .fetch_all(&app.database().pool())
    .await?;
    hits.extend(found);
    Ok(hits)
}
