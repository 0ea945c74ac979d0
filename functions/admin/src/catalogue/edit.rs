//! The page of a record: its form, and what a submitted form does.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Result, catalogue,
    http::{Fields, Id, Query, Read},
};
use sqlx::PgConnection;

use super::{
    record::{Record, Stored},
    words::{above, fault, notice, taken},
};
use crate::{
    App,
    kit::{
        form::{Form, problem},
        page::{Page, redirect},
        stale::{Present, stale, version},
    },
    session::Person,
};

/// What a page that was led to was reached by.
pub(crate) struct Done(Option<String>);

impl Read for Done {
    fn read(fields: &mut Fields) -> Option<Self> {
        let done = fields.text_or_empty("done", 20);
        Some(Self(done.filter(|done| !done.is_empty())))
    }
}

pub(crate) async fn edit<T: Record>(
    State(app): State<App>,
    person: Person,
    Id(id): Id,
    Query(Done(done)): Query<Done>,
) -> Result<Response> {
    let stored = find::<T>(&app, id).await?;
    let choices = T::choices(app.database()).await?;
    let form = stored.present.form();
    let page = Shown { notice: notice(done.as_deref()), ..Shown::default() };
    Ok(show::<T>(&person, id, &stored, &form, &choices, &page))
}

pub(super) async fn find<T: Record>(app: &App, id: i64) -> Result<Stored> {
    let mut connection = app.database().pool().acquire().await?;
    T::find(&mut connection, id).await?.ok_or(Error::NotFound("Record"))
}

/// Why a record's page is shown.
#[derive(Default)]
pub(super) struct Shown {
    notice: Option<&'static str>,
    status: StatusCode,
    /// The row that has the name.
    holder: Option<i64>,
}

/// What became of a form.
enum Outcome {
    Saved,
    /// Another user has saved the record since the form was opened.
    Stale(Present),
}

pub(crate) async fn change<T: Record>(
    State(app): State<App>,
    person: Person,
    Id(id): Id,
    mut form: Form,
) -> Result<Response> {
    let Some(row) = form.read::<T>() else { return refuse::<T>(&app, &person, id, &form, Shown::faulty()).await };
    let change = async |connection: &mut PgConnection| {
        let Stored { present, .. } = T::find(connection, id).await?.ok_or(Error::NotFound("Record"))?;
        if present.is_newer_than(&form) {
            return Ok((Outcome::Stale(present), false));
        }
        let has_changed = row.rewrite(connection, id).await?;
        Ok::<_, Error>((Outcome::Saved, has_changed))
    };
    match catalogue::change(app.database(), &app.redis, &person.author(), change).await {
        Ok((Outcome::Saved, _)) => Ok(redirect(&format!("{}{id}/?done=saved", T::PLACE.path))),
        Ok((Outcome::Stale(present), _)) => {
            present.show_beside(&mut form);
            refuse::<T>(&app, &person, id, &form, Shown::refused(StatusCode::CONFLICT)).await
        }
        Err(Error::Conflict(_)) => {
            let holder = row.holder(app.database()).await?;
            refuse::<T>(&app, &person, id, &form, Shown { holder, ..Shown::faulty() }).await
        }
        Err(error) => {
            form.blame(fault(error)?);
            let status = form.refused();
            refuse::<T>(&app, &person, id, &form, Shown::refused(status)).await
        }
    }
}

impl Shown {
    /// A page that says in its form why nothing was done.
    pub(super) fn refused(status: StatusCode) -> Self {
        Self { status, ..Self::default() }
    }

    fn faulty() -> Self {
        Self::refused(StatusCode::BAD_REQUEST)
    }
}

pub(super) async fn refuse<T: Record>(
    app: &App,
    person: &Person,
    id: i64,
    form: &Form,
    shown: Shown,
) -> Result<Response> {
    let stored = find::<T>(app, id).await?;
    let choices = T::choices(app.database()).await?;
    Ok(show::<T>(person, id, &stored, form, &choices, &shown))
}

fn show<T: Record>(
    person: &Person,
    id: i64,
    stored: &Stored,
    form: &Form,
    choices: &[(String, String)],
    shown: &Shown,
) -> Response {
    let path = format!("{}{id}/", T::PLACE.path);
    let content = html! {
        div.heading {
            h1 { (stored.name) }
            @if stored.is_archived { span.tag.quiet { "Archived" } }
        }
        p.links {
            @for (to, text) in T::links(id) { a href=(to) { (text) } }
            a href=(format!("{path}history/")) { "History" }
        }
        (problem(form.fault("form")))
        (taken::<T>(shown.holder))
        (stale(form, &format!("this {}", T::ONE), &path))
        form.stack method="post" action=(path) {
            fieldset disabled[!person.is_admin] {
                (version(form))
                (T::inputs(form, choices))
                @if person.is_admin {
                    div.actions { button type="submit" { "Save " (T::ONE) } a href=(T::PLACE.path) { "Cancel" } }
                }
            }
        }
        @if person.is_admin { (archiving(&path, stored)) }
    };
    Page::new(person, T::PLACE.path, &stored.name)
        .below(&above::<T>())
        .notice(shown.notice)
        .status(shown.status)
        .show(&content)
}

fn archiving(path: &str, stored: &Stored) -> Markup {
    html! {
        @if stored.is_archived {
            form.aside method="post" action=(format!("{path}restore/")) { button.plain type="submit" { "Restore " (stored.name) } }
        } @else {
            p.aside { a.button.plain href=(format!("{path}archive/")) { "Archive " (stored.name) "…" } }
        }
    }
}
