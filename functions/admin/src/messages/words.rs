//! What pages call kinds of messages, their states, and the ways that they go.

use maud::{Markup, html};
use shared::{
    carriers::Channel,
    messages::{Kind, State},
};

use crate::{
    kit::cell::{Cell, Tone},
    words::Words,
};

pub(crate) const fn kind(words: Words, kind: Kind) -> &'static str {
    match kind {
        Kind::Created => words.told_created(),
        Kind::Confirmed => words.told_confirmed(),
        Kind::Rescheduled => words.told_moved(),
        Kind::Reminder => words.told_reminder(),
        Kind::Completed => words.told_completed(),
        Kind::Cancelled => words.told_cancelled(),
        Kind::Paid => words.told_paid(),
        Kind::Refunded => words.told_refunded(),
        Kind::WaysInChanged => words.told_ways_in(),
        Kind::NewDevice => words.told_new_device(),
        Kind::StaffCreated => words.told_staff_created(),
        Kind::StaffRescheduled => words.told_staff_moved(),
        Kind::StaffCancelled => words.told_staff_cancelled(),
        Kind::StaffRefundFailed => words.told_staff_refund_failed(),
    }
}

pub(crate) const fn state(words: Words, state: State) -> Cell {
    match state {
        State::Pending => Cell::Tag(Tone::Active, words.to_be_sent()),
        State::Sending => Cell::Tag(Tone::Active, words.being_sent()),
        State::Sent => Cell::Tag(Tone::Quiet, words.sent()),
        State::Delivered => Cell::Tag(Tone::Good, words.delivered()),
        State::Read => Cell::Tag(Tone::Good, words.was_read()),
        State::Failed => Cell::Tag(Tone::Bad, words.not_delivered()),
        State::Unknown => Cell::Tag(Tone::Warning, words.perhaps_sent()),
        State::Dropped => Cell::Tag(Tone::Quiet, words.not_sent()),
    }
}

pub(crate) const fn way(words: Words, channel: Channel) -> &'static str {
    match channel {
        Channel::WhatsApp => "WhatsApp",
        Channel::Sms => "SMS",
        Channel::Email => words.email(),
    }
}

/// The ways that messages to customers go, or that none is set up.
pub(crate) fn ways(words: Words, channels: &[Channel]) -> Markup {
    html! {
        @if channels.is_empty() { (words.no_way()) }
        @else {
            (words.ways_are()) " "
            @for (place, channel) in channels.iter().enumerate() { @if place > 0 { ", " } (way(words, *channel)) }
            "."
        }
    }
}
