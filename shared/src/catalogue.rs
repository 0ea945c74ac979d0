//! Writes to the catalogue: vehicles, services, prices, opening hours and the shop.
//!
//! All writes run inside [`change`], which makes cached entries unreachable before the new rows become visible: the
//! writers of single rows, and the import of files. Rows that a booking may refer to are archived, never deleted.

mod archive;
mod change;
pub mod hours;
pub mod import;
pub mod prices;
pub mod service_categories;
pub mod services;
pub mod shop;
pub mod vehicle_brands;
pub mod vehicle_models;
pub mod vehicle_types;

pub use change::{change, preview, publish};

/// Whether the database refused a name because another row on offer has it.
fn is_name_taken(error: &sqlx::Error) -> bool {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    constraint.is_some_and(|name| name.ends_with("name_excl"))
}

/// The API error for a row that could not be written: 409 for a taken name, 400 on the column of an unknown parent.
fn refused(error: sqlx::Error) -> crate::Error {
    if is_name_taken(&error) {
        return crate::Error::conflict("name", "Another row on offer has this name.");
    }
    let constraint = error.as_database_error().and_then(|error| error.constraint()).unwrap_or_default();
    let parents = ["vehicle_type_id", "vehicle_brand_id", "service_category_id"];
    match parents.into_iter().find(|column| constraint.ends_with(&format!("{column}_fkey"))) {
        Some(column) => crate::Error::field(column, "Choose one of the list."),
        None => error.into(),
    }
}
