//! The list of customers.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use maud::html;
use shared::{Result, database::Database, ids::CustomerId, logging::name_customers};
use sqlx::PgConnection;

use crate::{
    App,
    kit::{
        ask::{Ask, Side},
        cell::Cell,
        file,
        list::{Column, Filter, List},
        page::{Page, Place},
        rows::Rows,
    },
    session::Person,
    words::Words,
};

pub(super) const PLACE: Place = Place { path: "/admin/customers/", title: "Customers" };

struct Row {
    id: CustomerId,
    name: String,
    phone: Option<String>,
    email: Option<String>,
    visits: i64,
    created: NaiveDateTime,
    count: i64,
}

fn columns() -> Vec<Column<Row>> {
    vec![
        Column::sorted("id", "ID", |row| Cell::Number(row.id.0)),
        Column::sorted("name", "Name", |row| Cell::link(format!("{}{}/", PLACE.path, row.id), &row.name)),
        Column::sorted("phone", "Phone", |row| Cell::optional(row.phone.as_deref())),
        Column::sorted("email", "E-mail", |row| Cell::optional(row.email.as_deref())),
        Column::sorted("visits", "Visits", |row| Cell::Number(row.visits)),
        Column::sorted("created", "Created", |row| Cell::Moment(row.created)),
    ]
}

/// Name and e-mail are the newest that were given with a booking; the search finds older ones too.
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
            select customer.id, customer.created_at, case when customer.erased_at is null then customer.phone end as phone,
                coalesce((
                    select customer_name from bookings where customer_id = customer.id order by id desc limit 1
                ), case when customer.erased_at is null then 'No name' else 'Erased customer' end) as name,
                (
                    select customer_email from bookings
                    where customer_id = customer.id and customer_email is not null order by id desc limit 1
                ) as email,
                (
                    select count(*) from bookings where customer_id = customer.id and booking_status <> 'cancelled'
                ) as visits
            from customers customer
        ), matching as not materialized (
            select * from listed
            where ($1::text is null
                    or id in (select customer_id from bookings where customer_name ilike $1 or customer_email ilike $1)
                    or phone like $2)
                and ($3::date is null or shop_clock(created_at)::date >= $3)
                and ($4::date is null or shop_clock(created_at)::date <= $4)
                and (coalesce($5::date, $6::date) is null or id in (
                    select customer_id from bookings
                    where booking_status <> 'cancelled' and ($5 is null or appointment_date >= $5)
                        and ($6 is null or appointment_date <= $6)
                ))
        ), page as (
            select id, place
            from unnest(array(
                select id from matching
                where $10::bigint is null or case when $11 then id > $10 else id < $10 end
                order by
                    case when $11 then id end, case when $7 = 'id' then id end,
                    case $7 when 'visits' then visits when 'created' then extract(epoch from created_at) end,
                    case $7 when '-visits' then visits when '-created' then extract(epoch from created_at) end desc,
                    case $7 when 'name' then lower(name) when 'phone' then phone when 'email' then email end,
                    case $7 when '-name' then lower(name) when '-phone' then phone when '-email' then email end desc nulls last,
                    id desc
                limit $8 offset $9
            )) with ordinality as one (id, place)
        )
        select listed.id as "id!", listed.name as "name!", listed.phone, listed.email, listed.visits as "visits!",
            shop_clock(listed.created_at) as "created!",
            (select count(*) from (select from matching limit $12) as counted) as "count!"
        from page join listed on listed.id = page.id
        order by page.place
        "#,
        ask.pattern(),
        ask.phone_pattern(),
        ask.day("created_from"),
        ask.day("created_to"),
        ask.day("visited_from"),
        ask.day("visited_to"),
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
    let page = Rows::page(rows, count, ask, side, |row| row.id.to_string());
    name_customers(page.rows.iter().map(|row| row.id));
    Ok(page)
}

pub(crate) async fn list(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let ask = ask.offering_file(person.is_admin);
    let rows = rows(app.database(), &ask).await?;
    let filters =
        [Filter::Days { name: "created", label: "Created" }, Filter::Days { name: "visited", label: "Visited" }];
    let list = List {
        place: PLACE,
        ask: &ask,
        columns: &columns(),
        filters: &filters,
        rows: &rows,
        search: Some("Name, phone or e-mail"),
        empty: "There is no customer yet. The first booking adds one.",
        bulk: None,
        words: Words::default(),
    };
    let content = html! {
        h1 { (PLACE.title) }
        (list.show())
    };
    Ok(Page::new(&person, PLACE.path, PLACE.title).show(&content))
}

pub(crate) async fn file(State(app): State<App>, ask: Ask) -> Result<Response> {
    file::file(PLACE, &columns(), &rows(app.database(), &ask).await?)
}
