//! Services that the shop sells.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::services::{self, Service},
    database::Database,
    http::{Fields, Read},
};
use sqlx::PgConnection;

use super::{
    Dependents, Record, Stored,
    record::{archived, state, state_cell, writers},
    service_categories,
};
use crate::kit::{
    ask::Ask,
    cell::Cell,
    form::{Form, Input, whole},
    list::{Column, Filter, Rows},
    page::Place,
};

pub(crate) struct Services(Service);

pub(crate) struct Row {
    id: i64,
    name: String,
    service_category_id: i64,
    category: String,
    minutes: i32,
    prices: i64,
    is_archived: bool,
    created: NaiveDateTime,
    count: i64,
}

impl Read for Services {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (category, name) = (fields.integer("service_category_id"), fields.text("name", 200));
        let (description, minutes) = (fields.text_or_empty("description", 2000), whole(fields, "minutes", 1..=1440));
        let duration_minutes = minutes?;
        Some(Self(Service { service_category_id: category?, name: name?, description: description?, duration_minutes }))
    }
}

impl Record for Services {
    const PLACE: Place = Place { path: "/admin/services/", title: "Services" };
    const ONE: &'static str = "service";
    const TABLE: &'static str = "services";
    const SEARCH: &'static str = "Name or category";

    type Row = Row;

    fn columns() -> Vec<Column<Row>> {
        vec![
            Column::sorted("id", "ID", |row| Cell::Number(row.id)),
            Column::sorted("name", "Name", |row| Cell::link(format!("/admin/services/{}/", row.id), &row.name)),
            Column::sorted("category", "Category", |row| {
                Cell::link(format!("/admin/service-categories/{}/", row.service_category_id), &row.category)
            }),
            Column::sorted("minutes", "Minutes", |row| Cell::Number(row.minutes.into())),
            Column::plain("prices", "Models with a price", |row| Cell::Number(row.prices)),
            Column::sorted("created", "Created", |row| Cell::Moment(row.created)),
            state(|row: &Row| state_cell(row.is_archived)),
        ]
    }

    async fn filters(database: &Database) -> Result<Vec<Filter>> {
        let choices = service_categories::choices(database).await?;
        Ok(vec![
            Filter::Choice { name: "category", label: "Category", all: "All categories", choices },
            Filter::Days { name: "created", label: "Created" },
        ])
    }

    async fn rows(database: &Database, ask: &Ask) -> Result<Rows<Row>> {
        let rows = sqlx::query_as!(
            Row,
            r#"
            select service.id, service.name, service.service_category_id, category.name as category,
                service.duration_minutes as minutes, service.archived_at is not null as "is_archived!",
                shop_clock(service.created_at) as "created!", count(*) over () as "count!",
                (select count(*) from service_prices price where price.service_id = service.id) as "prices!"
            from services service join service_categories category on category.id = service.service_category_id
            where ($1::text is null or lower(service.name) like $1 or lower(category.name) like $1)
                and ($2::bigint is null or service.service_category_id = $2)
                and ($3::date is null or shop_clock(service.created_at)::date >= $3)
                and ($4::date is null or shop_clock(service.created_at)::date <= $4)
                and ($5::boolean is null or (service.archived_at is not null) = $5)
            order by
                case $6 when 'id' then service.id when 'created' then extract(epoch from service.created_at)
                    when 'minutes' then service.duration_minutes end,
                case $6 when '-id' then service.id when '-created' then extract(epoch from service.created_at)
                    when '-minutes' then service.duration_minutes end desc,
                case $6 when '-name' then lower(service.name) when '-category' then lower(category.name) end desc,
                case when $6 = 'category' then lower(category.name) end, lower(service.name), service.id
            limit $7 offset $8
            "#,
            ask.pattern(),
            ask.id("category"),
            ask.day("created_from"),
            ask.day("created_to"),
            archived(ask),
            ask.sort(),
            ask.limit(),
            ask.offset()
        )
        .fetch_all(&database.pool())
        .await?;
        let count = rows.first().map_or(0, |row| row.count);
        Ok(Rows { rows, count })
    }

    async fn choices(database: &Database) -> Result<Vec<(String, String)>> {
        service_categories::choices(database).await
    }

    fn inputs(form: &Form, choices: &[(String, String)]) -> Markup {
        html! {
            (Input::new("name", "Name").required().max(200).in_form(form))
            (Input::new("service_category_id", "Category").required().select_in(form, choices))
            (Input::new("minutes", "Length in minutes").required().numeric().hint("How long a mechanic needs.").in_form(form))
            (Input::new("description", "Description").kind("textarea").max(2000).in_form(form))
        }
    }

    async fn find(connection: &mut PgConnection, id: i64) -> Result<Option<Stored>> {
        let row = sqlx::query!(
            r#"
            select service_category_id, name, description, duration_minutes, archived_at is not null as "is_archived!",
                (extract(epoch from updated_at) * 1000000)::bigint as "version!"
            from services where id = $1
            "#,
            id
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.map(|row| Stored {
            version: row.version,
            is_archived: row.is_archived,
            name: row.name.clone(),
            values: vec![
                ("name", row.name),
                ("service_category_id", row.service_category_id.to_string()),
                ("minutes", row.duration_minutes.to_string()),
                ("description", row.description),
            ],
        }))
    }

    async fn holder(&self, database: &Database) -> Result<Option<i64>> {
        Ok(sqlx::query_scalar!("select id from services where name = $1 and archived_at is null", self.0.name)
            .fetch_optional(&database.pool())
            .await?)
    }

    writers!(services);

    async fn dependents(connection: &mut PgConnection, id: i64) -> Result<Dependents> {
        let found = sqlx::query!(
            r#"
            select
                (select count(*) from service_prices where service_id = $1) as "prices!",
                (select count(*) from bookings booking join booking_services line on line.booking_id = booking.id
                    where line.service_id = $1 and booking.appointment_date >= shop_clock(now())::date
                        and booking.booking_status in ('pending', 'confirmed')) as "bookings!"
            "#,
            id
        )
        .fetch_one(connection)
        .await?;
        Ok(vec![(found.prices, "prices", String::new()), (found.bookings, "bookings to come", String::new())])
    }

    fn links(id: i64) -> Vec<(String, &'static str)> {
        vec![(format!("/admin/prices/?service={id}"), "Prices of this service")]
    }
}
