//! How bookings look: their status as icon, colour and word, and the button of the next step.

use maud::{Markup, html};
use shared::{
    bookings::status::{BookingStatus, PaymentMethod, PaymentStatus},
    ids::BookingId,
    money::Money,
};

use crate::{
    kit::cell::{Tone, rupees},
    words::Words,
};

/// The icon of a status: a circle that fills as work goes on.
pub(super) const fn icon(status: BookingStatus) -> &'static str {
    match status {
        BookingStatus::Pending => "○",
        BookingStatus::Confirmed => "◔",
        BookingStatus::InProgress => "◑",
        BookingStatus::Completed => "●",
        BookingStatus::Cancelled => "✕",
    }
}

pub(super) const fn tone(status: BookingStatus) -> Tone {
    match status {
        BookingStatus::Pending => Tone::Warning,
        BookingStatus::Confirmed | BookingStatus::InProgress => Tone::Active,
        BookingStatus::Completed => Tone::Good,
        BookingStatus::Cancelled => Tone::Quiet,
    }
}

/// Icon and word of a status; of a customer who did not come, that.
pub(crate) fn status_tag(words: Words, status: BookingStatus, is_no_show: bool) -> Markup {
    let word = if is_no_show { words.no_show() } else { words.status_of(status) };
    html! {
        span class=(format!("tag status {}", tone(status).class())) { span.icon aria-hidden="true" { (icon(status)) } " " (word) }
    }
}

/// What the button of the next step needs of a booking.
pub(crate) struct Step<'a> {
    pub(crate) id: BookingId,
    pub(crate) version: i32,
    pub(crate) status: BookingStatus,
    pub(crate) payment_status: PaymentStatus,
    pub(crate) payment_method: PaymentMethod,
    pub(crate) total: Money,
    /// What the booking is called, for a screen reader.
    pub(crate) name: &'a str,
    /// The page to lead back to.
    pub(crate) back: &'a str,
}

/// The button of the next step, if there is one. Finishing a booking that is paid in cash takes the cash.
pub(crate) fn next_step(words: Words, step: &Step<'_>) -> Markup {
    let Some(next) = step.status.successors().iter().find(|status| **status != BookingStatus::Cancelled) else {
        return html! {};
    };
    let takes_cash = *next == BookingStatus::Completed
        && step.payment_status == PaymentStatus::Pending
        && step.payment_method == PaymentMethod::Cash;
    let cash = if takes_cash { format!(", {} {}", rupees(step.total), words.in_cash()) } else { String::new() };
    let text = format!("{}{cash}", words.step_to(*next));
    html! {
        form.step method="post" action=(format!("/admin/bookings/{}/status/", step.id)) {
            input type="hidden" name="version" value=(step.version);
            input type="hidden" name="back" value=(step.back);
            button type="submit" name="to" value=(next.as_str()) aria-label=(format!("{text}: {}", step.name)) { (text) }
        }
    }
}
