//! The links that manage a booking: which there are, a new one to hand to the customer, and their end.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
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
    around::Link,
    path,
    show::{self, View},
};
use crate::{
    App,
    kit::{form::Form, page::redirect},
    session::Person,
    words::Words,
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

const fn scope_of(words: Words, scope: Scope) -> &'static str {
    match scope {
        Scope::View => words.may_see(),
        Scope::Pay => words.may_pay(),
        Scope::Change => words.may_change(),
    }
}

/// The section of a booking's page.
pub(super) fn section(words: Words, id: BookingId, links: &[Link], made: Option<&str>) -> Markup {
    let action = format!("{}links/", path(id));
    let revoke = format!("{action}revoke/");
    html! {
        section aria-labelledby="links" {
            h2 #links { (words.links()) }
            @if let Some(address) = made {
                div.notice role="status" { p { strong { (words.link_is_shown_once()) } } }
                p.secret { code { (address) } }
            }
            @if links.is_empty() { p { (words.no_links()) } }
            @else {
                table.lines {
                    tbody {
                        @for link in links {
                            tr {
                                th scope="row" { (scope_of(words, link.scope)) " · " (purpose(words, &link.purpose)) " · " (words.moment(link.at)) }
                                td {
                                    form method="post" action=(revoke) {
                                        button.plain type="submit" name="link" value=(link.id) aria-label=(format!("{}: {}, {}", words.revoke(), scope_of(words, link.scope), words.moment(link.at))) { (words.revoke()) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            div.actions {
                form.row method="post" action=(action) {
                    div.field {
                        label for="scope" { (words.link_for()) }
                        select #scope name="scope" {
                            @for (value, scope) in [("change", Scope::Change), ("pay", Scope::Pay), ("view", Scope::View)] {
                                option value=(value) { (scope_of(words, scope)) }
                            }
                        }
                    }
                    button.plain type="submit" { (words.make_link()) }
                }
                @if links.len() > 1 {
                    form method="post" action=(revoke) {
                        button.plain type="submit" name="link" value="all" { (words.revoke_all()) }
                    }
                }
            }
        }
    }
}

/// What a link was made for: the kind of message that carries it, or to be handed over.
fn purpose(words: Words, purpose: &str) -> String {
    if purpose == "staff" { words.made_by_hand().to_owned() } else { purpose.replace('_', " ") }
}
