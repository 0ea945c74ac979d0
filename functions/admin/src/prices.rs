//! Prices: a grid of services and models, a change by percent, and the same as a file.
//!
//! A price belongs to a [`Pair`] of service and model; forms and files name both by id, never by position. What was
//! shown travels with a form, so a price that another user saved meanwhile is never overwritten unseen.

mod amount;
mod choice;
mod draft;
mod file;
mod grid;
mod lines;
mod list;
mod offers;
mod percent;
mod plan;
mod preview;
mod raise;

use crate::kit::page::Place;

pub(crate) use file::{confirm as confirm_file, download, page as file_page, upload};
pub(crate) use grid::{save, show};
pub(crate) use list::{list, list_file};
pub(crate) use percent::{confirm as confirm_percent, page as percent_page};

const PLACE: Place = Place { path: "/admin/prices/", title: "Prices" };

fn above() -> [(String, String); 1] {
    [(PLACE.path.to_owned(), PLACE.title.to_owned())]
}

/// `1 price`, `12 prices`.
fn counted(count: impl TryInto<u64>) -> String {
    match count.try_into().unwrap_or_default() {
        1 => "1 price".to_owned(),
        count => format!("{count} prices"),
    }
}
