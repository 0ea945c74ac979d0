//! Services that the shop sells.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::services::{self, MINUTES, Service},
    database::Database,
    http::{Fields, Read},
};

use super::{
    queries::{dependents, rows, stored},
    record::{Record, state, state_cell},
    service_categories,
};
use crate::kit::{
    cell::Cell,
    form::{Form, Input, whole},
    list::{Column, Filter},
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
        let (category, name) = (fields.id("service_category_id"), fields.text("name", 200));
        let (description, minutes) = (fields.lines_or_empty("description", 2000), whole(fields, "minutes", MINUTES));
        let duration_minutes = minutes?;
        Some(Self(Service { service_category_id: category?, name: name?, description: description?, duration_minutes }))
    }
}

impl Record for Services {
    const PLACE: Place = Place { path: "/admin/services/", title: "Services" };
    const ONE: &'static str = "service";
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

    fn filters(choices: Vec<(String, String)>) -> Vec<Filter> {
        vec![Filter::Choice { name: "category", label: "Category", all: "All categories", choices }]
    }

    rows! {
        select r#"record.service_category_id, category.name as category, record.duration_minutes as minutes,
            (select count(*) from service_prices price where price.service_id = record.id) as "prices!""#,
        from "services record join service_categories category on category.id = record.service_category_id",
        search "lower(record.name) like $1 or lower(category.name) like $1",
        filter "category" "record.service_category_id = $8",
        number "minutes" "record.duration_minutes",
        text "category" "lower(category.name)",
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

    stored! {
        "services", services,
        form "service_category_id, name, description, duration_minutes", |row| [
            "name": row.name,
            "service_category_id": row.service_category_id.to_string(),
            "minutes": row.duration_minutes.to_string(),
            "description": row.description,
        ],
        unique "name = $1", |new| [new.name]
    }

    dependents! {
        "prices", "Prices of this service", "/admin/prices/?service=",
            "select count(*) from service_prices where service_id = $1";
        bookings "join booking_services line on line.booking_id = booking.id where line.service_id = $1"
    }
}
