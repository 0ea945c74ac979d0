//! The page of one payment: what was received, given back and kept, each attempt, and what Razorpay told.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Error, Result,
    bookings::status::PaymentMethod,
    database::Database,
    http::Id,
    ids::{BookingId, PaymentId},
    money::Money,
    payments::{
        mismatches::{self, Mismatch, Wanted},
        states::{CaptureState, PaymentState, RefundState},
    },
};
use sqlx::types::Json;

use super::{
    PLACE, acts, attention,
    rows::{Accepted, Attempt, Event, Refund, number},
    words,
};
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::{moment_text, rupees},
        page::Page,
    },
    session::Person,
};

struct Payment {
    id: PaymentId,
    booking_id: BookingId,
    reference: String,
    customer: String,
    amount: Money,
    currency: String,
    state: PaymentState,
    method: PaymentMethod,
    receipt: Option<String>,
    order_id: Option<String>,
    actor: String,
    created: NaiveDateTime,
    checked: NaiveDateTime,
    is_asked: bool,
    attempts: Json<Vec<Attempt>>,
    refunds: Json<Vec<Refund>>,
    events: Json<Vec<Event>>,
    accepted: Json<Vec<Accepted>>,
}

pub(crate) async fn show(State(app): State<App>, person: Person, Id(id): Id<PaymentId>, ask: Ask) -> Result<Response> {
    let payment = find(app.database(), id).await?.ok_or(Error::NotFound("Payment"))?;
    let wrong = mismatches::list(&app.database().pool(), Wanted { payment: Some(id), subject: None }).await?;
    let title = format!("Payment {id}");
    let content = html! {
        div.heading { h1 { (title) } (words::state(payment.state).markup()) }
        (payment.facts())
        (attention(&person, &wrong))
        (payment.accepted())
        (payment.sum())
        (payment.attempts())
        (payment.refunds())
        (payment.numbers())
        (payment.razorpay(&person))
    };
    let above = [(PLACE.path.to_owned(), PLACE.title.to_owned())];
    let notice = acts::notice(ask.value("done"));
    Ok(Page::new(&person, PLACE.path, &title).below(&above).notice(notice).show(&content))
}

async fn find(database: &Database, id: PaymentId) -> Result<Option<Payment>> {
    Ok(sqlx::query_as!(
        Payment,
        r#"
        select payment.id, payment.booking_id, booking.reference, booking.customer_name as customer,
            payment.amount_paise as "amount: Money", payment.currency, payment.state as "state: PaymentState",
            payment.method as "method: PaymentMethod", payment.receipt, payment.order_id,
            coalesce(name_of_actor(payment.actor), payment.actor) as "actor!", shop_clock(payment.created_at) as "created!",
            shop_clock(payment.checked_at) as "checked!", coalesce(ask_at > checked_at, false) as "is_asked!",
            (
                select coalesce(json_agg(json_build_object(
                    'state', state, 'amount', amount_paise, 'refunded', refunded_paise, 'created', shop_clock(created_at),
                    'captured', shop_clock(captured_at), 'number', gateway_payment_id, 'means', means, 'bank', bank,
                    'fee', fee_paise, 'failure', failure, 'fits', fits, 'currency', currency
                ) order by id), '[]')
                from captures where payment_id = payment.id
            ) as "attempts!: Json<Vec<Attempt>>",
            (
                select coalesce(json_agg(json_build_object(
                    'state', refund.state, 'amount', refund.amount_paise, 'created', shop_clock(refund.created_at),
                    'reason', refund.reason, 'by', coalesce(name_of_actor(refund.actor), refund.actor),
                    'by_hand', refund.by_hand, 'is_cash', capture.gateway_payment_id is null, 'number', refund.refund_id
                ) order by refund.id), '[]')
                from refunds refund join captures capture on capture.id = refund.capture_id
                where capture.payment_id = payment.id
            ) as "refunds!: Json<Vec<Refund>>",
            (
                select coalesce(json_agg(json_build_object(
                    'event', event, 'at', shop_clock(received_at), 'number', gateway_payment_id
                ) order by received_at), '[]')
                from payment_events
                where order_id = payment.order_id
                    or gateway_payment_id in (select gateway_payment_id from captures where payment_id = payment.id)
            ) as "events!: Json<Vec<Event>>",
            (
                select coalesce(json_agg(json_build_object(
                    'kind', mismatch, 'reason', reason, 'by', coalesce(name_of_actor(actor), actor), 'at', shop_clock(at)
                ) order by at), '[]')
                from accepted_mismatches where booking_id = payment.booking_id
            ) as "accepted!: Json<Vec<Accepted>>"
        from payments payment join bookings booking on booking.id = payment.booking_id
        where payment.id = $1
        "#,
        id.0
    )
    .fetch_optional(&database.pool())
    .await?)
}

fn attention(person: &Person, wrong: &[Mismatch]) -> Markup {
    html! {
        @if !wrong.is_empty() {
            section.attention aria-labelledby="attention" {
                h2 #attention { "Needs attention" }
                ul {
                    @for one in wrong { li { strong { (words::mismatch(one.kind, one.is_stuck)) "." } " " (words::advice(one)) } }
                }
            }
            (attention::table(person, wrong))
        }
    }
}

impl Payment {
    fn is_online(&self) -> bool {
        self.method == PaymentMethod::Razorpay
    }

    fn facts(&self) -> Markup {
        html! {
            dl.facts {
                dt { "Booking" } dd { a href=(format!("/admin/bookings/{}/", self.booking_id)) { (self.reference) } " · " (self.customer) }
                dt { "Amount" } dd { (rupees(self.amount)) " (" (self.currency) ")" }
                dt { "Method" } dd { (words::method(self.method)) }
                dt { "Created" } dd { (moment_text(self.created)) }
                @if !self.is_online() { dt { "Taken by" } dd { (words::by(&self.actor)) } }
            }
        }
    }

    /// Received − given back = kept.
    fn sum(&self) -> Markup {
        let taken = self.attempts.iter().filter(|attempt| attempt.state == CaptureState::Captured);
        let (received, back) =
            taken.fold((0, 0), |(received, back), attempt| (received + attempt.amount, back + attempt.refunded));
        let done: i64 = self
            .refunds
            .iter()
            .filter(|refund| refund.state == RefundState::Processed)
            .map(|refund| refund.amount)
            .sum();
        let rows = [("Received", received), ("Given back", -back), ("Kept", received - back)];
        html! {
            h2 { "Sum" }
            table.sum {
                tbody {
                    @for (title, paise) in rows { tr.total[title == "Kept"] { th scope="row" { (title) } td.num { (rupees(paise.into())) } } }
                }
            }
            @if back > done { p.hint { "Of what is given back, " (rupees((back - done).into())) " is on its way." } }
        }
    }

    fn attempts(&self) -> Markup {
        html! {
            h2 { @if self.is_online() { "Attempts to pay" } @else { "What was paid" } }
            @if self.attempts.is_empty() { p.empty { "No attempt to pay is known yet. Attempts appear here as Razorpay reports them." } }
            @else {
                div.table role="region" aria-label="Attempts to pay" tabindex="0" {
                    table {
                        thead { tr { th scope="col" { "State" } th scope="col" { "When" } th scope="col" { "Means" } th.num scope="col" { "Amount" } th.num scope="col" { "Fee" } th scope="col" { "Why it failed" } th scope="col" { "Payment number" } } }
                        tbody { @for attempt in self.attempts.iter() { (attempt.row(self.is_online())) } }
                    }
                }
            }
        }
    }

    fn refunds(&self) -> Markup {
        html! {
            @if !self.refunds.is_empty() {
                h2 { "Given back" }
                div.table role="region" aria-label="Given back" tabindex="0" {
                    table {
                        thead { tr { th scope="col" { "State" } th scope="col" { "When" } th.num scope="col" { "Amount" } th scope="col" { "Way" } th scope="col" { "Reason" } th scope="col" { "By" } th scope="col" { "Refund number" } } }
                        tbody { @for refund in self.refunds.iter() { (refund.row()) } }
                    }
                }
            }
        }
    }

    fn accepted(&self) -> Markup {
        html! {
            @if !self.accepted.is_empty() {
                h2 { "Left as it is" }
                ul {
                    @for one in self.accepted.iter() {
                        li {
                            (one.what()) ": " q { (one.reason) } " " span.hint { (words::by(&one.by)) ", " (moment_text(one.at)) }
                        }
                    }
                }
            }
        }
    }

    fn numbers(&self) -> Markup {
        html! {
            @if self.is_online() {
                h2 { "Numbers at Razorpay" }
                dl.facts {
                    dt { "Order" } dd { @if let Some(id) = &self.order_id { (number(id)) } @else { "not known yet" } }
                    @if let Some(receipt) = &self.receipt { dt { "Receipt" } dd { (number(receipt)) } }
                }
            }
        }
    }

    fn razorpay(&self, person: &Person) -> Markup {
        html! {
            @if self.is_online() {
                p.hint { "Razorpay was last asked " (moment_text(self.checked)) "." @if self.is_asked { " It will be asked again within a minute." } }
                @if person.is_admin {
                    form.ask method="post" action=(format!("{}{}/ask/", PLACE.path, self.id)) { button.plain type="submit" { "Ask Razorpay now" } }
                }
                details {
                    summary { "What Razorpay reported (" (self.events.len()) ")" }
                    @if self.events.is_empty() { p { "Nothing in the last 30 days." } }
                    ul { @for event in self.events.iter() { li { (moment_text(event.at)) " " code { (event.event) } " " (event.number.as_deref().unwrap_or_default()) } } }
                }
            }
        }
    }
}
