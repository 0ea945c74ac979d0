//! Makes a link that manages a booking, to hand to the customer, and ends links.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use shared::{
    Error, Faults, Result,
    bookings::{
        booking,
        links::{self, Scope, Which},
    },
    http::{Fields, Id, OwnHost, Read},
    ids::{BookingId, LinkId},
};
use sqlx::PgConnection;

use super::{
    path,
    show::{self, View},
};
use crate::{
    App,
    kit::{form::Form, page::redirect},
    session::Person,
};

struct NewLink(Scope);

impl Read for NewLink {
    fn read(fields: &mut Fields) -> Option<Self> {
        let scope = match fields.text("scope", 10)?.as_str() {
            "view" => Some(Scope::View),
            "pay" => Some(Scope::Pay),
            "change" => Some(Scope::Change),
            other => {
                fields.faults.add("scope", format!("\"{other}\" is not a valid choice."));
                None
            }
        };
        scope.map(Self)
    }
}

/// Makes a link and shows its address, here and never again.
pub(crate) async fn make_link(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    host: OwnHost,
    mut form: Form,
) -> Result<Response> {
    let Some(NewLink(scope)) = form.read() else {
        return show::page(&app, &person, id, &View { form, status: StatusCode::BAD_REQUEST, ..View::default() }).await;
    };
    let make = async |connection: &mut PgConnection| -> Result<_> {
        let booking = booking::lock(&mut *connection, id).await?;
        links::make(connection, booking.id, scope, "staff").await
    };
    let token = app.database().transaction(make).await?;
    let nowhere = || Error::internal("MANAGE_URL is not set, and the gateway names no host");
    let link = app.manage_page.address(&token, &host).ok_or_else(nowhere)?;
    show::page(&app, &person, id, &View { link: Some(link), ..View::default() }).await
}

struct Ending(Which);

impl Read for Ending {
    fn read(fields: &mut Fields) -> Option<Self> {
        let link = fields.text("link", 20)?;
        if link == "all" {
            return Some(Self(Which::All));
        }
        let id =
            link.parse().map(LinkId).map_err(|_| fields.faults.add("link", "A valid integer is required.")).ok()?;
        Some(Self(Which::One(id)))
    }
}

pub(crate) async fn revoke_links(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    mut form: Form,
) -> Result<Response> {
    let Some(Ending(which)) = form.read() else {
        form.blame(Faults::from(("form", person.words.not_possible())));
        return show::page(&app, &person, id, &View { form, status: StatusCode::BAD_REQUEST, ..View::default() }).await;
    };
    let revoke = async |connection: &mut PgConnection| -> Result<_> {
        let booking = booking::lock(&mut *connection, id).await?;
        links::revoke(connection, &booking, which, &person.actor()).await
    };
    app.database().transaction(revoke).await?;
    Ok(redirect(&format!("{}?done=saved", path(id))))
}
