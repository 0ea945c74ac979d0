//! What is done for a customer: notes are saved, and a copy of the data is handed out.

use axum::{body::Body, extract::State, response::Response};
use chrono::Utc;
use lambda_http::http::{HeaderValue, StatusCode, header};
use shared::{
    Error, Result,
    customers::{self, LONGEST_NOTES, Rewritten},
    history,
    http::{Fields, Id, Read},
    ids::CustomerId,
};
use sqlx::PgConnection;

use super::{
    list::PLACE,
    show::{Shown, page},
};
use crate::{
    App,
    kit::{form::Form, page::redirect},
    session::Person,
};

struct Notes {
    before: String,
    notes: String,
}

impl Read for Notes {
    fn read(fields: &mut Fields) -> Option<Self> {
        let mut text = |name| fields.lines_or_empty(name, LONGEST_NOTES);
        let (before, notes) = (text("before"), text("notes"));
        Some(Self { before: before?, notes: notes? })
    }
}

pub(crate) async fn rewrite_notes(
    State(app): State<App>,
    person: Person,
    Id(id): Id<CustomerId>,
    mut form: Form,
) -> Result<Response> {
    let Some(Notes { before, notes }) = form.read() else {
        return page(&app, &person, id, Shown::faulty(form, StatusCode::BAD_REQUEST)).await;
    };
    let rewrite = async |connection: &mut PgConnection| {
        history::sign(connection, &person.author()).await?;
        customers::rewrite_notes(connection, id, &before, &notes).await
    };
    match app.database().transaction(rewrite).await {
        Ok(Rewritten::Saved) => Ok(redirect(&format!("{}{id}/?done=notes", PLACE.path))),
        Ok(Rewritten::Stale(theirs)) => {
            form.compare([("notes", theirs)]);
            page(&app, &person, id, Shown::faulty(form, StatusCode::CONFLICT)).await
        }
        Err(error @ Error::Conflict(_)) => page(&app, &person, id, Shown::refused(error.to_string())).await,
        Err(error) => Err(error),
    }
}

pub(crate) async fn export(State(app): State<App>, person: Person, Id(id): Id<CustomerId>) -> Result<Response> {
    let export = async |connection: &mut PgConnection| {
        history::sign(connection, &person.author()).await?;
        customers::export(connection, id).await
    };
    let text = match app.database().transaction(export).await {
        Ok(text) => text,
        Err(error @ Error::Conflict(_)) => return page(&app, &person, id, Shown::refused(error.to_string())).await,
        Err(error) => return Err(error),
    };
    let name = format!("attachment; filename=\"customer-{id}-{}.json\"", Utc::now().format("%Y-%m-%d"));
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(Error::internal)?);
    Ok(response)
}
