//! The booking as a file for the calendar of a phone.

use axum::{body::Body, extract::State, response::Response};
use lambda_http::http::{HeaderValue, header};
use shared::{
    Result,
    bookings::{
        calendar::{self, Method},
        links::Scope,
        manage_page::own_page,
    },
    http::OwnHost,
};

use crate::{App, holder::Holder};

pub(crate) async fn download(State(app): State<App>, holder: Holder, host: OwnHost) -> Result<Response> {
    let mut entry = calendar::entry(&app.database().pool(), holder.link.booking_id).await?;
    if !holder.may(Scope::Change) {
        entry = entry.without_home();
    }
    let link = own_page(&holder.token, &host);
    let mut response = Response::new(Body::from(entry.text(Method::Publish, None, link.as_deref())));
    for (name, value) in [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8; method=PUBLISH"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"booking.ics\""),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
