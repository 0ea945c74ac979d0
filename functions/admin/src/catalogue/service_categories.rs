//! Categories of services.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::service_categories::{self, ServiceCategory},
    database::Database,
    http::{Fields, Read},
};

use super::{
    queries::{choices, dependents, rows, stored},
    record::{Record, state, state_cell},
};
use crate::kit::{
    cell::Cell,
    form::{Form, Input},
    list::Column,
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
        let (name, description) = (fields.text("name", 100), fields.lines_or_empty("description", 2000));
        Some(Self(ServiceCategory { name: name?, description: description? }))
    }
}

impl Record for ServiceCategories {
    const PLACE: Place = Place { path: "/admin/service-categories/", title: "Categories" };
    const ONE: &'static str = "category";
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

    rows! {
        select r#"shop_clock(record.updated_at) as "updated!",
            (select count(*) from services
                where service_category_id = record.id and services.archived_at is null) as "services!""#,
        from "service_categories record",
        search "lower(record.name) like $1",
        number "updated" "extract(epoch from record.updated_at)",
    }

    fn inputs(form: &Form, _: &[(String, String)]) -> Markup {
        html! {
            (Input::new("name", "Name").required().max(100).in_form(form))
            (Input::new("description", "Description").kind("textarea").max(2000).in_form(form))
        }
    }

    stored! {
        "service_categories", service_categories,
        form "name, description", |row| ["name": row.name, "description": row.description],
        unique "name = $1", |new| [new.name]
    }

    dependents! {
        "services on offer", "Services of this category", "/admin/services/?category=",
            "select count(*) from services where service_category_id = $1 and archived_at is null";
        bookings
            "join booking_services line on line.booking_id = booking.id
            join services service on service.id = line.service_id where service.service_category_id = $1"
    }
}

choices! {
    "select id, name from service_categories where archived_at is null order by lower(name)"
}
