//! The page of the system's state.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{Result, carriers::Channel, database::Database};
use sqlx::types::Json;

use super::{
    PATH,
    jobs::{self, Run},
    messages,
};
use crate::{
    App,
    kit::{ask::Ask, cell::moment_text, page::Page},
    messages::{UNDELIVERED, ways},
    session::Person,
    words::Words,
};

/// Where money that does not match is dealt with.
const MONEY: &str = "/admin/payments/?scope=attention";
/// The age at which a waiting message raises an alarm.
const OLDEST_MINUTES: i64 = 15;

struct Condition {
    runs: Json<Vec<Run>>,
    waiting: i64,
    waiting_since: Option<NaiveDateTime>,
    oldest_minutes: i64,
    failed_refunds: i64,
    mismatches: i64,
    undelivered: i64,
    channels: Vec<Channel>,
    schema: String,
}

async fn load(database: &Database) -> Result<Condition> {
    Ok(sqlx::query_as!(
        Condition,
        r#"
        select
            (
                select coalesce(json_agg(json_build_object(
                    'job', job, 'started', shop_clock(started_at),
                    'age_seconds', extract(epoch from now() - started_at)::bigint, 'has_ended', ended_at is not null,
                    'outcome', outcome, 'error', error
                )), '[]') from job_runs
            ) as "runs!: Json<Vec<Run>>",
            waiting.count as "waiting!", shop_clock(waiting.since) as waiting_since,
            coalesce(extract(epoch from now() - waiting.since) / 60, 0)::bigint as "oldest_minutes!",
            (select count(*) from money_failed_refunds) as "failed_refunds!",
            (select count(*) from money_paid_without_capture)
                + (select count(distinct booking_id) from money_captured_without_payment)
                + (select count(*) from money_not_given_back) + (select count(*) from money_misfits)
                + (select count(*) from money_disputes) + (select count(*) from money_unmatched) as "mismatches!",
            (select count(*) from undelivered_messages) as "undelivered!",
            array(select channel from message_channels order by place) as "channels!: Vec<Channel>",
            (select version || ' ' || description from _sqlx_migrations order by version desc limit 1) as "schema!"
        from (
            select count(*) as count, min(created_at) as since from outbox
            where delivered_at is null and failed_at is null
        ) as waiting
        "#
    )
    .fetch_one(&database.pool())
    .await?)
}

pub(crate) async fn show(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let notice = ask.value("done").map(|_| "It is sent again within a minute or two.");
    let state = load(app.database()).await?;
    let given_up = messages::given_up(app.database()).await?;
    let content = html! {
        h1 { "System" }
        (state.alarms(given_up.len()))
        h2 { "Jobs" }
        (jobs::table(&state.runs))
        h2 { "Messages" }
        p { (ways(Words::default(), &state.channels)) }
        p { (state.waiting()) }
        @if given_up.is_empty() { p { "No message has been given up." } }
        @else {
            p { "These were tried again and again and then given up:" }
            (messages::table(&given_up))
        }
        h2 { "Money" }
        ul.cards {
            li { a href=(MONEY) { strong { (state.failed_refunds) } " refunds that failed" } }
            li { a href=(MONEY) { strong { (state.mismatches) } " payments that do not match" } }
        }
        h2 { "Versions" }
        dl.facts {
            dt { "Program" } dd { (env!("CARGO_PKG_VERSION")) }
            dt { "Database" } dd { (state.schema) }
        }
    };
    Ok(Page::new(&person, PATH, "System").notice(notice).show(&content))
}

impl Condition {
    fn waiting(&self) -> String {
        match (self.waiting, self.waiting_since) {
            (1, Some(since)) => format!("1 message waits, since {}.", moment_text(since)),
            (count, Some(since)) => format!("{count} messages wait, the oldest since {}.", moment_text(since)),
            _ => "No message waits.".to_owned(),
        }
    }

    /// What is wrong and what to do, a sentence each.
    fn alarms(&self, given_up: usize) -> Markup {
        let late = jobs::late(&self.runs);
        let failed = jobs::failed(&self.runs);
        let is_old = self.oldest_minutes > OLDEST_MINUTES;
        let is_quiet = late.is_empty()
            && failed.is_empty()
            && !is_old
            && given_up == 0
            && self.failed_refunds == 0
            && self.mismatches == 0
            && self.undelivered == 0;
        html! {
            @if is_quiet { p { "Everything runs as it should." } }
            @else {
                section.attention aria-labelledby="attention" {
                    h2 #attention { "Needs attention" }
                    ul {
                        @for job in &late { li { "“" (job) "” has not run when it should have. Tell the people who run the servers." } }
                        @for job in &failed { li { "“" (job) "” failed the last time. It is tried again by itself; if it goes on, tell the people who run the servers." } }
                        @if is_old { li { "A message has been waiting for " (self.oldest_minutes) " minutes. Refunds may be delayed; if it goes on, tell the people who run the servers." } }
                        @if given_up > 0 { li { (given_up) " messages were given up. Try them again below." } }
                        @if self.undelivered > 0 { li { a href=(UNDELIVERED) { "Messages not delivered: " (self.undelivered) ". Send them again or tell the customers in another way." } } }
                        @if self.failed_refunds > 0 { li { a href=(MONEY) { "Refunds failed: " (self.failed_refunds) ". Give the money back in another way, or ask again." } } }
                        @if self.mismatches > 0 { li { a href=(MONEY) { "Payments that do not match their bookings: " (self.mismatches) ". Look at each." } } }
                    }
                }
            }
        }
    }
}
