//! Erasing the data of a customer, after a page that says what goes and what stays.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Result,
    customers::{self, Hindrances},
    history,
    http::Id,
    idempotency::{self, Answer},
    ids::CustomerId,
};
use sqlx::PgConnection;

use super::{
    list::PLACE,
    show::{Customer, Shown, find, page as customer_page},
};
use crate::{
    App,
    kit::{
        form::{Form, once, problem},
        page::{Page, redirect},
    },
    session::Person,
};

/// The scope of the keys that make this form work once.
const FORM: &str = "panel erase customer";

pub(crate) async fn page(State(app): State<App>, person: Person, Id(id): Id<CustomerId>) -> Result<Response> {
    show(&app, &person, id, None, StatusCode::OK).await
}

async fn show(
    app: &App,
    person: &Person,
    id: CustomerId,
    refused: Option<&str>,
    status: StatusCode,
) -> Result<Response> {
    let customer = find(app.database(), id).await?;
    if customer.erased.is_some() {
        return customer_page(app, person, id, Shown::refused("The data of this customer has been erased.".to_owned()))
            .await;
    }
    let hindrances = customers::hindrances(&app.database().pool(), id).await?;
    let title = format!("Erase the data of {}?", customer.name);
    let content = html! {
        h1 { (title) }
        (problem(refused))
        p { "Name, phone number, e-mail, addresses and all notes go, also from past bookings, and the account that signs in with the number. This cannot be undone." }
        p { "Bookings stay for the books: dates, bikes, services and money." }
        @if hindrances.is_none() { (form(&customer)) } @else { (waits(&customer, hindrances)) }
    };
    let path = format!("{}{id}/", PLACE.path);
    let above = [(PLACE.path.to_owned(), PLACE.title.to_owned()), (path, customer.name.clone())];
    Ok(Page::new(person, PLACE.path, &title).below(&above).status(status).show(&content))
}

fn form(customer: &Customer) -> Markup {
    let path = format!("{}{}/", PLACE.path, customer.id);
    html! {
        form.actions method="post" action=(format!("{path}erase/")) {
            (once())
            button.danger type="submit" { "Erase the data of " (customer.name) }
            a href=(path) { "Cancel" }
        }
    }
}

/// What must end first, and where.
fn waits(customer: &Customer, hindrances: Hindrances) -> Markup {
    html! {
        section.attention aria-labelledby="first" {
            h2 #first { "To be done first" }
            ul {
                @if hindrances.open_bookings > 0 { li { "Finish or cancel the open bookings: " (hindrances.open_bookings) } }
                @if hindrances.refunds > 0 { li { "Wait for the refunds, or settle them: " (hindrances.refunds) } }
            }
        }
        p { a href=(format!("{}{}/", PLACE.path, customer.id)) { "Back to the customer" } }
    }
}

pub(crate) async fn erase(
    State(app): State<App>,
    person: Person,
    Id(id): Id<CustomerId>,
    form: Form,
) -> Result<Response> {
    let key = match form.key() {
        Ok(key) => key,
        Err(error) => return show(&app, &person, id, Some(&error.to_string()), StatusCode::BAD_REQUEST).await,
    };
    let closed = match customers::phone(app.database(), id).await? {
        Some(phone) => customers::close_sign_in(app.database(), &app.sign_in.sessions.descope, &phone).await,
        None => Ok(()),
    };
    let erase = async |connection: &mut PgConnection| {
        let request = id.0.to_be_bytes();
        if idempotency::claim(connection, FORM, &key, &request).await?.is_some() {
            return Ok(());
        }
        history::sign(connection, &person.author()).await?;
        customers::erase(connection, id).await?;
        let answer = Answer::new(StatusCode::SEE_OTHER, Vec::new());
        idempotency::keep(connection, FORM, &key, &answer, idempotency::DAY).await
    };
    let erased = match closed {
        Ok(()) => app.database().transaction(erase).await,
        refused => refused,
    };
    match erased {
        Ok(()) => Ok(redirect(&format!("{}{id}/?done=erased", PLACE.path))),
        Err(error @ Error::Conflict(_)) => {
            show(&app, &person, id, Some(&error.to_string()), StatusCode::CONFLICT).await
        }
        Err(error) => Err(error),
    }
}
