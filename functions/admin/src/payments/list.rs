//! The list of payments, with scopes and their counts.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use maud::html;
use shared::{
    Error, Result,
    bookings::status::PaymentMethod,
    database::Database,
    ids::{BookingId, PaymentId},
    money::Money,
    payments::states::PaymentState,
};
use sqlx::PgConnection;

use super::{PLACE, attention, scopes, words};
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
    id: PaymentId,
    booking_id: BookingId,
    reference: String,
    amount: Money,
    currency: String,
    state: PaymentState,
    method: PaymentMethod,
    created: NaiveDateTime,
    captured: Option<NaiveDateTime>,
    received: Money,
    given_back: Money,
    count: i64,
}

fn columns() -> Vec<Column<Row>> {
    vec![
        Column::sorted("id", "ID", |row| Cell::link(format!("{}{}/", PLACE.path, row.id), row.id.to_string())),
        Column::sorted("booking", "Booking", |row| {
            Cell::link(format!("/admin/bookings/{}/", row.booking_id), &row.reference)
        }),
        Column::sorted("amount", "Amount", |row| Cell::Money(row.amount)),
        Column::sorted("currency", "Currency", |row| Cell::Text(row.currency.clone())),
        Column::sorted("state", "State", |row| words::state(row.state)),
        Column::sorted("method", "Method", |row| Cell::Text(words::method(row.method).to_owned())),
        Column::sorted("created", "Created", |row| Cell::Moment(row.created)),
        Column::sorted("captured", "Received on", |row| row.captured.map_or(Cell::Empty, Cell::Moment)),
        Column::plain("received", "Received", |row| Cell::Money(row.received)),
        Column::plain("given-back", "Given back", |row| Cell::Money(row.given_back)),
        Column::plain("kept", "Kept", |row| {
            Cell::Money(Money::from_paise(row.received.paise() - row.given_back.paise()))
        }),
    ]
}

fn filters() -> Vec<Filter> {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(value, text)| ((*value).to_owned(), (*text).to_owned())).collect::<Vec<_>>()
    };
    vec![
        Filter::Kept { name: "scope" },
        Filter::Choice {
            name: "state",
            label: "State",
            all: "All",
            choices: pairs(&[("open", "Open"), ("settled", "Paid"), ("closed", "Closed")]),
        },
        Filter::Choice {
            name: "method",
            label: "Method",
            all: "All",
            choices: pairs(&[("razorpay", "Online"), ("cash", "Cash")]),
        },
        Filter::Days { name: "created", label: "Created" },
        Filter::Days { name: "captured", label: "Received" },
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
            select payment.id, payment.booking_id, booking.reference, payment.amount_paise, payment.currency, payment.state,
                payment.method, payment.order_id, payment.created_at, taken.captured_at, taken.received_paise,
                taken.given_back_paise, taken.has_failed, taken.gateway_payment_ids
            from payments payment
            -- Left joins, because those that neither filter nor order reads are left out of the plan.
            left join bookings booking on booking.id = payment.booking_id
            left join lateral (
                select max(captured_at) as captured_at, sum(amount_paise) filter (where state = 'captured') as received_paise,
                    sum(refunded_paise) as given_back_paise, bool_or(state = 'failed') as has_failed,
                    string_agg(gateway_payment_id, ' ') as gateway_payment_ids
                from captures capture where capture.payment_id = payment.id
            ) as taken on true
        ), matching as not materialized (
            select * from listed
            where ($1::text is null or lower(reference) like $1 or replace(lower(reference), '-', '') like $1
                    or booking_id::text = $2 or lower(order_id) like $1 or lower(gateway_payment_ids) like $1)
                and ($3::text is null or state::text = $3)
                and ($4::text is null or method::text = $4)
                and ($5::date is null or shop_clock(created_at)::date >= $5)
                and ($6::date is null or shop_clock(created_at)::date <= $6)
                and ($7::date is null or shop_clock(captured_at)::date >= $7)
                and ($8::date is null or shop_clock(captured_at)::date <= $8)
                and case $9
                    when 'cash' then method = 'cash'
                    when 'online' then method = 'razorpay'
                    when 'failed' then has_failed and received_paise is null
                    else true
                end
        ), page as (
            select id, place
            from unnest(array(
                select id from matching
                where $13::bigint is null or case when $14 then id > $13 else id < $13 end
                order by
                    case when $14 then id end, case when $10 = 'id' then id end,
                    case $10 when 'amount' then amount_paise when 'created' then extract(epoch from created_at)
                        when 'captured' then extract(epoch from captured_at) end,
                    case $10 when '-amount' then amount_paise when '-created' then extract(epoch from created_at)
                        when '-captured' then extract(epoch from captured_at) end desc nulls last,
                    case $10 when 'booking' then reference when 'currency' then currency end,
                    case $10 when '-booking' then reference when '-currency' then currency end desc,
                    case when $10 = 'state' then state end, case when $10 = '-state' then state end desc,
                    case when $10 = 'method' then method end, case when $10 = '-method' then method end desc,
                    id desc
                limit $11 offset $12
            )) with ordinality as one (id, place)
        )
        select listed.id as "id!", listed.booking_id as "booking_id!", listed.reference as "reference!",
            listed.amount_paise as "amount!: Money", listed.currency as "currency!", listed.state as "state!: PaymentState",
            listed.method as "method!: PaymentMethod", shop_clock(listed.created_at) as "created!",
            shop_clock(listed.captured_at) as captured, coalesce(listed.received_paise, 0)::bigint as "received!: Money",
            coalesce(listed.given_back_paise, 0)::bigint as "given_back!: Money",
            (select count(*) from (select from matching limit $15) as counted) as "count!"
        from page join listed on listed.id = page.id
        order by page.place
        "#,
        ask.pattern(),
        ask.value("q"),
        ask.value("state"),
        ask.value("method"),
        ask.day("created_from"),
        ask.day("created_to"),
        ask.day("captured_from"),
        ask.day("captured_to"),
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

pub(crate) async fn list(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let ask = ask.offering_file(person.is_admin);
    let notice = notice(&ask);
    let content = if ask.value("scope") == Some("attention") {
        let counts = scopes::scopes(&mut *app.database().pool().acquire().await?).await?;
        attention::content(&app, &person, &ask, &counts).await?
    } else {
        let work = async |connection: &mut PgConnection| {
            Ok((scopes::scopes(connection).await?, select(connection, &ask).await?))
        };
        let (counts, rows): (_, Rows<Row>) = app.database().planned_anew::<_, Error>(work).await?;
        let (columns, filters) = (columns(), filters());
        let list = List {
            place: PLACE,
            ask: &ask,
            columns: &columns,
            filters: &filters,
            rows: &rows,
            search: Some("Booking, order or payment number"),
            empty: "No payment has been made yet. Payments appear here once a customer pays online or in cash.",
            bulk: None,
            words: Words::default(),
        };
        html! { h1 { (PLACE.title) } (scopes::links(&ask, &counts)) (list.show()) }
    };
    Ok(Page::new(&person, PLACE.path, PLACE.title).notice(notice).show(&content))
}

fn notice(ask: &Ask) -> Option<&'static str> {
    super::acts::notice(ask.value("done"))
}

/// The same rows as a CSV file; of the scope `attention`, what does not match.
pub(crate) async fn file(State(app): State<App>, ask: Ask) -> Result<Response> {
    if ask.value("scope") == Some("attention") {
        return attention::file(&app).await;
    }
    file::file(PLACE, &columns(), &rows(app.database(), &ask).await?)
}
