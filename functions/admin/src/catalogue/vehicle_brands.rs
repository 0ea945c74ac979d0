//! Brands of a vehicle type.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::vehicle_brands::{self, VehicleBrand},
    database::Database,
    http::{Fields, Read},
};

use super::{
    queries::{choices, dependents, rows, stored},
    record::{Record, picture, picture_input, state, state_cell},
    vehicle_types,
};
use crate::kit::{
    cell::Cell,
    form::{Form, Input},
    list::{Column, Filter},
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
        let (vehicle_type_id, name, image) = (fields.id("vehicle_type_id"), fields.text("name", 100), picture(fields));
        Some(Self(VehicleBrand { vehicle_type_id: vehicle_type_id?, name: name?, image: image? }))
    }
}

impl Record for VehicleBrands {
    const PLACE: Place = Place { path: "/admin/vehicle-brands/", title: "Brands" };
    const ONE: &'static str = "brand";
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

    fn filters(choices: Vec<(String, String)>) -> Vec<Filter> {
        vec![Filter::Choice { name: "type", label: "Vehicle type", all: "All types", choices }]
    }

    rows! {
        select "record.vehicle_type_id, type.name as vehicle_type, record.image",
        from "vehicle_brands record join vehicle_types type on type.id = record.vehicle_type_id",
        search "lower(record.name) like $1 or lower(type.name) like $1",
        filter "type" "record.vehicle_type_id = $8",
        text "type" "lower(type.name)",
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

    stored! {
        "vehicle_brands", vehicle_brands,
        form "vehicle_type_id, name, image", |row| [
            "name": row.name,
            "vehicle_type_id": row.vehicle_type_id.to_string(),
            "image": row.image.unwrap_or_default(),
        ],
        unique "vehicle_type_id = $1 and name = $2", |new| [new.vehicle_type_id.0, new.name]
    }

    dependents! {
        "models on offer", "Models of this brand", "/admin/vehicle-models/?brand=",
            "select count(*) from vehicle_models where vehicle_brand_id = $1 and archived_at is null";
        "prices of its models", "Prices of this brand", "/admin/prices/?brand=",
            "select count(*) from service_prices price join vehicle_models model on model.id = price.vehicle_model_id
            where model.vehicle_brand_id = $1";
        bookings
            "join vehicle_models model on model.id = booking.vehicle_model_id where model.vehicle_brand_id = $1"
    }
}

choices! {
    r#"
    select brand.id, brand.name || ' · ' || type.name as "name!"
    from vehicle_brands brand join vehicle_types type on type.id = brand.vehicle_type_id
    where brand.archived_at is null and type.archived_at is null
    order by lower(brand.name), type.name
    "#
}
