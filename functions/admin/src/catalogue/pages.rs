//! The pages of a catalogue table: list, file, form, and the page before archiving.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Faults, Result, catalogue,
    http::{Fields, Id, Query, Read},
    idempotency::{self, Answer},
};
use sqlx::PgConnection;

use super::{Record, Stored, record::state_filter};
use crate::{
    App,
    kit::{
        form::{Form, once, problem},
        list::{self, Ask, List},
        page::{Page, redirect},
    },
    session::Person,
};

/// What was just done, by the word in the address of the page that a form leads to.
fn notice(done: Option<&str>) -> Option<&'static str> {
    Some(match done? {
        "added" => "Added. It is on offer now.",
        "saved" => "Saved. Customers see it now.",
        "archived" => "Archived. It is no longer on offer.",
        "restored" => "Restored. It is on offer again.",
        _ => return None,
    })
}

pub(crate) async fn list<T: Record>(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let rows = T::rows(app.database(), &ask).await?;
    let mut filters = T::filters(app.database()).await?;
    filters.insert(0, state_filter());
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
    list::file(T::PLACE, &T::columns(), &rows)
}

/// An empty form; its inputs can be filled in by the address, such as `?brand=3`.
pub(crate) async fn new<T: Record>(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let choices = T::choices(app.database()).await?;
    let form = Form::of(ask.values().clone());
    Ok(show_new::<T>(&person, &form, &choices, None, StatusCode::OK))
}

pub(crate) async fn create<T: Record>(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(row) = form.read::<T>() else { return refuse_new::<T>(&app, &person, &form, None).await };
    let key = match form.key() {
        Ok(key) => key,
        Err(error) => {
            form.blame(fault(error)?);
            return refuse_new::<T>(&app, &person, &form, None).await;
        }
    };
    let add = async |connection: &mut PgConnection| {
        if let Some(before) = idempotency::claim(connection, FORMS, &key, T::TABLE.as_bytes()).await? {
            return Ok((String::from_utf8_lossy(before.body()).into_owned(), false));
        }
        let id = row.add(connection).await?;
        let led_to = format!("{}{id}/?done=added", T::PLACE.path);
        let answer = Answer::new(StatusCode::SEE_OTHER, led_to.clone().into_bytes());
        idempotency::keep(connection, FORMS, &key, &answer, idempotency::DAY).await?;
        Ok::<_, Error>((led_to, true))
    };
    match catalogue::change(app.database(), &app.redis, &person.author(), add).await {
        Ok((led_to, _)) => Ok(redirect(&led_to)),
        Err(Error::Conflict(_)) => {
            let holder = row.holder(app.database()).await?;
            refuse_new::<T>(&app, &person, &form, holder).await
        }
        Err(error) => {
            form.blame(fault(error)?);
            refuse_new::<T>(&app, &person, &form, None).await
        }
    }
}

/// The scope of the keys that make forms work once.
const FORMS: &str = "panel form";

/// The faults of a row that could not be written; other errors are passed on.
fn fault(error: Error) -> Result<Faults> {
    match error {
        Error::Validation(faults) | Error::FaultyField(faults) => Ok(faults),
        Error::Redis(_) => Ok(Faults::from(("form", NOTHING_CHANGED))),
        error => Err(error),
    }
}

pub(crate) const NOTHING_CHANGED: &str = "Nothing was changed: the store of cached prices does not answer, and customers \
    could be shown old prices. Please try again shortly.";

async fn refuse_new<T: Record>(app: &App, person: &Person, form: &Form, holder: Option<i64>) -> Result<Response> {
    let choices = T::choices(app.database()).await?;
    Ok(show_new::<T>(person, form, &choices, holder, form.refused()))
}

fn show_new<T: Record>(
    person: &Person,
    form: &Form,
    choices: &[(String, String)],
    holder: Option<i64>,
    status: StatusCode,
) -> Response {
    let title = format!("Add {}", T::ONE);
    let content = html! {
        h1 { (title) }
        (problem(form.fault("form").or(form.fault("form_key"))))
        (taken::<T>(holder))
        form.stack method="post" action=(format!("{}new/", T::PLACE.path)) {
            @if form.value("form_key").is_empty() { (once()) } @else {
                input type="hidden" name="form_key" value=(form.value("form_key"));
            }
            (T::inputs(form, choices))
            div.actions { button type="submit" { "Add " (T::ONE) } a href=(T::PLACE.path) { "Cancel" } }
        }
    };
    Page::new(person, T::PLACE.path, &title).below(&above::<T>()).status(status).show(&content)
}

/// Says which row has the name.
fn taken<T: Record>(holder: Option<i64>) -> Markup {
    html! {
        @if let Some(id) = holder {
            div.problem role="alert" {
                p { "Another " (T::ONE) " on offer has this name: " a href=(format!("{}{id}/", T::PLACE.path)) { "open it" } "." }
            }
        }
    }
}

fn above<T: Record>() -> [(String, String); 1] {
    [(T::PLACE.path.to_owned(), T::PLACE.title.to_owned())]
}

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
    let form = Form::of(stored.values.clone());
    Ok(show::<T>(&person, id, &stored, &form, &choices, &Shown { notice: notice(done.as_deref()), ..Shown::default() }))
}

async fn find<T: Record>(app: &App, id: i64) -> Result<Stored> {
    let mut connection = app.database().pool().acquire().await?;
    T::find(&mut connection, id).await?.ok_or(Error::NotFound("Record"))
}

/// Why a record's page is shown.
#[derive(Default)]
struct Shown {
    notice: Option<&'static str>,
    status: StatusCode,
    /// The row that has the name.
    holder: Option<i64>,
    is_stale: bool,
}

/// What became of a form.
enum Outcome {
    Saved,
    /// Somebody else has saved the record since the form was opened.
    Stale(Stored),
}

pub(crate) async fn change<T: Record>(
    State(app): State<App>,
    person: Person,
    Id(id): Id,
    mut form: Form,
) -> Result<Response> {
    let Some(row) = form.read::<T>() else { return refuse::<T>(&app, &person, id, &form, Shown::faulty()).await };
    let version = form.value("version").parse::<i64>().unwrap_or_default();
    let change = async |connection: &mut PgConnection| {
        let stored = T::find(connection, id).await?.ok_or(Error::NotFound("Record"))?;
        // A form that was sent twice finds its own values.
        if stored.version != version && !stored.values.iter().all(|(name, value)| form.value(name).trim() == value) {
            return Ok((Outcome::Stale(stored), false));
        }
        let has_changed = row.rewrite(connection, id).await?;
        Ok::<_, Error>((Outcome::Saved, has_changed))
    };
    match catalogue::change(app.database(), &app.redis, &person.author(), change).await {
        Ok((Outcome::Saved, _)) => Ok(redirect(&format!("{}{id}/?done=saved", T::PLACE.path))),
        Ok((Outcome::Stale(stored), _)) => {
            form.compare(stored.values);
            let shown = Shown { status: StatusCode::CONFLICT, is_stale: true, ..Shown::default() };
            refuse::<T>(&app, &person, id, &form, shown).await
        }
        Err(Error::Conflict(_)) => {
            let holder = row.holder(app.database()).await?;
            refuse::<T>(&app, &person, id, &form, Shown { holder, ..Shown::faulty() }).await
        }
        Err(error) => {
            form.blame(fault(error)?);
            let status = form.refused();
            refuse::<T>(&app, &person, id, &form, Shown { status, ..Shown::default() }).await
        }
    }
}

impl Shown {
    fn faulty() -> Self {
        Self { status: StatusCode::BAD_REQUEST, ..Self::default() }
    }
}

async fn refuse<T: Record>(app: &App, person: &Person, id: i64, form: &Form, shown: Shown) -> Result<Response> {
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
        @if shown.is_stale {
            div.problem role="alert" {
                p { "Somebody else has changed this " (T::ONE) " since you opened it. Your values are in the form, and theirs below each field. Save again to keep yours, or " a href=(path) { "take theirs" } "." }
            }
        }
        @if person.is_admin {
            form.stack method="post" action=(path) {
                input type="hidden" name="version" value=(stored.version);
                (T::inputs(form, choices))
                div.actions { button type="submit" { "Save " (T::ONE) } a href=(T::PLACE.path) { "Cancel" } }
            }
            (archiving(&path, stored))
        } @else {
            dl { @for (name, value) in &stored.values { dt { (name.replace('_', " ")) } dd { (value) } } }
        }
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
            let mut form = Form::of(stored.values);
            form.blame(Faults::from(("name", "Another row on offer has taken this name. Change one of them first.")));
            refuse::<T>(app, person, id, &form, Shown { status: StatusCode::CONFLICT, ..Shown::default() }).await
        }
        Err(Error::Redis(_)) => {
            let mut form = Form::of(find::<T>(app, id).await?.values);
            form.blame(Faults::from(("form", NOTHING_CHANGED)));
            refuse::<T>(app, person, id, &form, Shown { status: StatusCode::SERVICE_UNAVAILABLE, ..Shown::default() })
                .await
        }
        Err(error) => Ok(error.into_response()),
    }
}
