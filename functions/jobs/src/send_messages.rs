//! Sends the messages to people that are due. Each call to a carrier is made once; no transaction is open meanwhile.

use std::{collections::HashMap, time::Instant};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde::Serialize;
use shared::{
    Result,
    bookings::{
        calendar::{self, Method},
        manage_page::ManagePage,
    },
    carriers::{Answer, Attachment, Channel, Refusal},
    config,
    ids::SendingId,
    messages::{self, Claimed, Decision, Kind, Link, Plan, Situation},
    metrics::{self, Count},
};
use sqlx::PgConnection;
use tracing::{error, warn};

use crate::App;

/// How many messages a job claims, and sends at once. If it is killed, so many are unknown.
const AT_ONCE: i64 = 16;

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    pub sent: u64,
    /// To be sent later: in the morning, or because the carrier does not take them now.
    pub postponed: u64,
    /// No longer true, or too late.
    pub dropped: u64,
    /// Refused for good, or given up on a channel that takes nothing.
    pub failed: u64,
    /// Perhaps sent. They are not sent again.
    pub unknown: u64,
    /// Written anew on another channel.
    pub fallen_back: u64,
    /// For how long the oldest message that is due waits; 0 if there is none.
    pub oldest_seconds: i64,
}

/// The fate of a claimed message.
enum Fate {
    Answered(Answer),
    Decided(Decision),
}

impl App {
    /// Sends what is due, in batches. `clock` is the time, which tests set.
    pub async fn send_messages(&self, clock: &(dyn Fn() -> DateTime<Utc> + Sync), end: Instant) -> Result<Sent> {
        let pool = self.database.pool();
        let plan = self.plan()?;
        let mut channels = plan.channels.clone();
        messages::note_channels(&pool, &channels).await?;
        let mut sent = Sent::default();
        let unknown = messages::expire_leases(&pool, clock()).await?;
        for _ in 0..unknown {
            metrics::count(Count::MessagesUnknown);
        }
        sent.unknown += unknown;
        sent.dropped += messages::drop_worthless(&pool, clock()).await?;
        loop {
            sent.fallen_back += messages::fall_back(&pool, &plan, clock()).await?;
            if Instant::now() >= end || channels.is_empty() {
                break;
            }
            let claimed = messages::claim(&pool, &channels, AT_ONCE, clock()).await?;
            if claimed.is_empty() {
                break;
            }
            let situations = messages::situations(&pool, &claimed, clock()).await?;
            let links = self.links(&plan, &claimed, &situations).await?;
            let fates = claimed.iter().map(|message| self.fate(message, &situations, &links));
            let mut failure = Ok(());
            for (message, fate) in claimed.iter().zip(join_all(fates).await) {
                match self.write_down(message, fate, (&plan, clock()), &mut sent).await {
                    Ok(true) => channels.retain(|channel| *channel != message.channel),
                    Ok(false) => {}
                    // The others have been sent too, and are to be written down all the same.
                    Err(error) => failure = Err(error),
                }
            }
            failure?;
        }
        sent.oldest_seconds = messages::oldest_due_seconds(&pool, clock()).await?;
        Ok(sent)
    }

    /// Makes a link for each message to a customer that is going to be sent.
    async fn links(
        &self,
        plan: &Plan,
        claimed: &[Claimed],
        situations: &HashMap<SendingId, Situation>,
    ) -> Result<HashMap<SendingId, Link>> {
        let is_sent = |message: &&Claimed| {
            let holds =
                |situation: &Situation| messages::decide(message.kind, situation, situation.now) == Decision::Send;
            !message.kind.is_for_staff() && !message.is_blocked && situations.get(&message.id).is_some_and(holds)
        };
        let make = async |connection: &mut PgConnection| {
            let mut links = HashMap::new();
            for message in claimed.iter().filter(is_sent) {
                let Some(booking_id) = message.booking_id else { continue };
                if let Some(link) = Link::make(connection, &plan.page, booking_id, message.kind).await? {
                    links.insert(message.id, link);
                }
            }
            Ok(links)
        };
        if plan.page == ManagePage::default() { Ok(HashMap::new()) } else { self.database.transaction(make).await }
    }

    /// Decides about a message from what it is about now, and sends it if it still holds.
    async fn fate(
        &self,
        message: &Claimed,
        situations: &HashMap<SendingId, Situation>,
        links: &HashMap<SendingId, Link>,
    ) -> Fate {
        if message.is_blocked {
            return Fate::Decided(Decision::Drop("the recipient is blocked"));
        }
        // Without a shop nothing can be told.
        let Some(situation) = situations.get(&message.id) else {
            return Fate::Decided(Decision::Drop("there is no shop"));
        };
        match messages::decide(message.kind, situation, situation.now) {
            Decision::Send => {
                let answer = self.send(message, situation, links.get(&message.id)).await;
                // The carrier was not called.
                let not_now = |error: shared::Error| Answer::Later { after: None, reason: error.to_string() };
                Fate::Answered(answer.unwrap_or_else(not_now))
            }
            decided => Fate::Decided(decided),
        }
    }

    async fn send(&self, message: &Claimed, situation: &Situation, link: Option<&Link>) -> Result<Answer> {
        let Some(carriers) = &self.carriers else { return Err(shared::Error::Unset(config::SES_FROM.missing())) };
        let tag = message.id.to_string();
        let to = (message.recipient.as_str(), tag.as_str());
        let what = (message.kind, message.language);
        match message.channel {
            Channel::WhatsApp => carriers.whatsapp.send(&messages::template(to, what, situation, link)).await,
            Channel::Sms => {
                let sms = messages::sms(what, situation, link);
                carriers.sms.send(&message.recipient, &tag, &sms.name, &sms.variables).await
            }
            Channel::Email => {
                let mut mail = messages::mail(to, what, situation, link);
                mail.attachments.extend(self.invitation(message, link).await?);
                carriers.email.send(&mail).await
            }
        }
    }

    /// The calendar file of a mail that sets, moves or cancels a visit.
    async fn invitation(&self, message: &Claimed, link: Option<&Link>) -> Result<Option<Attachment>> {
        let method = match message.kind {
            Kind::Confirmed | Kind::Rescheduled => Method::Request,
            Kind::Cancelled => Method::Cancel,
            _ => return Ok(None),
        };
        let Some(booking_id) = message.booking_id else { return Ok(None) };
        let entry = calendar::entry(&self.database.pool(), booking_id).await?;
        let link = link.map(Link::url);
        Ok(Some(Attachment {
            name: "booking.ics".to_owned(),
            content_type: format!("text/calendar; method={}; charset=utf-8", method.as_str()),
            content: entry.text(method, Some(&message.recipient), link.as_deref()).into_bytes(),
        }))
    }

    /// Writes down what became of a message; `true` if its channel takes no more for now.
    async fn write_down(
        &self,
        message: &Claimed,
        fate: Fate,
        (plan, now): (&Plan, DateTime<Utc>),
        sent: &mut Sent,
    ) -> Result<bool> {
        let pool = &self.database.pool();
        let (id, channel) = (message.id.0, message.channel.as_str());
        match fate {
            Fate::Decided(Decision::Wait(morning)) => {
                messages::postpone(pool, message, morning).await?;
                sent.postponed += 1;
            }
            Fate::Decided(Decision::Drop(reason)) => {
                messages::dropped(pool, message, reason, now).await?;
                sent.dropped += 1;
            }
            // `fate` has sent what is to be sent.
            Fate::Decided(Decision::Send) => {}
            Fate::Answered(Answer::Accepted(provider_id)) => {
                messages::accepted(pool, message, &provider_id, now).await?;
                sent.sent += 1;
            }
            Fate::Answered(Answer::Later { after, reason }) => {
                warn!(sending.id = id, channel, reason, "a message is sent later");
                messages::later(pool, message, (after, &reason), now).await?;
                sent.postponed += 1;
                return Ok(true);
            }
            Fate::Answered(Answer::Stopped(reason)) => {
                error!(sending.id = id, channel, reason, "a channel takes no messages");
                metrics::count(Count::ChannelsStopped);
                let (is_left, count) = messages::leave(pool, plan, (message, &reason), now).await?;
                sent.failed += u64::try_from(count).unwrap_or_default();
                if !is_left {
                    messages::later(pool, message, (None, &reason), now).await?;
                    sent.postponed += 1;
                }
                return Ok(true);
            }
            Fate::Answered(Answer::Refused(refusal, reason)) => {
                match refusal {
                    Refusal::Template => {
                        error!(sending.id = id, channel, reason, kind = message.kind.as_str(), "a template is refused");
                        metrics::count(Count::ChannelsStopped);
                    }
                    Refusal::NoTemplate | Refusal::NotReachable => {}
                    Refusal::Other => {
                        warn!(sending.id = id, channel, reason, "a message is refused");
                        metrics::count(Count::MessagesFailed);
                    }
                }
                let refuse = async |connection: &mut PgConnection| {
                    messages::refused(connection, message, (refusal, &reason), now).await
                };
                self.database.transaction(refuse).await?;
                sent.failed += 1;
            }
            Fate::Answered(Answer::Unknown(reason)) => {
                warn!(sending.id = id, channel, reason, "a message was perhaps sent");
                metrics::count(Count::MessagesUnknown);
                messages::not_known(pool, message, &reason, now).await?;
                sent.unknown += 1;
            }
        }
        Ok(false)
    }
}
