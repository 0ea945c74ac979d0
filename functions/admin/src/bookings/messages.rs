//! What customer and staff were told of a booking: each message, its way, and what became of it.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use serde::Deserialize;
use shared::{
    carriers::Channel,
    ids::{BookingId, SendingId},
    messages::{Kind, State},
};

use super::path;
use crate::{
    kit::form::once,
    messages::{kind, state, way, ways},
    words::Words,
};

/// A message about a booking.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) id: SendingId,
    pub(super) kind: Kind,
    pub(super) channel: Channel,
    pub(super) recipient: String,
    pub(super) state: State,
    /// Why it is not sent yet, was dropped, or has failed.
    pub(super) reason: String,
    /// When it got into this state; when it is due, if it is to be sent.
    pub(super) at: NaiveDateTime,
    /// Whether its recipient was perhaps not told at all.
    pub(super) is_undelivered: bool,
    /// Who sent it again on purpose.
    pub(super) sent_by: Option<String>,
    /// Who has dealt with it.
    pub(super) settled_by: Option<String>,
}

impl Message {
    const fn can_be_sent_again(&self) -> bool {
        !self.kind.is_for_staff() && !matches!(self.state, State::Pending | State::Sending)
    }
}

/// The section of a booking's page.
pub(super) fn section(
    words: Words,
    id: BookingId,
    messages: &[Message],
    channels: &[Channel],
    fault: Option<&str>,
) -> Markup {
    html! {
        section aria-labelledby="messages" {
            h2 #messages { (words.messages()) }
            @if let Some(fault) = fault { p.fault role="alert" { (fault) } }
            @if channels.is_empty() { p.hint { (ways(words, channels)) } }
            @if messages.is_empty() { p { (words.no_messages()) } }
            @else {
                ol.messages { @for message in messages { (one(words, id, message, !channels.is_empty())) } }
            }
        }
    }
}

fn one(words: Words, id: BookingId, message: &Message, has_way: bool) -> Markup {
    let name = format!("{}, {}", kind(words, message.kind), way(words, message.channel));
    let acts = [
        ("again", words.send_again(), has_way && message.can_be_sent_again()),
        ("arrived", words.it_arrived(), message.is_undelivered && message.state == State::Unknown),
        ("dealt-with", words.dealt_with(), message.is_undelivered),
    ];
    html! {
        li {
            p { strong { (kind(words, message.kind)) } " " (state(words, message.state).markup_in(words)) }
            p.small {
                (way(words, message.channel)) " · " (message.recipient) " · " (words.moment(message.at))
                @if !message.reason.is_empty() { " · " (message.reason) }
                @if let Some(name) = &message.sent_by { " · " (words.sent_again_by()) " " (name) }
                @if let Some(name) = &message.settled_by { " · " (words.dealt_with_by()) " " (name) }
            }
            @if acts.iter().any(|(.., is_offered)| *is_offered) {
                form.acts method="post" action=(format!("{}messages/", path(id))) {
                    (once())
                    input type="hidden" name="message" value=(message.id);
                    @for (act, text, _) in acts.iter().filter(|(.., is_offered)| *is_offered) {
                        button.plain type="submit" name="act" value=(act) aria-label=(format!("{text}: {name}")) { (text) }
                    }
                }
            }
        }
    }
}
