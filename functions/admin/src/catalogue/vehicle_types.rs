//! Vehicle types, such as bikes and scooters.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::vehicle_types::{self, VehicleType},
    database::Database,
    http::{Fields, Read},
};
use sqlx::PgConnection;

use super::{
    Dependents, Record, Stored,
    record::{archived, picture, picture_input, state, state_cell, writers},
};
use crate::kit::{
    ask::Ask,
    cell::Cell,
    form::{Form, Input},
    list::{Column, Filter, Rows},
    page::Place,
};

pub(crate) struct VehicleTypes(VehicleType);

pub(crate) struct Row {
    id: i64,
    name: String,
    image: Option<String>,
    updated: NaiveDateTime,
    is_archived: bool,
    created: NaiveDateTime,
    count: i64,
}

impl Read for VehicleTypes {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (name, slug, image) = (fields.text("name", 100), fields.text("slug", 50), picture(fields));
        Some(Self(VehicleType { name: name?, slug: slug?, image: image? }))
    }
}

impl Record for VehicleTypes {
    const PLACE: Place = Place { path: "/admin/vehicle-types/", title: "Vehicle types" };
    const ONE: &'static str = "vehicle type";
    const TABLE: &'static str = "vehicle_types";
    const SEARCH: &'static str = "Name";

    type Row = Row;

    fn columns() -> Vec<Column<Row>> {
        vec![
            Column::sorted("id", "ID", |row| Cell::Number(row.id)),
            Column::plain("image", "Picture", |row| row.image.clone().map_or(Cell::Empty, Cell::Picture)),
            Column::sorted("name", "Name", |row| Cell::link(format!("/admin/vehicle-types/{}/", row.id), &row.name)),
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
            select id, name, image, archived_at is not null as "is_archived!", shop_clock(created_at) as "created!",
                shop_clock(updated_at) as "updated!", count(*) over () as "count!"
            from vehicle_types
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
            (Input::new("slug", "Short name in addresses").required().max(50).hint("Such as two-wheeler.").in_form(form))
            (picture_input(form))
        }
    }

    async fn find(connection: &mut PgConnection, id: i64) -> Result<Option<Stored>> {
        let row = sqlx::query!(
            r#"
            select name, slug, image, archived_at is not null as "is_archived!",
                (extract(epoch from updated_at) * 1000000)::bigint as "version!"
            from vehicle_types where id = $1
            "#,
            id
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.map(|row| Stored {
            version: row.version,
            is_archived: row.is_archived,
            name: row.name.clone(),
            values: vec![("name", row.name), ("slug", row.slug), ("image", row.image.unwrap_or_default())],
        }))
    }

    async fn holder(&self, database: &Database) -> Result<Option<i64>> {
        Ok(sqlx::query_scalar!("select id from vehicle_types where name = $1 and archived_at is null", self.0.name)
            .fetch_optional(&database.pool())
            .await?)
    }

    writers!(vehicle_types);

    async fn dependents(connection: &mut PgConnection, id: i64) -> Result<Dependents> {
        let found = sqlx::query!(
            r#"
            select
                (select count(*) from vehicle_brands where vehicle_type_id = $1 and archived_at is null) as "brands!",
                (select count(*) from bookings booking join vehicle_models model on model.id = booking.vehicle_model_id
                    join vehicle_brands brand on brand.id = model.vehicle_brand_id
                    where brand.vehicle_type_id = $1 and booking.appointment_date >= shop_clock(now())::date
                        and booking.booking_status in ('pending', 'confirmed')) as "bookings!"
            "#,
            id
        )
        .fetch_one(connection)
        .await?;
        Ok(vec![
            (found.brands, "brands on offer", format!("/admin/vehicle-brands/?type={id}")),
            (found.bookings, "bookings to come", String::new()),
        ])
    }

    fn links(id: i64) -> Vec<(String, &'static str)> {
        vec![(format!("/admin/vehicle-brands/?type={id}"), "Brands of this type")]
    }
}

/// The types on offer, as choices.
pub(super) async fn choices(database: &Database) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"
        select id, name from vehicle_types where archived_at is null order by lower(name)
        "#
    )
    .fetch_all(&database.pool())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}
