//! The choice of a language, kept by the browser, and for messages to the customer.

use axum::{extract::State, response::Response};
use lambda_http::http::header;
use shared::{
    Error, Result,
    bookings::links::{self, Scope},
    customers,
    http::{Fields, Read},
    language::Language,
};
use sqlx::PgConnection;

use crate::{App, form::Form, holder::Holder, page::redirect, words::keep};

pub(crate) struct Choice(String);

impl Read for Choice {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.text("language", 10).map(Self)
    }
}

/// Keeps the language and leads to the first page of the link. Messages follow the customer, and no one to whom the link was
/// passed on to see or to pay.
pub(crate) async fn choose(
    State(app): State<App>,
    holder: Holder,
    Form(Choice(tag)): Form<Choice>,
) -> Result<Response> {
    let language = Language::parse(&tag).ok_or(Error::NotFound("Language"))?;
    if holder.may(Scope::Change) {
        let choose = async |connection: &mut PgConnection| -> Result<()> {
            let booking = links::lock(&mut *connection, &holder.token, Scope::Change).await?;
            Ok(customers::language::choose(connection, booking.customer.id, language).await?)
        };
        app.database().transaction(choose).await?;
    }
    let mut response = redirect(&holder.path(""));
    response.headers_mut().insert(header::SET_COOKIE, keep(language));
    Ok(response)
}
