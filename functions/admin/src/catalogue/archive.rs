//! Archiving and restoring a record.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use lambda_http::http::StatusCode;
use maud::html;
use shared::{Error, Faults, Result, catalogue, http::Id};
use sqlx::PgConnection;

use super::{
    edit::{Shown, find, refuse},
    record::Record,
    words::{NOTHING_CHANGED, above},
};
use crate::{
    App,
    kit::page::{Page, redirect},
    session::Person,
};

/// Says what depends on a record before it is archived.
pub(crate) async fn archive_page<T: Record>(State(app): State<App>, person: Person, Id(id): Id) -> Result<Response> {
    let mut connection = app.database().pool().acquire().await?;
    let stored = T::find(&mut connection, id).await?.ok_or(Error::NotFound("Record"))?;
    let dependents = T::dependents(&mut connection, id).await?;
    let path = format!("{}{id}/", T::PLACE.path);
    let title = format!("Archive {}?", stored.name);
    let content = html! {
        h1 { (title) }
        p { "It is taken off what customers can choose. Bookings that have it stay as they are, and it can be restored." }
        @if dependents.iter().any(|(count, ..)| *count > 0) {
            p { "What depends on it:" }
            ul {
                @for (count, what, list) in dependents.iter().filter(|(count, ..)| *count > 0) {
                    li { @if list.is_empty() { (count) " " (what) } @else { a href=(list) { (count) " " (what) } } }
                }
            }
        } @else {
            p { "Nothing depends on it." }
        }
        form.actions method="post" action=(format!("{path}archive/")) {
            button.danger type="submit" { "Archive " (stored.name) }
            a href=(path) { "Cancel" }
        }
    };
    Ok(Page::new(&person, T::PLACE.path, &title).below(&above::<T>()).show(&content))
}

pub(crate) async fn archive<T: Record>(State(app): State<App>, person: Person, Id(id): Id) -> Result<Response> {
    let archive = async |connection: &mut PgConnection| Ok::<_, Error>(((), T::archive(connection, id).await?));
    let archived = catalogue::change(app.database(), &app.redis, &person.author(), archive).await;
    conclude::<T>(&app, &person, id, archived, "archived").await
}

pub(crate) async fn restore<T: Record>(State(app): State<App>, person: Person, Id(id): Id) -> Result<Response> {
    let restore = async |connection: &mut PgConnection| Ok::<_, Error>(((), T::restore(connection, id).await?));
    let restored = catalogue::change(app.database(), &app.redis, &person.author(), restore).await;
    conclude::<T>(&app, &person, id, restored, "restored").await
}

async fn conclude<T: Record>(
    app: &App,
    person: &Person,
    id: i64,
    written: Result<((), i64)>,
    done: &str,
) -> Result<Response> {
    match written {
        Ok(_) => Ok(redirect(&format!("{}{id}/?done={done}", T::PLACE.path))),
        Err(Error::Conflict(_)) => {
            let stored = find::<T>(app, id).await?;
            let mut form = stored.present.form();
            form.blame(Faults::from(("name", "Another row on offer has taken this name. Change one of them first.")));
            refuse::<T>(app, person, id, &form, Shown::refused(StatusCode::CONFLICT)).await
        }
        Err(Error::Redis(_)) => {
            let mut form = find::<T>(app, id).await?.present.form();
            form.blame(Faults::from(("form", NOTHING_CHANGED)));
            refuse::<T>(app, person, id, &form, Shown::refused(StatusCode::SERVICE_UNAVAILABLE)).await
        }
        Err(error) => Ok(error.into_response()),
    }
}
