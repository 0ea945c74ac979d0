//! Vehicle types, such as bikes and scooters.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Result,
    catalogue::vehicle_types::{self, VehicleType},
    database::Database,
    http::{Fields, Read},
};

use super::{
    queries::{choices, dependents, rows, stored},
    record::{Record, picture, picture_input, state, state_cell},
};
use crate::kit::{
    cell::Cell,
    form::{Form, Input},
    list::Column,
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

    rows! {
        select r#"record.image, shop_clock(record.updated_at) as "updated!""#,
        from "vehicle_types record",
        search "lower(record.name) like $1",
        number "updated" "extract(epoch from record.updated_at)",
    }

    fn inputs(form: &Form, _: &[(String, String)]) -> Markup {
        html! {
            (Input::new("name", "Name").required().max(100).in_form(form))
            (Input::new("slug", "Short name in addresses").required().max(50).hint("Such as two-wheeler.").in_form(form))
            (picture_input(form))
        }
    }

    stored! {
        "vehicle_types", vehicle_types,
        form "name, slug, image", |row| ["name": row.name, "slug": row.slug, "image": row.image.unwrap_or_default()],
        unique "name = $1", |new| [new.name]
    }

    dependents! {
        "brands on offer", "Brands of this type", "/admin/vehicle-brands/?type=",
            "select count(*) from vehicle_brands where vehicle_type_id = $1 and archived_at is null";
        bookings
            "join vehicle_models model on model.id = booking.vehicle_model_id
            join vehicle_brands brand on brand.id = model.vehicle_brand_id where brand.vehicle_type_id = $1"
    }
}

choices! {
    "select id, name from vehicle_types where archived_at is null order by lower(name)"
}
