//! Cancelling: a page that asks, and the act.

use axum::{extract::State, response::Response};
use maud::html;
use shared::{
    Result,
    bookings::{
        Booking, LONGEST_REASON, booking,
        links::Scope,
        own,
        status::{BookingStatus, PaymentStatus},
    },
    http::{Fields, Read},
};
use sqlx::PgConnection;

use crate::{
    App,
    changing::change,
    form::Form,
    frame::Shop,
    holder::Holder,
    page::{Page, Said, redirect, way_back},
    show,
};

pub(crate) async fn page(State(app): State<App>, holder: Holder) -> Result<Response> {
    holder.require(Scope::Change)?;
    let booking = booking::find(&app.database().pool(), holder.link.booking_id).await?;
    if !own::may(&app.database().pool(), &booking, app.cutoff).await?.cancel {
        return Ok(redirect(&holder.path("")));
    }
    let words = holder.words;
    let shop = Shop::load(app.database()).await?;
    let content = html! {
        section {
            h1 { (words.cancel_question()) }
            p {
                strong { (booking.vehicle_brand_name) " " (booking.vehicle_model_name) ", "
                (words.0.moment(booking.appointment_date.and_time(booking.appointment_time))) }
            }
            p { (words.cancel_is_final()) }
            @if booking.payment_status == PaymentStatus::Completed { p { (words.money_goes_back()) } }
            form method="post" action=(holder.path("cancel/")) {
                input type="hidden" name="version" value=(booking.version);
                div.field {
                    label for="reason" { (words.reason()) }
                    input #reason name="reason" maxlength=(LONGEST_REASON) autocomplete="off";
                }
                button.danger type="submit" { (words.cancel_now()) }
            }
        }
        (way_back(&holder, words))
    };
    Ok(Page { holder: &holder, shop: &shop, title: words.cancel(), said: Said::default() }.show(&content))
}

pub(crate) struct Cancellation {
    version: Option<i64>,
    reason: String,
}

impl Read for Cancellation {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (version, reason) = (fields.integer_if_sent("version"), fields.text_or_empty("reason", LONGEST_REASON));
        Some(Self { version, reason: reason? })
    }
}

pub(crate) async fn cancel(
    State(app): State<App>,
    holder: Holder,
    Form(Cancellation { version, reason }): Form<Cancellation>,
) -> Result<Response> {
    let version = version.and_then(|version| i32::try_from(version).ok());
    let is_done = |booking: &Booking| booking.booking_status == BookingStatus::Cancelled;
    let work = async |connection: &mut PgConnection, booking: Booking| {
        own::cancel(connection, booking, &reason, app.cutoff).await
    };
    match change(&app, &holder, version, is_done, work).await? {
        None => Ok(redirect(&holder.path("?done=cancelled"))),
        Some(hindrance) => show::page(&app, &holder, hindrance.said(holder.words)).await,
    }
}
