//! What carriers and people tell back: delivered, read, bounced, STOP. It may be told repeatedly and out of order.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::State;
use crate::{
    Result,
    carriers::{Channel, Inbound, MailEvent, MailFate, Report, Reported, Status, StatusKind},
    phone::Phone,
};

/// Why nothing is sent to a recipient any more, on one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Encode, sqlx::Decode)]
#[sqlx(rename_all = "snake_case")]
pub enum Blocked {
    Bounced,
    Complained,
    #[sqlx(rename = "not_on_whatsapp")]
    NotOnWhatsApp,
    /// The person wrote STOP.
    Stop,
}

crate::database::kept_as_text!(Blocked);

/// What is told of one message.
struct Told<'a> {
    channel: Channel,
    provider_id: &'a str,
    tag: Option<&'a str>,
    state: State,
    /// Of a failure.
    reason: String,
    blocks: Option<Blocked>,
}

/// Applies a status of WhatsApp.
pub async fn whatsapp(connection: &mut PgConnection, status: &Status, now: DateTime<Utc>) -> Result<()> {
    let state = match status.kind {
        StatusKind::Sent => State::Sent,
        StatusKind::Delivered => State::Delivered,
        StatusKind::Read => State::Read,
        StatusKind::Failed => State::Failed,
        StatusKind::Other => return Ok(()),
    };
    let told = Told {
        channel: Channel::WhatsApp,
        provider_id: &status.id,
        tag: status.tag.as_deref(),
        state,
        reason: status.code.map_or_else(|| "failed".to_owned(), |code| format!("code {code}")),
        blocks: status.is_not_reachable().then_some(Blocked::NotOnWhatsApp),
    };
    apply(connection, &told, now).await
}

/// Applies a report of MSG91.
pub async fn sms(connection: &mut PgConnection, report: &Report, now: DateTime<Utc>) -> Result<()> {
    match report {
        Report::Delivery { id, tag, reported } => {
            let state = match reported {
                Reported::Delivered => State::Delivered,
                Reported::Failed => State::Failed,
                Reported::Underway => State::Sent,
            };
            let reason = "not delivered".to_owned();
            let told =
                Told { channel: Channel::Sms, provider_id: id, tag: tag.as_deref(), state, reason, blocks: None };
            apply(connection, &told, now).await
        }
        Report::Inbound { from, text } => written_back(connection, Channel::Sms, from, text, now).await,
    }
}

/// Applies an event of SES.
pub async fn mail(connection: &mut PgConnection, event: &MailEvent, now: DateTime<Utc>) -> Result<()> {
    let (state, reason, blocks) = match event.fate {
        MailFate::Sent => (State::Sent, "", None),
        MailFate::Delivered => (State::Delivered, "", None),
        MailFate::Bounced { is_permanent: true } => (State::Failed, "bounced", Some(Blocked::Bounced)),
        MailFate::Bounced { is_permanent: false } => (State::Failed, "bounced for now", None),
        MailFate::Rejected => (State::Failed, "rejected", None),
        // It was delivered all the same.
        MailFate::Complained => (State::Delivered, "", Some(Blocked::Complained)),
    };
    let told = Told {
        channel: Channel::Email,
        provider_id: &event.id,
        tag: event.tag.as_deref(),
        state,
        reason: reason.to_owned(),
        blocks,
    };
    apply(connection, &told, now).await
}

/// Moves the message forward, and blocks its recipient. What is not ours, or known already, changes nothing.
async fn apply(connection: &mut PgConnection, told: &Told<'_>, now: DateTime<Utc>) -> Result<()> {
    // Our own id counts only until the carrier's is known: another stage may share the account.
    let tag: Option<i64> = told.tag.and_then(|tag| tag.parse().ok());
    let found = sqlx::query!(
        r#"
        select id, recipient, state as "state: State" from messages
        where channel = $1 and (
            provider_id = $2
            or (provider_id is null and id = $3 and state in ('sending', 'unknown'))
        )
        order by id limit 1 for update
        "#,
        told.channel as Channel,
        told.provider_id,
        tag
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(found) = found else { return Ok(()) };
    if let Some(reason) = told.blocks {
        block(&mut *connection, told.channel, &found.recipient, reason).await?;
    }
    if !may_follow(found.state, told.state) {
        return Ok(());
    }
    let has_failed = told.state == State::Failed;
    sqlx::query!(
        "
        update messages set state = $2, provider_id = $3, leased_until = null,
            sent_at = case when $6 then sent_at else coalesce(sent_at, $4) end,
            delivered_at = case when $2 in ('delivered', 'read') then coalesce(delivered_at, $4) else delivered_at end,
            read_at = case when $2 = 'read' then coalesce(read_at, $4) else read_at end,
            ended_at = case when $6 then $4 end, reason = case when $6 then $5 else '' end, falls_back = $6
        where id = $1
        ",
        found.id,
        told.state as State,
        told.provider_id,
        now,
        told.reason,
        has_failed
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether this may be told of a message in that state; the trigger of the table holds the same.
const fn may_follow(present: State, told: State) -> bool {
    match present {
        State::Sending | State::Unknown => matches!(told, State::Sent | State::Delivered | State::Read | State::Failed),
        State::Sent => matches!(told, State::Delivered | State::Read | State::Failed),
        State::Delivered => matches!(told, State::Read),
        State::Pending | State::Read | State::Failed | State::Dropped => false,
    }
}

/// Sends nothing more to a recipient on a channel.
pub async fn block(
    executor: impl PgExecutor<'_>,
    channel: Channel,
    recipient: &str,
    reason: Blocked,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into blocked_recipients (channel, recipient, reason) values ($1, $2, $3) on conflict do nothing",
        channel as Channel,
        recipient,
        reason as Blocked
    )
    .execute(executor)
    .await
    .map(drop)
}

/// Applies a text that a person wrote to the shop on WhatsApp.
pub async fn whatsapp_inbound(connection: &mut PgConnection, inbound: &Inbound, now: DateTime<Utc>) -> Result<()> {
    written_back(connection, Channel::WhatsApp, &inbound.from, &inbound.text, now).await
}

/// What a person wants who writes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Stop,
    Start,
}

impl Wish {
    /// Nothing but the word counts: a sentence is for the shop's people.
    fn of(text: &str) -> Option<Self> {
        match text.trim().trim_matches(['.', '!', '"']).to_uppercase().as_str() {
            "STOP" | "STOP ALL" | "UNSUBSCRIBE" | "बंद" | "बंद करें" => Some(Self::Stop),
            "START" | "शुरू" | "शुरू करें" => Some(Self::Start),
            _ => None,
        }
    }
}

async fn written_back(
    connection: &mut PgConnection,
    channel: Channel,
    from: &str,
    text: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(wish) = Wish::of(text) else { return Ok(()) };
    let Ok(phone) = format!("+{}", from.trim_start_matches('+')).parse::<Phone>() else { return Ok(()) };
    match wish {
        Wish::Stop => {
            block(&mut *connection, channel, phone.as_str(), Blocked::Stop).await?;
        }
        Wish::Start => {
            sqlx::query!(
                "delete from blocked_recipients where channel = $1 and recipient = $2 and reason = 'stop'",
                channel as Channel,
                phone.as_str()
            )
            .execute(&mut *connection)
            .await?;
            opt_in(&mut *connection, channel, phone.as_str(), now).await?;
        }
    }
    Ok(())
}

async fn opt_in(
    executor: impl PgExecutor<'_>,
    channel: Channel,
    recipient: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        insert into message_opt_ins (channel, recipient, how, at) values ($1, $2, 'start', $3)
        on conflict (channel, recipient) do nothing
        ",
        channel as Channel,
        recipient,
        now
    )
    .execute(executor)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::{State, Wish, may_follow};

    #[test]
    fn only_the_word_stops() {
        for (text, wish) in [
            ("STOP", Some(Wish::Stop)),
            (" stop. ", Some(Wish::Stop)),
            ("बंद करें", Some(Wish::Stop)),
            ("Start", Some(Wish::Start)),
            ("please stop by at ten", None),
            ("", None),
        ] {
            assert_eq!(Wish::of(text), wish, "{text}");
        }
    }

    #[test]
    fn nothing_leads_back() {
        let order = [State::Sending, State::Sent, State::Delivered, State::Read];
        for (index, present) in order.into_iter().enumerate() {
            for earlier in order.into_iter().take(index + 1) {
                assert!(!may_follow(present, earlier), "{present:?} {earlier:?}");
            }
        }
        for ended in [State::Failed, State::Dropped, State::Read] {
            for told in [State::Sent, State::Delivered, State::Read, State::Failed] {
                assert!(!may_follow(ended, told), "{ended:?} {told:?}");
            }
        }
    }
}
