//! The list of messages.

use axum::{extract::State as Shared, response::Response};
use chrono::NaiveDateTime;
use maud::{Markup, html};
use shared::{
    Error, Result,
    carriers::Channel,
    database::Database,
    messages::{Kind, State},
};
use sqlx::PgConnection;

use super::{
    PLACE,
    words::{kind, state, way, ways},
};
use crate::{
    App,
    kit::{
        ask::{Ask, Side},
        cell::Cell,
        file,
        list::{Column, Filter, List},
        page::Page,
        rows::Rows,
    },
    session::Person,
    words::Words,
};

struct Row {
    id: i64,
    created: NaiveDateTime,
    kind: Kind,
    booking_id: Option<i64>,
    reference: Option<String>,
    channel: Channel,
    recipient: String,
    state: State,
    reason: String,
    changed: NaiveDateTime,
    count: i64,
}

const WORDS: Words = Words(crate::words::Language::English);

fn columns() -> Vec<Column<Row>> {
    vec![
        Column::sorted("id", "ID", |row| Cell::Number(row.id)),
        Column::sorted("created", "Written", |row| Cell::Moment(row.created)),
        Column::sorted("kind", "Message", |row| Cell::Text(kind(WORDS, row.kind).to_owned())),
        Column::sorted("booking", "Booking", |row| match (row.booking_id, &row.reference) {
            (Some(id), Some(reference)) => Cell::link(format!("/admin/bookings/{id}/#messages"), reference),
            _ => Cell::Empty,
        }),
        Column::sorted("way", "Way", |row| Cell::Text(way(WORDS, row.channel).to_owned())),
        Column::sorted("recipient", "To", |row| Cell::Text(row.recipient.clone())),
        Column::sorted("state", "State", |row| state(WORDS, row.state)),
        Column::plain("reason", "Why", |row| Cell::Text(row.reason.clone())),
        Column::sorted("changed", "Since", |row| Cell::Moment(row.changed)),
    ]
}

fn filters() -> Vec<Filter> {
    let states = [
        State::Pending,
        State::Sending,
        State::Sent,
        State::Delivered,
        State::Read,
        State::Failed,
        State::Unknown,
        State::Dropped,
    ];
    let word = |cell: &Cell| if let Cell::Tag(_, word) = cell { (*word).to_owned() } else { String::new() };
    vec![
        Filter::Kept { name: "scope" },
        Filter::Choice {
            name: "kind",
            label: "Message",
            all: "All",
            choices: Kind::ALL.map(|one| (one.as_str().to_owned(), kind(WORDS, one).to_owned())).to_vec(),
        },
        Filter::Choice {
            name: "state",
            label: "State",
            all: "Any state",
            choices: states.map(|one| (one.as_str().to_owned(), word(&state(WORDS, one)))).to_vec(),
        },
        Filter::Choice {
            name: "way",
            label: "Way",
            all: "Any way",
            choices: Channel::ALL.map(|one| (one.as_str().to_owned(), way(WORDS, one).to_owned())).to_vec(),
        },
        Filter::Days { name: "created", label: "Written" },
    ]
}

async fn rows(database: &Database, ask: &Ask) -> Result<Rows<Row>> {
    database.planned_anew(async |connection| select(connection, ask).await).await
}

/// Finds the rows of the page by their ids first: what only the page shows is not read of other rows.
async fn select(connection: &mut PgConnection, ask: &Ask) -> Result<Rows<Row>> {
    let key = ask.key(|text| text.parse::<i64>().ok());
    let side = key.map(|(_, side)| side);
    let rows = sqlx::query_as!(
        Row,
        r#"
        with listed as not materialized (
            select message.id, message.created_at, message.kind, message.booking_id, booking.reference, message.channel,
                message.recipient, message.state, message.reason, coalesce(
                    message.ended_at, message.read_at, message.delivered_at, message.sent_at, message.created_at
                ) as changed_at
            from messages message
            left join bookings booking on booking.id = message.booking_id
        ), matching as not materialized (
            select * from listed
            where ($1::text is null or lower(reference) like $1 or replace(lower(reference), '-', '') like $1
                    or recipient like $1)
                and ($2::text is null or kind = $2)
                and ($3::text is null or state = $3)
                and ($4::text is null or channel = $4)
                and ($5::date is null or shop_clock(created_at)::date >= $5)
                and ($6::date is null or shop_clock(created_at)::date <= $6)
                and ($7::text is distinct from 'undelivered' or id in (select id from undelivered_messages))
        ), page as (
            select id, place
            from unnest(array(
                select id from matching
                where $11::bigint is null or case when $12 then id > $11 else id < $11 end
                order by
                    case when $12 then id end, case when $8 = 'id' then id end,
                    case when $8 = 'created' then created_at when $8 = 'changed' then changed_at end,
                    case when $8 = '-created' then created_at when $8 = '-changed' then changed_at end desc,
                    case $8 when 'kind' then kind when 'booking' then reference when 'way' then channel
                        when 'recipient' then recipient when 'state' then state end,
                    case $8 when '-kind' then kind when '-booking' then reference when '-way' then channel
                        when '-recipient' then recipient when '-state' then state end desc nulls last,
                    id desc
                limit $9 offset $10
            )) with ordinality as one (id, place)
        )
        select listed.id as "id!", shop_clock(listed.created_at) as "created!", listed.kind as "kind!: Kind",
            listed.booking_id, listed.reference as "reference?", listed.channel as "channel!: Channel",
            listed.recipient as "recipient!", listed.state as "state!: State", listed.reason as "reason!",
            shop_clock(listed.changed_at) as "changed!",
            (select count(*) from (select from matching limit $13) as counted) as "count!"
        from page join listed on listed.id = page.id
        order by page.place
        "#,
        ask.pattern(),
        ask.value("kind"),
        ask.value("state"),
        ask.value("way"),
        ask.day("created_from"),
        ask.day("created_to"),
        ask.value("scope"),
        ask.sort(),
        ask.limit() + 1,
        if key.is_some() { 0 } else { ask.offset() },
        key.map(|(id, _)| id),
        side == Some(Side::Before),
        ask.most_counted()
    )
    .fetch_all(connection)
    .await?;
    let count = rows.first().map_or(0, |row| row.count);
    Ok(Rows::page(rows, count, ask, side, |row| row.id.to_string()))
}

pub(crate) async fn list(Shared(app): Shared<App>, person: Person, ask: Ask) -> Result<Response> {
    let ask = ask.offering_file(person.is_admin);
    let work = async |connection: &mut PgConnection| {
        let state = sqlx::query!(
            r#"
            select (select count(*) from undelivered_messages) as "undelivered!",
                array(select channel from message_channels order by place) as "channels!: Vec<Channel>"
            "#
        )
        .fetch_one(&mut *connection)
        .await?;
        Ok((state, select(connection, &ask).await?))
    };
    let (state, rows) = app.database().planned_anew::<_, Error>(work).await?;
    let (columns, filters) = (columns(), filters());
    let is_undelivered = ask.value("scope") == Some("undelivered");
    let list = List {
        place: PLACE,
        ask: &ask,
        columns: &columns,
        filters: &filters,
        rows: &rows,
        search: Some("Booking, number or address"),
        empty: "No message has been written yet. Messages appear here once bookings are made and a way to send them is set up.",
        bulk: None,
        words: WORDS,
    };
    let content = html! {
        h1 { (PLACE.title) }
        p { (ways(WORDS, &state.channels)) " " a href="/admin/shop/messages/" { "Words of messages" } }
        (scopes(&ask, is_undelivered, state.undelivered))
        @if is_undelivered && rows.rows.is_empty() { p.empty { "Every message has arrived or was dealt with." } }
        @else { (list.show()) }
    };
    Ok(Page::new(&person, PLACE.path, PLACE.title).show(&content))
}

fn scopes(ask: &Ask, is_undelivered: bool, count: i64) -> Markup {
    html! {
        nav.scopes aria-label="Which messages" {
            a href=(ask.link(&[("scope", "")])) aria-current=[(!is_undelivered).then_some("true")] { "All" }
            a href=(ask.link(&[("scope", "undelivered")])) aria-current=[is_undelivered.then_some("true")] {
                "Not delivered " span.count { (count) }
            }
        }
    }
}

/// The same rows as a CSV file.
pub(crate) async fn file(Shared(app): Shared<App>, ask: Ask) -> Result<Response> {
    file::file(PLACE, &columns(), &rows(app.database(), &ask).await?)
}
