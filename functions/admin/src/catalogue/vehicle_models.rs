//! Models of a brand.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::vehicle_models::{self, ENGINE_CC, FUELS, VehicleModel},
    database::Database,
    http::{Fields, Read},
};

use super::{
    queries::{dependents, rows, stored},
    record::{Record, picture, picture_input, state, state_cell},
    vehicle_brands,
};
use crate::kit::{
    cell::Cell,
    form::{Form, Input},
    list::{Column, Filter},
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
        let (brand, name, fuel) = (fields.id("vehicle_brand_id"), fields.text("name", 100), fields.text("fuel", 20));
        let (engine_cc, image) = (engine(fields), picture(fields));
        let fuel = fuel.filter(|fuel| FUELS.contains(&fuel.as_str()));
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

    fn filters(choices: Vec<(String, String)>) -> Vec<Filter> {
        vec![Filter::Choice { name: "brand", label: "Brand", all: "All brands", choices }]
    }

    rows! {
        select r#"record.vehicle_brand_id, brand.name as brand, record.fuel, record.engine_cc, record.image,
            (select count(*) from service_prices price where price.vehicle_model_id = record.id) as "prices!""#,
        from "vehicle_models record join vehicle_brands brand on brand.id = record.vehicle_brand_id
            join vehicle_types type on type.id = brand.vehicle_type_id",
        search "lower(record.name) like $1 or lower(brand.name) like $1 or lower(type.name) like $1",
        filter "brand" "record.vehicle_brand_id = $8",
        text "brand" "lower(brand.name)",
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

    stored! {
        "vehicle_models", vehicle_models,
        form "vehicle_brand_id, name, fuel, engine_cc, image", |row| [
            "name": row.name,
            "vehicle_brand_id": row.vehicle_brand_id.to_string(),
            "fuel": row.fuel,
            "engine_cc": row.engine_cc.map(|cc| cc.to_string()).unwrap_or_default(),
            "image": row.image.unwrap_or_default(),
        ],
        unique "vehicle_brand_id = $1 and name = $2", |new| [new.vehicle_brand_id.0, new.name]
    }

    dependents! {
        "prices", "Prices of this model", "/admin/prices/?model=",
            "select count(*) from service_prices where vehicle_model_id = $1";
        bookings "where booking.vehicle_model_id = $1"
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
    let size = text.parse().ok().filter(|size| ENGINE_CC.contains(size));
    if size.is_none() {
        fields.faults.add("engine_cc", "Enter a number from 1 to 10000, or nothing.");
    }
    size.map(Some)
}
