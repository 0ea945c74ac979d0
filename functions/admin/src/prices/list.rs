//! The plain list of prices: when each was added, and search over all of them.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use maud::html;
use shared::{
    Result,
    database::Database,
    ids::{ServiceId, VehicleModelId},
    money::Money,
};

use super::{PLACE, above, choice::Choice};
use crate::{
    App,
    catalogue::{archived, state_cell, state_filter},
    kit::{
        ask::Ask,
        cell::Cell,
        file,
        list::{Column, Filter, List},
        page::{Page, Place},
        rows::Rows,
    },
    session::Person,
    words::Words,
};

const LIST: Place = Place { path: "/admin/prices/list/", title: "List of prices" };

struct Row {
    service_id: ServiceId,
    service: String,
    vehicle_model_id: VehicleModelId,
    model: String,
    price: Money,
    is_archived: bool,
    created: NaiveDateTime,
    count: i64,
}

fn columns() -> Vec<Column<Row>> {
    vec![
        Column::sorted("service", "Service", |row| Cell::link(grid(None, Some(row.service_id)), &row.service)),
        Column::sorted("model", "Model", |row| Cell::link(grid(Some(row.vehicle_model_id), None), &row.model)),
        Column::sorted("price", "Price", |row| Cell::Money(row.price)),
        Column::sorted("created", "Created", |row| Cell::Moment(row.created)),
        Column::plain("state", "State", |row| state_cell(row.is_archived)),
    ]
}

/// The prices of a model or a service, where they are changed.
fn grid(model: Option<VehicleModelId>, service: Option<ServiceId>) -> String {
    Choice { model, service, ..Choice::default() }.address(&[])
}

fn filters(services: Vec<(String, String)>) -> Vec<Filter> {
    vec![
        state_filter(),
        Filter::Choice { name: "service", label: "Service", all: "Any service", choices: services },
        Filter::Text { name: "model", label: "Model" },
        Filter::Days { name: "created", label: "Created" },
    ]
}

/// A price is on offer while its service, category, model, brand and type are.
async fn rows(database: &Database, ask: &Ask) -> Result<Rows<Row>> {
    let (model_id, model_name) = ask.id_or_pattern("model");
    let rows = sqlx::query_as!(
        Row,
        r#"
        select service_id, service, vehicle_model_id, model as "model!", price_paise as "price: Money",
            is_archived as "is_archived!", shop_clock(created_at) as "created!", count(*) over () as "count!"
        from (
            select price.id, price.service_id, service.name as service, price.vehicle_model_id,
                brand.name || ' ' || model.name as model, price.price_paise, price.created_at,
                coalesce(
                    service.archived_at, category.archived_at, model.archived_at, brand.archived_at, type.archived_at
                ) is not null as is_archived
            from service_prices price
            join services service on service.id = price.service_id
            join service_categories category on category.id = service.service_category_id
            join vehicle_models model on model.id = price.vehicle_model_id
            join vehicle_brands brand on brand.id = model.vehicle_brand_id
            join vehicle_types type on type.id = brand.vehicle_type_id
        ) as price
        where ($1::text is null or lower(service) like $1 or lower(model) like $1)
            and ($2::boolean is null or is_archived = $2)
            and ($3::bigint is null or service_id = $3)
            and ($4::bigint is null or vehicle_model_id = $4)
            and ($5::text is null or lower(model) like $5)
            and ($6::date is null or shop_clock(created_at)::date >= $6)
            and ($7::date is null or shop_clock(created_at)::date <= $7)
        order by
            case $8 when 'price' then price_paise when 'created' then extract(epoch from created_at) end,
            case $8 when '-price' then price_paise when '-created' then extract(epoch from created_at) end desc,
            case when $8 = 'model' then lower(model) end, case when $8 = '-model' then lower(model) end desc,
            case when $8 = '-service' then lower(service) end desc,
            lower(service), lower(model), id
        limit $9 offset $10
        "#,
        ask.pattern(),
        archived(ask),
        ask.id("service"),
        model_id,
        model_name,
        ask.day("created_from"),
        ask.day("created_to"),
        ask.sort(),
        ask.limit(),
        ask.offset()
    )
    .fetch_all(&database.pool())
    .await?;
    let count = rows.first().map_or(0, |row| row.count);
    Ok(Rows::numbered(rows, count, ask))
}

async fn services(database: &Database) -> Result<Vec<(String, String)>> {
    let services = sqlx::query!("select id, name from services where archived_at is null order by lower(name)");
    let services = services.fetch_all(&database.pool()).await?;
    Ok(services.into_iter().map(|service| (service.id.to_string(), service.name)).collect())
}

pub(crate) async fn list(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let rows = rows(app.database(), &ask).await?;
    let (columns, filters) = (columns(), filters(services(app.database()).await?));
    let list = List {
        place: LIST,
        ask: &ask,
        columns: &columns,
        filters: &filters,
        rows: &rows,
        search: Some("Service, model or brand"),
        empty: "There is no price yet. Choose a brand under Prices and set the first ones.",
        bulk: None,
        words: Words::default(),
    };
    let content = html! { h1 { (LIST.title) } (list.show()) };
    Ok(Page::new(&person, PLACE.path, LIST.title).below(&above()).show(&content))
}

pub(crate) async fn list_file(State(app): State<App>, ask: Ask) -> Result<Response> {
    file::file(PLACE, &columns(), &rows(app.database(), &ask).await?)
}
