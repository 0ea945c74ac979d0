//! The form that adds a record.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::html;
use shared::{
    Error, Result, catalogue,
    idempotency::{self, Answer},
};
use sqlx::PgConnection;

use super::{
    record::Record,
    words::{above, fault, taken},
};
use crate::{
    App,
    kit::{
        ask::Ask,
        form::{Form, once, problem},
        page::{Page, redirect},
    },
    session::Person,
};

/// The scope of the keys that make forms work once.
const FORMS: &str = "panel form";

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
