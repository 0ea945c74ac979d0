//! What is done about a message on a booking's page: it is sent again, has arrived, or was dealt with.

use axum::{extract::State, response::Response};
use chrono::Utc;
use lambda_http::http::StatusCode;
use shared::{
    Error, Result,
    bookings::Actor,
    http::{Fields, Id, Read},
    ids::{BookingId, SendingId},
    messages,
};
use sqlx::PgConnection;

use super::{
    path,
    show::{self, View},
};
use crate::{
    App,
    kit::{act, form::Form, page::redirect},
    session::Person,
};

/// An act on one message.
struct Wanted {
    message: SendingId,
    act: Act,
}

#[derive(Clone, Copy)]
enum Act {
    Again,
    Arrived,
    DealtWith,
}

impl Read for Wanted {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (message, act) = (fields.integer_within("message", 1..=i64::MAX), fields.text("act", 20)?);
        let act = match act.as_str() {
            "again" => Act::Again,
            "arrived" => Act::Arrived,
            "dealt-with" => Act::DealtWith,
            other => {
                fields.faults.add("act", format!("\"{other}\" is not a valid choice."));
                return None;
            }
        };
        Some(Self { message: SendingId(message?), act })
    }
}

pub(crate) async fn act_on_message(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    mut form: Form,
) -> Result<Response> {
    let Some(wanted) = form.read::<Wanted>() else {
        return show::page(&app, &person, id, &View { form, status: StatusCode::BAD_REQUEST, ..View::default() }).await;
    };
    let work = async |connection: &mut PgConnection| {
        apply(connection, id, &wanted, &person.actor()).await?;
        Ok::<_, Error>(format!("{}?done=saved#messages", path(id)))
    };
    match act::once(app.database(), &form, work).await {
        Ok(led_to) => Ok(redirect(&led_to)),
        Err(Error::Conflict(faults)) => {
            form.blame(faults);
            show::page(&app, &person, id, &View { form, status: StatusCode::CONFLICT, ..View::default() }).await
        }
        Err(error) => Err(error),
    }
}

async fn apply(connection: &mut PgConnection, id: BookingId, wanted: &Wanted, actor: &Actor) -> Result<()> {
    let now = Utc::now();
    match wanted.act {
        Act::Again => messages::send_again(connection, id, wanted.message, actor, now).await,
        Act::Arrived => messages::arrived(connection, id, wanted.message, actor, now).await,
        Act::DealtWith => messages::dealt_with(connection, id, wanted.message, actor, now).await,
    }
}
