//! What the pages of a catalogue table need to know about it.

use std::future::Future;

use maud::Markup;
use shared::{
    Result,
    database::Database,
    http::{Fields, Read},
};
use sqlx::PgConnection;

use crate::kit::{
    ask::Ask,
    cell::{Cell, Tone},
    form::{Form, Input},
    list::{Column, Filter},
    page::Place,
    rows::Rows,
    stale::Present,
};

/// A saved record.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) is_archived: bool,
    /// What the record is called on pages.
    pub(crate) name: String,
    /// The values of the form's inputs.
    pub(crate) present: Present,
}

/// Records that depend on one: how many, of what kind, and the list that shows them.
pub(super) type Dependents = Vec<(i64, &'static str, String)>;

/// A table of the catalogue. The type itself has the values of its form.
pub(crate) trait Record: Read + Send + Sync + 'static {
    const PLACE: Place;
    /// One of them in a sentence, such as "brand".
    const ONE: &'static str;
    /// The table, as the history names it.
    const TABLE: &'static str;
    /// What the search looks into.
    const SEARCH: &'static str;

    type Row: Send + 'static;

    fn columns() -> Vec<Column<Self::Row>>;

    /// The filters of the list, beside the state of a row and the day on which it was added.
    fn filters(_: Vec<(String, String)>) -> Vec<Filter> {
        Vec::new()
    }

    fn rows(database: &Database, ask: &Ask) -> impl Future<Output = Result<Rows<Self::Row>>> + Send;

    /// The choices of the form's inputs and of the list's filters.
    fn choices(_: &Database) -> impl Future<Output = Result<Vec<(String, String)>>> + Send {
        async { Ok(Vec::new()) }
    }

    fn inputs(form: &Form, choices: &[(String, String)]) -> Markup;

    fn find(connection: &mut PgConnection, id: i64) -> impl Future<Output = Result<Option<Stored>>> + Send;

    /// The row on offer that has the name of this one, and whose name it therefore cannot take.
    fn holder(&self, database: &Database) -> impl Future<Output = Result<Option<i64>>> + Send;

    fn add(&self, connection: &mut PgConnection) -> impl Future<Output = Result<i64>> + Send;

    fn rewrite(&self, connection: &mut PgConnection, id: i64) -> impl Future<Output = Result<bool>> + Send;

    fn archive(connection: &mut PgConnection, id: i64) -> impl Future<Output = Result<bool>> + Send;

    fn restore(connection: &mut PgConnection, id: i64) -> impl Future<Output = Result<bool>> + Send;

    /// What depends on a record that is to be archived.
    fn dependents(connection: &mut PgConnection, id: i64) -> impl Future<Output = Result<Dependents>> + Send;

    /// Links on the record's page, such as to the models of a brand.
    fn links(id: i64) -> Vec<(String, &'static str)>;
}

/// The column that says whether a row is on offer.
pub(super) const fn state<R>(cell: fn(&R) -> Cell) -> Column<R> {
    Column::plain("state", "State", cell)
}

pub(crate) fn state_cell(is_archived: bool) -> Cell {
    if is_archived { Cell::Tag(Tone::Quiet, "Archived") } else { Cell::Tag(Tone::Good, "On offer") }
}

/// The filter by state: `None` for all rows. Without a choice only rows on offer are listed.
pub(crate) fn archived(ask: &Ask) -> Option<bool> {
    match ask.value("state") {
        Some("all") => None,
        Some("archived") => Some(true),
        _ => Some(false),
    }
}

pub(crate) fn state_filter() -> Filter {
    let choices = [("archived", "Archived"), ("all", "All")];
    let choices = choices.map(|(value, text)| (value.to_owned(), text.to_owned())).to_vec();
    Filter::Choice { name: "state", label: "State", all: "On offer", choices }
}

/// The picture of a row: an https URL, or none.
#[expect(clippy::option_option, reason = "the outer one is a fault")]
pub(super) fn picture(fields: &mut Fields) -> Option<Option<String>> {
    let url = fields.text_or_empty("image", 500)?;
    if url.is_empty() {
        return Some(None);
    }
    if url.starts_with("https://") && url.len() > 8 && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(Some(url));
    }
    fields.faults.add("image", "Enter a web address that begins with https://.");
    None
}

pub(super) fn picture_input(form: &Form) -> Markup {
    Input::new("image", "Picture").kind("url").max(500).hint("Web address of a picture, https://…").in_form(form)
}
