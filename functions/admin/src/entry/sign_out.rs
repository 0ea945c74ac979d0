//! Signing out: this session, or all sessions of the person.

use axum::{extract::State, response::Response};
use lambda_http::http::{HeaderMap, header};
use shared::{Error, Result, accounts, http::Device, sign_in::sessions};
use sqlx::PgConnection;

use crate::{
    App,
    kit::page::redirect,
    session::{self, Person},
};

/// Ends the session, also one whose role was taken away.
pub(crate) async fn one(State(app): State<App>, device: Device, headers: HeaderMap) -> Result<Response> {
    if let Some(person) = session::find(&app, &headers, &device).await? {
        end(&app, &person).await?;
    }
    Ok(out())
}

/// Ends every session of the person, here and at Descope.
pub(crate) async fn everywhere(State(app): State<App>, person: Person) -> Result<Response> {
    let revoke = async |connection: &mut PgConnection| {
        accounts::revoke_sessions(connection, person.user_id).await.map_err(Error::from)
    };
    app.database().transaction(revoke).await?;
    sessions::end_at_descope(&app.sign_in, person.user_id).await;
    Ok(out())
}

/// Ends a session here and at Descope.
pub(super) async fn end(app: &App, person: &Person) -> Result<()> {
    match sessions::revoke(&app.sign_in, person.user_id, person.session_id).await {
        // Ended meanwhile.
        Err(Error::NotFound(_)) => Ok(()),
        ended => ended,
    }
}

fn out() -> Response {
    let mut response = redirect("/admin/sign-in/");
    response.headers_mut().insert(header::SET_COOKIE, session::removal());
    response
}
