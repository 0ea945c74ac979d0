//! Messages that could not be sent, and another attempt.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Error, Result,
    database::Database,
    http::Id,
    ids::MessageId,
    money::Money,
    outbox::{self, Message},
};

use crate::{
    App,
    kit::{
        cell::{moment_text, rupees},
        page::redirect,
    },
};

use super::PATH;

/// A message that was given up.
pub(super) struct GivenUp {
    id: i64,
    kind: Message,
    written: NaiveDateTime,
    failed: NaiveDateTime,
    attempts: i32,
    booking_id: Option<i64>,
    reference: Option<String>,
    refund: Option<Money>,
    /// Whether the refund still waits for this message.
    is_refund_open: Option<bool>,
}

/// The newest that were given up.
pub(super) async fn given_up(database: &Database) -> Result<Vec<GivenUp>> {
    Ok(sqlx::query_as!(
        GivenUp,
        r#"
        select message.id, message.kind as "kind: Message", shop_clock(message.created_at) as "written!",
            shop_clock(message.failed_at) as "failed!", message.attempts, booking.id as "booking_id?",
            booking.reference as "reference?", refund.amount_paise as "refund?: Money",
            refund.state = 'queued' as is_refund_open
        from outbox message
        left join refunds refund on refund.id = (message.payload ->> 'refund_id')::bigint
        left join bookings booking
            on booking.id = coalesce(refund.booking_id, (message.payload ->> 'booking_id')::bigint)
        where message.failed_at is not null
        order by message.failed_at desc, message.id desc limit 100
        "#
    )
    .fetch_all(&database.pool())
    .await?)
}

impl GivenUp {
    fn about(&self) -> String {
        let words = match self.kind {
            Message::Refund => {
                return self
                    .refund
                    .map_or_else(|| "Refund".to_owned(), |amount| format!("Refund of {}", rupees(amount)));
            }
            Message::WaysInChanged => return "To the user: number, address or password changed".to_owned(),
            Message::NewDevice => return "To the user: signed in on a new device".to_owned(),
            Message::RefundFailed => return "To the staff: a refund has failed".to_owned(),
            Message::BookingCreated => "booking received",
            Message::BookingConfirmed => "booking confirmed",
            Message::BookingInProgress => "work has begun",
            Message::BookingCompleted => "work is done",
            Message::BookingCancelled => "booking cancelled",
            Message::BookingRescheduled => "booking moved",
            Message::BookingPaid => "booking paid",
            Message::BookingRefunded => "money given back",
        };
        format!("To the customer: {words}")
    }
}

pub(super) fn table(messages: &[GivenUp]) -> Markup {
    html! {
        div.table role="region" aria-label="Messages that were not sent" tabindex="0" {
            table {
                thead { tr { @for title in ["Message", "Booking", "Written", "Given up", "Attempts", "Action"] { th scope="col" { (title) } } } }
                tbody {
                    @for message in messages {
                        tr {
                            td data-label="Message" { (message.about()) }
                            td data-label="Booking" {
                                @if let (Some(id), Some(reference)) = (message.booking_id, &message.reference) {
                                    a href=(format!("/admin/bookings/{id}/")) { (reference) }
                                }
                            }
                            td data-label="Written" { (moment_text(message.written)) }
                            td data-label="Given up" { (moment_text(message.failed)) }
                            td data-label="Attempts" { (message.attempts) }
                            td data-label="Action" {
                                @if message.is_refund_open == Some(false) {
                                    "Razorpay has refused it or it is done. Look at the money of the booking."
                                } @else {
                                    form method="post" action=(format!("{PATH}messages/{}/retry/", message.id)) {
                                        button.plain type="submit" aria-label=(format!("Try again: {}", message.about())) { "Try again" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Lets a message be sent by the next run of the job.
pub(crate) async fn retry(State(app): State<App>, Id(id): Id) -> Result<Response> {
    if !outbox::retry(&app.database().pool(), MessageId(id)).await? {
        return Err(Error::NotFound("Message"));
    }
    Ok(redirect(&format!("{PATH}?done=retry")))
}
