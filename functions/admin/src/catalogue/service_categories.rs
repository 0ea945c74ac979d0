//! Categories of services.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::service_categories::{self, ServiceCategory},
    database::Database,
    http::{Fields, Read},
};
use sqlx::PgConnection;

use super::{
    Dependents, Record, Stored,
    record::{archived, state, state_cell, writers},
};
use crate::kit::{
    ask::Ask,
    cell::Cell,
    form::{Form, Input},
    list::{Column, Filter, Rows},
    page::Place,
};

pub(crate) struct ServiceCategories(ServiceCategory);

pub(crate) struct Row {
    id: i64,
    name: String,
    services: i64,
    updated: NaiveDateTime,
    is_archived: bool,
    created: NaiveDateTime,
    count: i64,
}

impl Read for ServiceCategories {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (name, description) = (fields.text("name", 100), fields.text_or_empty("description", 2000));
        Some(Self(ServiceCategory { name: name?, description: description? }))
    }
}

impl Record for ServiceCategories {
    const PLACE: Place = Place { path: "/admin/service-categories/", title: "Categories" };
    const ONE: &'static str = "category";
    const TABLE: &'static str = "service_categories";
    const SEARCH: &'static str = "Name";

    type Row = Row;

    fn columns() -> Vec<Column<Row>> {
        vec![
            Column::sorted("id", "ID", |row| Cell::Number(row.id)),
            Column::sorted("name", "Name", |row| {
                Cell::link(format!("/admin/service-categories/{}/", row.id), &row.name)
            }),
            Column::plain("services", "Services", |row| Cell::Number(row.services)),
            Column::sorted("updated", "Updated", |row| Cell::Moment(row.updated)),
            Column::sorted("created", "Created", |row| Cell::Moment(row.created)),
            state(|row: &Row| state_cell(row.is_archived)),
        ]
    }

    async fn filters(_: &Database) -> Result<Vec<Filter>> {
        Ok(vec![Filter::Days { name: "created", label: "Created" }])
    }

    async fn rows(database: &Database, ask: &Ask) -> Result<Rows<Row>> {
        let rows = sqlx::query_as!(
            Row,
            r#"
            select id, name, archived_at is not null as "is_archived!", shop_clock(created_at) as "created!",
                shop_clock(updated_at) as "updated!", count(*) over () as "count!",
                (select count(*) from services
                    where service_category_id = category.id and services.archived_at is null) as "services!"
            from service_categories category
            where ($1::text is null or lower(name) like $1)
                and ($2::date is null or shop_clock(created_at)::date >= $2)
                and ($3::date is null or shop_clock(created_at)::date <= $3)
                and ($4::boolean is null or (archived_at is not null) = $4)
            order by
                case $5 when 'id' then id when 'created' then extract(epoch from created_at)
                    when 'updated' then extract(epoch from updated_at) end,
                case $5 when '-id' then id when '-created' then extract(epoch from created_at)
                    when '-updated' then extract(epoch from updated_at) end desc,
                case $5 when '-name' then lower(name) end desc,
                lower(name), id
            limit $6 offset $7
            "#,
            ask.pattern(),
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

    async fn choices(_: &Database) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    fn inputs(form: &Form, _: &[(String, String)]) -> Markup {
        html! {
            (Input::new("name", "Name").required().max(100).in_form(form))
            (Input::new("description", "Description").kind("textarea").max(2000).in_form(form))
        }
    }

    async fn find(connection: &mut PgConnection, id: i64) -> Result<Option<Stored>> {
        let row = sqlx::query!(
            r#"
            select name, description, archived_at is not null as "is_archived!",
                (extract(epoch from updated_at) * 1000000)::bigint as "version!"
            from service_categories where id = $1
            "#,
            id
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.map(|row| Stored {
            version: row.version,
            is_archived: row.is_archived,
            name: row.name.clone(),
            values: vec![("name", row.name), ("description", row.description)],
        }))
    }

    async fn holder(&self, database: &Database) -> Result<Option<i64>> {
        Ok(sqlx::query_scalar!(
            "select id from service_categories where name = $1 and archived_at is null",
            self.0.name
        )
        .fetch_optional(&database.pool())
        .await?)
    }

    writers!(service_categories);

    async fn dependents(connection: &mut PgConnection, id: i64) -> Result<Dependents> {
        let found = sqlx::query!(
            r#"
            select
                (select count(*) from services where service_category_id = $1 and archived_at is null) as "services!",
                (select count(distinct booking.id) from bookings booking
                    join booking_services line on line.booking_id = booking.id
                    join services service on service.id = line.service_id
                    where service.service_category_id = $1 and booking.appointment_date >= shop_clock(now())::date
                        and booking.booking_status in ('pending', 'confirmed')) as "bookings!"
            "#,
            id
        )
        .fetch_one(connection)
        .await?;
        Ok(vec![
            (found.services, "services on offer", format!("/admin/services/?category={id}")),
            (found.bookings, "bookings to come", String::new()),
        ])
    }

    fn links(id: i64) -> Vec<(String, &'static str)> {
        vec![(format!("/admin/services/?category={id}"), "Services of this category")]
    }
}

/// The categories on offer, as choices.
pub(super) async fn choices(database: &Database) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"
        select id, name from service_categories where archived_at is null order by lower(name)
        "#
    )
    .fetch_all(&database.pool())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}
