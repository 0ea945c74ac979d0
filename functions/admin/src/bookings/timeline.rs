//! The timeline of a booking: what happened, when, by whom, and what it changed.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use shared::bookings::timeline::Event;

use crate::words::Words;

/// An entry of the timeline.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) at: NaiveDateTime,
    pub(super) event: Event,
    pub(super) actor: String,
    pub(super) actor_name: Option<String>,
    pub(super) reason: String,
    pub(super) changes: Value,
}

/// The entries, newest first.
pub(super) fn timeline(words: Words, story: &[Entry]) -> Markup {
    html! {
        section aria-labelledby="history" {
            h2 #history { (words.history()) }
            ol.timeline {
                @for told in story {
                    li {
                        strong { (event(words, told.event)) } " · " time { (words.moment(told.at)) } " · " (actor(words, told))
                        @if !told.reason.is_empty() { br; (told.reason) }
                        (changes(words, &told.changes))
                    }
                }
            }
        }
    }
}

fn event(words: Words, event: Event) -> &'static str {
    match event {
        Event::Created => words.was_created(),
        Event::Confirmed => words.confirmed(),
        Event::InProgress => words.in_progress(),
        Event::Completed => words.completed(),
        Event::Cancelled => words.cancelled(),
        Event::Rescheduled => words.was_moved(),
        Event::Overbooked => words.was_overbooked(),
        Event::NotesChanged => words.notes_changed(),
        Event::InternalNotesChanged => words.internal_notes_changed(),
        Event::ServicesChanged => words.services_changed(),
        Event::Paid => words.paid(),
        Event::RefundRequested => words.refund_requested(),
        Event::Refunded => words.refunded(),
        Event::RefundFailed => words.refund_failed(),
        Event::PaymentMismatch => words.payment_mismatch(),
        Event::Disputed => words.disputed(),
        Event::DisputeEnded => words.dispute_ended(),
        Event::WrittenOff => words.written_off(),
        Event::LinksRevoked => words.links_revoked(),
    }
}

fn actor(words: Words, told: &Entry) -> String {
    if let Some(name) = &told.actor_name {
        return name.clone();
    }
    match told.actor.as_str() {
        "customer" => words.customer().to_owned(),
        "razorpay" => words.by_razorpay().to_owned(),
        "system" => words.by_system().to_owned(),
        staff => staff.trim_start_matches("staff:").to_owned(),
    }
}

/// The old and the new value of each thing that changed.
fn changes(words: Words, changes: &Value) -> Markup {
    let Some(changes) = changes.as_object().filter(|changes| !changes.is_empty()) else { return html! {} };
    html! {
        dl.changes {
            @for (name, pair) in changes {
                dt { (label(words, name)) }
                dd {
                    @let [old, new] = [0, 1].map(|end| pair.get(end).and_then(Value::as_str).unwrap_or_default());
                    @if !old.is_empty() { del { (value(words, name, old)) } " " }
                    @if !new.is_empty() { ins { (value(words, name, new)) } }
                }
            }
        }
    }
}

fn label(words: Words, name: &str) -> &'static str {
    match name {
        "appointment" => words.time(),
        "service_location" => words.place(),
        "address" => words.address(),
        "service" => words.service(),
        "total_amount" => words.total(),
        "internal_notes" => words.internal_notes(),
        _ => words.notes(),
    }
}

fn value(words: Words, name: &str, value: &str) -> String {
    match (name, value) {
        ("appointment", text) => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
            .map_or_else(|_| text.to_owned(), |moment| words.moment(moment)),
        ("service_location", "home") => words.at_home().to_owned(),
        ("service_location", _) => words.at_the_shop().to_owned(),
        ("total_amount", text) => format!("₹{text}"),
        (_, text) => text.to_owned(),
    }
}
