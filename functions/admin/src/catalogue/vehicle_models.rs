//! Models of a brand.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::vehicle_models::{self, VehicleModel},
    database::Database,
    http::{Fields, Read},
};
use sqlx::PgConnection;

use super::{
    Dependents, Record, Stored,
    record::{archived, picture, picture_input, state, state_cell, writers},
    vehicle_brands,
};
use crate::kit::{
    ask::Ask,
    cell::Cell,
    form::{Form, Input},
    list::{Column, Filter, Rows},
    page::Place,
};

pub(crate) struct VehicleModels(VehicleModel);

pub(crate) struct Row {
    id: i64,
    name: String,
    vehicle_brand_id: i64,
    brand: String,
    fuel: String,
    engine_cc: Option<i32>,
    image: Option<String>,
    prices: i64,
    is_archived: bool,
    created: NaiveDateTime,
    count: i64,
}

impl Read for VehicleModels {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (brand, name, fuel) =
            (fields.integer("vehicle_brand_id"), fields.text("name", 100), fields.text("fuel", 20));
        let (engine_cc, image) = (engine(fields), picture(fields));
        let fuel = fuel.filter(|fuel| ["petrol", "electric"].contains(&fuel.as_str()));
        if fuel.is_none() && fields.faults.of("fuel").is_empty() {
            fields.faults.add("fuel", "Choose petrol or electric.");
        }
        Some(Self(VehicleModel {
            vehicle_brand_id: brand?,
            name: name?,
            engine_cc: engine_cc?,
            fuel: fuel?,
            image: image?,
        }))
    }
}

impl Record for VehicleModels {
    const PLACE: Place = Place { path: "/admin/vehicle-models/", title: "Models" };
    const ONE: &'static str = "model";
    const TABLE: &'static str = "vehicle_models";
    const SEARCH: &'static str = "Name, brand or type";

    type Row = Row;

    fn columns() -> Vec<Column<Row>> {
        vec![
            Column::sorted("id", "ID", |row| Cell::Number(row.id)),
            Column::plain("image", "Picture", |row| row.image.clone().map_or(Cell::Empty, Cell::Picture)),
            Column::sorted("name", "Name", |row| Cell::link(format!("/admin/vehicle-models/{}/", row.id), &row.name)),
            Column::sorted("brand", "Brand", |row| {
                Cell::link(format!("/admin/vehicle-brands/{}/", row.vehicle_brand_id), &row.brand)
            }),
            Column::plain("fuel", "Fuel", |row| Cell::Text(row.fuel.clone())),
            Column::plain("engine", "Engine (cc)", |row| {
                row.engine_cc.map_or(Cell::Empty, |cc| Cell::Number(cc.into()))
            }),
            Column::plain("prices", "Prices", |row| Cell::Number(row.prices)),
            Column::sorted("created", "Created", |row| Cell::Moment(row.created)),
            state(|row: &Row| state_cell(row.is_archived)),
        ]
    }

    async fn filters(database: &Database) -> Result<Vec<Filter>> {
        let choices = vehicle_brands::choices(database).await?;
        Ok(vec![
            Filter::Choice { name: "brand", label: "Brand", all: "All brands", choices },
            Filter::Days { name: "created", label: "Created" },
        ])
    }

    async fn rows(database: &Database, ask: &Ask) -> Result<Rows<Row>> {
        let rows = sqlx::query_as!(
            Row,
            r#"
            select model.id, model.name, model.vehicle_brand_id, brand.name as brand, model.fuel, model.engine_cc, model.image,
                model.archived_at is not null as "is_archived!", shop_clock(model.created_at) as "created!",
                count(*) over () as "count!",
                (select count(*) from service_prices price where price.vehicle_model_id = model.id) as "prices!"
            from vehicle_models model join vehicle_brands brand on brand.id = model.vehicle_brand_id
                join vehicle_types type on type.id = brand.vehicle_type_id
            where ($1::text is null or lower(model.name) like $1 or lower(brand.name) like $1 or lower(type.name) like $1)
                and ($2::bigint is null or model.vehicle_brand_id = $2)
                and ($3::date is null or shop_clock(model.created_at)::date >= $3)
                and ($4::date is null or shop_clock(model.created_at)::date <= $4)
                and ($5::boolean is null or (model.archived_at is not null) = $5)
            order by
                case $6 when 'id' then model.id when 'created' then extract(epoch from model.created_at) end,
                case $6 when '-id' then model.id when '-created' then extract(epoch from model.created_at) end desc,
                case $6 when '-name' then lower(model.name) when '-brand' then lower(brand.name) end desc,
                case when $6 = 'brand' then lower(brand.name) end, lower(model.name), model.id
            limit $7 offset $8
            "#,
            ask.pattern(),
            ask.id("brand"),
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
        vehicle_brands::choices(database).await
    }

    fn inputs(form: &Form, choices: &[(String, String)]) -> Markup {
        html! {
            (Input::new("name", "Name").required().max(100).in_form(form))
            (Input::new("vehicle_brand_id", "Brand").required().select_in(form, choices))
            (Input::new("fuel", "Fuel").required().select_in(form, &fuels()))
            (Input::new("engine_cc", "Engine (cc)").numeric().hint("Nothing for electric vehicles.").in_form(form))
            (picture_input(form))
        }
    }

    async fn find(connection: &mut PgConnection, id: i64) -> Result<Option<Stored>> {
        let row = sqlx::query!(
            r#"
            select vehicle_brand_id, name, fuel, engine_cc, image, archived_at is not null as "is_archived!",
                (extract(epoch from updated_at) * 1000000)::bigint as "version!"
            from vehicle_models where id = $1
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
                ("vehicle_brand_id", row.vehicle_brand_id.to_string()),
                ("fuel", row.fuel),
                ("engine_cc", row.engine_cc.map(|cc| cc.to_string()).unwrap_or_default()),
                ("image", row.image.unwrap_or_default()),
            ],
        }))
    }

    async fn holder(&self, database: &Database) -> Result<Option<i64>> {
        Ok(sqlx::query_scalar!(
            "select id from vehicle_models where vehicle_brand_id = $1 and name = $2 and archived_at is null",
            self.0.vehicle_brand_id,
            self.0.name
        )
        .fetch_optional(&database.pool())
        .await?)
    }

    writers!(vehicle_models);

    async fn dependents(connection: &mut PgConnection, id: i64) -> Result<Dependents> {
        let found = sqlx::query!(
            r#"
            select
                (select count(*) from service_prices where vehicle_model_id = $1) as "prices!",
                (select count(*) from bookings booking
                    where booking.vehicle_model_id = $1 and booking.appointment_date >= shop_clock(now())::date
                        and booking.booking_status in ('pending', 'confirmed')) as "bookings!"
            "#,
            id
        )
        .fetch_one(connection)
        .await?;
        Ok(vec![
            (found.prices, "prices", format!("/admin/prices/?model={id}")),
            (found.bookings, "bookings to come", String::new()),
        ])
    }

    fn links(id: i64) -> Vec<(String, &'static str)> {
        vec![(format!("/admin/prices/?model={id}"), "Prices of this model")]
    }
}

fn fuels() -> [(String, String); 2] {
    [("petrol", "Petrol"), ("electric", "Electric")].map(|(value, text)| (value.to_owned(), text.to_owned()))
}

/// The size of the engine, if there is one.
#[expect(clippy::option_option, reason = "the outer one is a fault")]
fn engine(fields: &mut Fields) -> Option<Option<i32>> {
    let text = fields.text_or_empty("engine_cc", 10)?;
    if text.is_empty() {
        return Some(None);
    }
    let size = text.parse().ok().filter(|size| (1..=10_000).contains(size));
    if size.is_none() {
        fields.faults.add("engine_cc", "Enter a number from 1 to 10000, or nothing.");
    }
    size.map(Some)
}
