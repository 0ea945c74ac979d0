//! The list of a catalogue table, and its file.

use axum::{extract::State, response::Response};
use maud::html;
use shared::Result;

use super::{
    record::{Record, state_filter},
    words::notice,
};
use crate::{
    App,
    kit::{
        ask::Ask,
        file as csv,
        list::{Filter, List},
        page::Page,
    },
    session::Person,
    words::Words,
};

pub(crate) async fn list<T: Record>(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let rows = T::rows(app.database(), &ask).await?;
    let mut filters = T::filters(T::choices(app.database()).await?);
    filters.insert(0, state_filter());
    filters.push(Filter::Days { name: "created", label: "Created" });
    let columns = T::columns();
    let empty = format!("There is no {} yet. Add the first one.", T::ONE);
    let list = List {
        place: T::PLACE,
        ask: &ask,
        columns: &columns,
        filters: &filters,
        rows: &rows,
        search: Some(T::SEARCH),
        empty: &empty,
        bulk: None,
        words: Words::default(),
    };
    let content = html! {
        div.heading {
            h1 { (T::PLACE.title) }
            @if person.is_admin { a.button href=(format!("{}new/", T::PLACE.path)) { "Add " (T::ONE) } }
        }
        (list.show())
    };
    Ok(Page::new(&person, T::PLACE.path, T::PLACE.title).notice(notice(ask.value("done"))).show(&content))
}

pub(crate) async fn file<T: Record>(State(app): State<App>, ask: Ask) -> Result<Response> {
    let rows = T::rows(app.database(), &ask).await?;
    csv::file(T::PLACE, &T::columns(), &rows)
}
