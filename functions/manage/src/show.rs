//! The first page of a link: the booking, and what its holder may do with it.

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use shared::{
    Result,
    bookings::{
        Booking, booking,
        links::Scope,
        own::{self, May},
        status::{BookingStatus, PaymentStatus, ServiceLocation},
    },
    customers::reminders,
    http::{Fields, Query, Read},
};

use crate::{
    App,
    frame::Shop,
    holder::Holder,
    page::{Page, Said, redirect},
};

/// What a form that led here has done, by a word of its address.
pub(crate) struct Done(Option<String>);

impl Read for Done {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.text_or_empty("done", 20).map(|word| Self(Some(word).filter(|word| !word.is_empty())))
    }
}

pub(crate) async fn show(State(app): State<App>, holder: Holder, Query(Done(done)): Query<Done>) -> Result<Response> {
    let booking = booking::find(&app.database().pool(), holder.link.booking_id).await?;
    let words = holder.words;
    let is_paid = booking.payment_status == PaymentStatus::Completed;
    let is_cancelled = booking.booking_status == BookingStatus::Cancelled;
    // Only what the booking bears out: an address can be typed.
    let said = match done.as_deref() {
        Some("paid") if is_paid => Said { notice: Some(words.was_paid()), ..Said::default() },
        Some("unpaid" | "paid") if !is_paid => Said { problem: Some(words.not_paid()), ..Said::default() },
        Some("cancelled") if is_cancelled => Said { notice: Some(words.was_cancelled()), ..Said::default() },
        Some("moved") if !is_cancelled => Said { notice: Some(words.was_moved()), ..Said::default() },
        Some("proved") if !booking.is_unproved => Said { notice: Some(words.was_proved()), ..Said::default() },
        Some("saved") => Said { notice: Some(words.was_saved()), ..Said::default() },
        _ => Said::default(),
    };
    draw(&app, &holder, booking, said).await
}

/// The page with what was refused.
pub(crate) async fn page(app: &App, holder: &Holder, said: Said) -> Result<Response> {
    let booking = booking::find(&app.database().pool(), holder.link.booking_id).await?;
    draw(app, holder, booking, said).await
}

/// Leads to the first page whose address is opened without its form.
pub(crate) async fn back(holder: Holder) -> Response {
    redirect(&holder.path(""))
}

async fn draw(app: &App, holder: &Holder, booking: Booking, said: Said) -> Result<Response> {
    let pool = app.database().pool();
    let words = holder.words;
    let may = own::may(&pool, &booking, app.cutoff).await?;
    let are_refused = reminders::are_refused(&pool, booking.customer.id).await?;
    let shop = Shop::load(app.database()).await?;
    let is_open = booking.booking_status.is_up_to_customer();
    let content = html! {
        (what(holder, &booking, &shop))
        @if booking.is_unproved && holder.may(Scope::Change) { (proof(holder)) }
        (payment(app, holder, &booking))
        @if booking.booking_status != BookingStatus::Cancelled {
            section {
                @if is_open && holder.may(Scope::Change) { h2 { (words.change_title()) } }
                div.acts {
                    a.button.plain href=(holder.path("booking.ics")) { (words.add_to_calendar()) }
                    @if holder.may(Scope::Change) { (changes(holder, may)) }
                }
                @if holder.may(Scope::Change) && is_open && !may.cancel { p.hint { (words.only_by_phone()) } }
            }
        }
        @if is_open && holder.may(Scope::Change) { (reminding(holder, are_refused)) }
    };
    let title = format!("{}: {}", words.your_booking(), shop.name);
    Ok(Page { holder, shop: &shop, title: &title, said }.show(&content))
}

/// What is done, when, where and for how much.
fn what(holder: &Holder, booking: &Booking, shop: &Shop) -> Markup {
    let words = holder.words;
    let tone = match booking.booking_status {
        BookingStatus::Pending => "tag wait",
        BookingStatus::Confirmed | BookingStatus::Completed => "tag good",
        BookingStatus::InProgress => "tag",
        BookingStatus::Cancelled => "tag bad",
    };
    html! {
        section {
            div.heading {
                h1 { (booking.vehicle_brand_name) " " (booking.vehicle_model_name) }
                span class=(tone) { (words.status(booking.booking_status)) }
            }
            dl {
                dt { (words.when()) }
                dd { strong { (words.0.moment(booking.appointment_date.and_time(booking.appointment_time))) } }
                dt { (words.place()) }
                dd {
                    @match booking.service_location {
                        // Not for those to whom the link was passed on to see or to pay.
                        ServiceLocation::Home => { (words.at_home()) @if holder.may(Scope::Change) { ", " (booking.address) } }
                        ServiceLocation::Shop => { (shop.name) ", " (shop.address) }
                    }
                }
                dt { (words.reference()) }
                dd { (booking.reference) }
            }
            table {
                tbody {
                    @for line in booking.booking_services.iter() {
                        tr { th scope="row" { (line.service_name) } td { (line.price.grouped()) } }
                    }
                }
                tfoot { tr { th scope="row" { (words.total()) } td { (booking.total_amount.grouped()) } } }
            }
        }
    }
}

fn payment(app: &App, holder: &Holder, booking: &Booking) -> Markup {
    let words = holder.words;
    let is_due = booking.payment_status == PaymentStatus::Pending && booking.booking_status != BookingStatus::Cancelled;
    if !is_due && booking.payment_status == PaymentStatus::Pending {
        return html! {};
    }
    html! {
        section {
            h2 { (words.payment_title()) }
            p { strong { (booking.total_amount.grouped()) } " " (words.payment(booking.payment_status)) }
            @if is_due && app.payments.are_enabled && holder.may(Scope::Pay) {
                form method="post" action=(holder.path("pay/")) {
                    button type="submit" { (words.pay_online(&booking.total_amount.grouped())) }
                }
                p.hint { (words.pay_at_shop()) }
            } @else if is_due { p.hint { (words.pay_only_at_shop()) } }
        }
    }
}

fn changes(holder: &Holder, may: May) -> Markup {
    let words = holder.words;
    html! {
        @if may.reschedule { a.button.plain href=(holder.path("move/")) { (words.reschedule()) } }
        @if may.cancel { a.button.plain href=(holder.path("cancel/")) { (words.cancel()) } }
    }
}

fn proof(holder: &Holder) -> Markup {
    let words = holder.words;
    html! {
        section {
            h2 { (words.prove_title()) }
            p { (words.prove_why()) }
            form method="post" action=(holder.path("code/")) { button type="submit" { (words.send_code()) } }
        }
    }
}

fn reminding(holder: &Holder, are_refused: bool) -> Markup {
    let words = holder.words;
    html! {
        section {
            h2 { (words.reminders_title()) }
            p { @if are_refused { (words.reminders_off()) } @else { (words.reminders_on()) } }
            form method="post" action=(holder.path("reminders/")) {
                button.plain type="submit" name="wanted" value=(are_refused) {
                    @if are_refused { (words.want_reminders()) } @else { (words.no_reminders()) }
                }
            }
        }
    }
}
