//! Brands of a vehicle type.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::vehicle_brands::{self, VehicleBrand},
    database::Database,
    http::{Fields, Read},
};
use sqlx::PgConnection;

use super::{
    Dependents, Record, Stored,
    record::{archived, picture, picture_input, state, state_cell, writers},
    vehicle_types,
};
use crate::kit::{
    ask::Ask,
    cell::Cell,
    form::{Form, Input},
    list::{Column, Filter, Rows},
    page::Place,
};

pub(crate) struct VehicleBrands(VehicleBrand);

pub(crate) struct Row {
    id: i64,
    name: String,
    vehicle_type_id: i64,
    vehicle_type: String,
    image: Option<String>,
    is_archived: bool,
    created: NaiveDateTime,
    count: i64,
}

impl Read for VehicleBrands {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (vehicle_type_id, name, image) =
            (fields.integer("vehicle_type_id"), fields.text("name", 100), picture(fields));
        Some(Self(VehicleBrand { vehicle_type_id: vehicle_type_id?, name: name?, image: image? }))
    }
}

impl Record for VehicleBrands {
    const PLACE: Place = Place { path: "/admin/vehicle-brands/", title: "Brands" };
    const ONE: &'static str = "brand";
    const TABLE: &'static str = "vehicle_brands";
    const SEARCH: &'static str = "Name or vehicle type";

    type Row = Row;

    fn columns() -> Vec<Column<Row>> {
        vec![
            Column::sorted("id", "ID", |row| Cell::Number(row.id)),
            Column::plain("image", "Picture", |row| row.image.clone().map_or(Cell::Empty, Cell::Picture)),
            Column::sorted("name", "Name", |row| Cell::link(format!("/admin/vehicle-brands/{}/", row.id), &row.name)),
            Column::sorted("type", "Vehicle type", |row| {
                Cell::link(format!("/admin/vehicle-types/{}/", row.vehicle_type_id), &row.vehicle_type)
            }),
            Column::sorted("created", "Created", |row| Cell::Moment(row.created)),
            state(|row: &Row| state_cell(row.is_archived)),
        ]
    }

    async fn filters(database: &Database) -> Result<Vec<Filter>> {
        let choices = vehicle_types::choices(database).await?;
        Ok(vec![
            Filter::Choice { name: "type", label: "Vehicle type", all: "All types", choices },
            Filter::Days { name: "created", label: "Created" },
        ])
    }

    async fn rows(database: &Database, ask: &Ask) -> Result<Rows<Row>> {
        let rows = sqlx::query_as!(
            Row,
            r#"
            select brand.id, brand.name, brand.vehicle_type_id, type.name as vehicle_type, brand.image,
                brand.archived_at is not null as "is_archived!", shop_clock(brand.created_at) as "created!",
                count(*) over () as "count!"
            from vehicle_brands brand join vehicle_types type on type.id = brand.vehicle_type_id
            where ($1::text is null or lower(brand.name) like $1 or lower(type.name) like $1)
                and ($2::bigint is null or brand.vehicle_type_id = $2)
                and ($3::date is null or shop_clock(brand.created_at)::date >= $3)
                and ($4::date is null or shop_clock(brand.created_at)::date <= $4)
                and ($5::boolean is null or (brand.archived_at is not null) = $5)
            order by
                case $6 when 'id' then brand.id when 'created' then extract(epoch from brand.created_at) end,
                case $6 when '-id' then brand.id when '-created' then extract(epoch from brand.created_at) end desc,
                case $6 when '-name' then lower(brand.name) when '-type' then lower(type.name) end desc,
                case when $6 = 'type' then lower(type.name) end, lower(brand.name), brand.id
            limit $7 offset $8
            "#,
            ask.pattern(),
            ask.id("type"),
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
        vehicle_types::choices(database).await
    }

    fn inputs(form: &Form, choices: &[(String, String)]) -> Markup {
        html! {
            (Input::new("name", "Name").required().max(100).in_form(form))
            (Input::new("vehicle_type_id", "Vehicle type").required().select_in(form, choices))
            (picture_input(form))
        }
    }

    async fn find(connection: &mut PgConnection, id: i64) -> Result<Option<Stored>> {
        let row = sqlx::query!(
            r#"
            select vehicle_type_id, name, image, archived_at is not null as "is_archived!",
                (extract(epoch from updated_at) * 1000000)::bigint as "version!"
            from vehicle_brands where id = $1
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
                ("vehicle_type_id", row.vehicle_type_id.to_string()),
                ("image", row.image.unwrap_or_default()),
            ],
        }))
    }

    async fn holder(&self, database: &Database) -> Result<Option<i64>> {
        Ok(sqlx::query_scalar!(
            "
            select id from vehicle_brands
            where vehicle_type_id = $1 and name = $2 and archived_at is null
            ",
            self.0.vehicle_type_id,
            self.0.name
        )
        .fetch_optional(&database.pool())
        .await?)
    }

    writers!(vehicle_brands);

    async fn dependents(connection: &mut PgConnection, id: i64) -> Result<Dependents> {
        let found = sqlx::query!(
            r#"
            select
                (select count(*) from vehicle_models where vehicle_brand_id = $1 and archived_at is null) as "models!",
                (select count(*) from service_prices price join vehicle_models model on model.id = price.vehicle_model_id
                    where model.vehicle_brand_id = $1) as "prices!",
                (select count(*) from bookings booking join vehicle_models model on model.id = booking.vehicle_model_id
                    where model.vehicle_brand_id = $1 and booking.appointment_date >= shop_clock(now())::date
                        and booking.booking_status in ('pending', 'confirmed')) as "bookings!"
            "#,
            id
        )
        .fetch_one(connection)
        .await?;
        Ok(vec![
            (found.models, "models on offer", format!("/admin/vehicle-models/?brand={id}")),
            (found.prices, "prices of its models", format!("/admin/prices/?brand={id}")),
            (found.bookings, "bookings to come", String::new()),
        ])
    }

    fn links(id: i64) -> Vec<(String, &'static str)> {
        vec![
            (format!("/admin/vehicle-models/?brand={id}"), "Models of this brand"),
            (format!("/admin/prices/?brand={id}"), "Prices of this brand"),
        ]
    }
}

/// The brands on offer, as choices: id, and name with type.
pub(super) async fn choices(database: &Database) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"
        select brand.id, brand.name || ' · ' || type.name as "name!"
        from vehicle_brands brand join vehicle_types type on type.id = brand.vehicle_type_id
        where brand.archived_at is null and type.archived_at is null
        order by lower(brand.name), type.name
        "#
    )
    .fetch_all(&database.pool())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}
