//! What administrators do to a user: roles, block, sessions.

use axum::{extract::State, response::Response};
use shared::{
    Error, Result,
    accounts::STAFF_ROLES,
    http::{Fields, Id, OwnHost, Read},
    ids::UserId,
    sign_in::personnel::{access, roles},
};

use super::show::page;
use crate::{
    App,
    kit::{form::Form, page::redirect},
    session::Person,
};

struct Role(String);

impl Read for Role {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.text("role", 20).filter(|role| STAFF_ROLES.contains(&role.as_str())).map(Self)
    }
}

pub(crate) async fn give_role(
    State(app): State<App>,
    host: OwnHost,
    person: Person,
    Id(id): Id<UserId>,
    mut form: Form,
) -> Result<Response> {
    let Some(Role(role)) = form.read() else { return Err(Error::NotFound("Role")) };
    let page = app.sign_in.messages.password_page(&host)?;
    let given = roles::give(&app.sign_in, id, &role, &page, &person.author()).await;
    conclude(&app, &person, id, given.map(drop), "role").await
}

pub(crate) async fn take_role(
    State(app): State<App>,
    person: Person,
    Id(id): Id<UserId>,
    mut form: Form,
) -> Result<Response> {
    let Some(Role(role)) = form.read() else { return Err(Error::NotFound("Role")) };
    let taken = roles::set(&app.sign_in, id, &role, false, &person.author()).await;
    conclude(&app, &person, id, taken.map(drop), "role").await
}

pub(crate) async fn block(State(app): State<App>, person: Person, Id(id): Id<UserId>) -> Result<Response> {
    let blocked = access::block(&app.sign_in, id, &person.author()).await;
    conclude(&app, &person, id, blocked.map(drop), "blocked").await
}

pub(crate) async fn unblock(State(app): State<App>, person: Person, Id(id): Id<UserId>) -> Result<Response> {
    let unblocked = access::unblock(&app.sign_in, id, &person.author()).await;
    conclude(&app, &person, id, unblocked.map(drop), "unblocked").await
}

pub(crate) async fn end_sessions(State(app): State<App>, person: Person, Id(id): Id<UserId>) -> Result<Response> {
    let ended = access::end_sessions(&app.sign_in, id, &person.author()).await;
    conclude(&app, &person, id, ended, "ended").await
}

struct SessionChoice(i64);

impl Read for SessionChoice {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.integer("session").map(Self)
    }
}

pub(crate) async fn end_session(
    State(app): State<App>,
    person: Person,
    Id(id): Id<UserId>,
    mut form: Form,
) -> Result<Response> {
    let Some(SessionChoice(session)) = form.read() else { return Err(Error::NotFound("Session")) };
    let ended = access::end_session(&app.sign_in, id, session.into(), &person.author()).await;
    conclude(&app, &person, id, ended, "ended").await
}

/// Leads back to the user, or shows why nothing was done.
async fn conclude(app: &App, person: &Person, id: UserId, done: Result<()>, word: &str) -> Result<Response> {
    match done {
        Ok(()) => Ok(redirect(&format!("/admin/users/{id}/?done={word}"))),
        Err(
            error @ (Error::Conflict(_)
            | Error::Throttled { .. }
            | Error::Upstream { .. }
            | Error::UpstreamTimeout { .. }),
        ) => page(app, person, id, None, Some(&error.to_string())).await,
        Err(error) => Err(error),
    }
}
